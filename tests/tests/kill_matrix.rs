//! A run is killed at every point, in every way: it goes on when the same command is given again, and ends where an
//! undisturbed run ends. The servers are killed too, so they are this program's own.

use strata_tests::kill::{Executor, Way, World, cells, inside, outside};
use strata_tests::victim::Victim;

/// Kills that there must be at least.
const CELLS: usize = 120;

fn worlds() -> Vec<World> {
    let make = |victim| std::thread::spawn(|| World::new(victim));
    let making: Vec<_> = Victim::all().into_iter().map(make).collect();
    making.into_iter().map(|world| world.join().expect("a world")).collect()
}

#[test]
fn a_run_that_was_killed_anywhere_ends_where_an_undisturbed_one_ends() {
    let since = std::time::Instant::now();
    let worlds = worlds();
    let both = [Way::Up, Way::Down];
    let mut all = cells::of_statements(&both.map(|way| outside::points(&worlds[0], way)).concat());
    all.extend(cells::of_barriers(
        Executor::Outside,
        &both.map(|way| outside::barriers(&worlds[0], way)).concat(),
    ));
    all.extend(cells::of_barriers(
        Executor::Inside,
        &both.map(|way| inside::points(&worlds[0], way)).concat(),
    ));
    let count = all.len();
    assert!(count >= CELLS, "{count} cells");
    let violations = cells::run_all(&worlds, all, &|_| ());
    for (cell, what) in &violations {
        eprintln!("{cell}: {what}");
    }
    assert!(violations.is_empty(), "{} of {count} cells are violated", violations.len());
    eprintln!("{count} cells, {} s", since.elapsed().as_secs());
}
