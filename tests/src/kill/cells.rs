//! Which kills there are, and doing them on several servers side by side.

use super::{Executor, Kind, Way, World, inside, outside};
use crate::proxy::{Moment, TOGETHER};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// One kill.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Who turns the run.
    pub executor: Executor,
    /// Where the pack goes.
    pub way: Way,
    /// How often the executor has come to a point before.
    pub point: usize,
    /// When a statement is held on the line; none: a barrier holds the server.
    pub moment: Option<Moment>,
    /// What it is there.
    pub name: String,
    /// How it is killed.
    pub kind: Kind,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell { executor, way, point, moment, name, kind } = self;
        let when = moment.map_or("At".to_owned(), |moment| format!("{moment:?}"));
        write!(f, "{executor} {}, {when} point {point} ({name}), {kind:?}", way.name())
    }
}

impl Cell {
    /// Does it; panics on what is not as it must be.
    pub fn run(&self, world: &World) {
        match (self.executor, self.moment) {
            (_, Some(moment)) => outside::kill(world, self.way, (self.point, moment), self.kind),
            (Executor::Outside, None) => outside::kill_at_barrier(world, self.way, self.point, self.kind),
            (Executor::Inside, None) => inside::kill(world, self.way, self.point, self.kind),
        }
    }
}

/// A point of a run that nobody disturbs.
pub type Point = (Way, usize, String);

/// Statements that only read, or set up the session: nothing can be lost at them.
const LIGHT: &[&str] =
    &["server", "lock", "variables", "migrations", "steps", "session", "index_state", "reset"];

/// Before every weighty statement a kill, and before every sort of them every kind of kill; between sending and hearing of
/// each a kill of some kind; before every sort of light statement one.
pub fn of_statements(points: &[Point]) -> Vec<Cell> {
    let (light, weighty): (Vec<&Point>, Vec<&Point>) = points.iter().partition(|(_, _, name)| is_light(name));
    let mut cells = Vec::new();
    for places in sorts(&weighty).values() {
        let turns = places.len().max(Kind::ALL.len());
        cells.extend((0..turns).map(|turn| on_line(places[turn % places.len()], Moment::Before, turn)));
    }
    let during = weighty.iter().enumerate().map(|(turn, point)| on_line(point, Moment::During, turn));
    cells.extend(during);
    let firsts = sorts(&light).into_values().enumerate();
    cells.extend(firsts.map(|(turn, places)| on_line(places[0], Moment::Before, turn)));
    cells
}

/// Of a background worker the runner is the backend: SIGTERM is what pg_terminate_backend sends.
const INSIDE: [Kind; 3] = [Kind::Terminate, Kind::Backend, Kind::Stop];

/// At every sort of point every kind of kill, at places that are spread over the run.
pub fn of_barriers(executor: Executor, points: &[Point]) -> Vec<Cell> {
    let all: Vec<&Point> = points.iter().collect();
    let kinds: &[Kind] = if executor == Executor::Inside { &INSIDE } else { &Kind::ALL };
    let cells = |places: Vec<&Point>| -> Vec<Cell> {
        let at = |(turn, kind): (usize, &Kind)| {
            let (way, point, name) = places[turn * places.len() / kinds.len()];
            Cell { executor, way: *way, point: *point, moment: None, name: name.clone(), kind: *kind }
        };
        kinds.iter().enumerate().map(at).collect()
    };
    sorts(&all).into_values().flat_map(cells).collect()
}

fn is_light(name: &str) -> bool {
    let light = |one: &str| one.split(' ').next().is_some_and(|word| LIGHT.contains(&word));
    name.split(TOGETHER).all(light)
}

/// The points of each name.
fn sorts<'p>(points: &[&'p Point]) -> BTreeMap<&'p str, Vec<&'p Point>> {
    let mut sorts: BTreeMap<&str, Vec<&Point>> = BTreeMap::new();
    points.iter().for_each(|point| sorts.entry(&point.2).or_default().push(point));
    sorts
}

fn on_line((way, at, name): &Point, moment: Moment, turn: usize) -> Cell {
    let (executor, kind) = (Executor::Outside, Kind::ALL[turn % Kind::ALL.len()]);
    Cell { executor, way: *way, point: *at, moment: Some(moment), name: name.clone(), kind }
}

/// What was not as it must be: the cell, and what it said.
pub type Violation = (Cell, String);

/// Does all of them, on every server at once. `done` hears of each.
pub fn run_all(worlds: &[World], cells: Vec<Cell>, done: &(dyn Fn(&Cell) + Sync)) -> Vec<Violation> {
    let (left, violations) = (Mutex::new(VecDeque::from(cells)), Mutex::new(Vec::new()));
    let next = || left.lock().unwrap().pop_front();
    std::thread::scope(|scope| {
        for world in worlds {
            scope.spawn(|| {
                while let Some(cell) = next() {
                    if let Err(what) = catch_unwind(AssertUnwindSafe(|| cell.run(world))) {
                        world.victim.ready();
                        violations.lock().unwrap().push((cell.clone(), said(what.as_ref())));
                    }
                    done(&cell);
                }
            });
        }
    });
    violations.into_inner().unwrap()
}

/// The words of a panic.
pub(super) fn said(what: &(dyn std::any::Any + Send)) -> String {
    let text = what.downcast_ref::<String>().cloned();
    text.or_else(|| what.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
