//! What is planned, and what is refused before anything runs.

use super::*;

fn pack(names: &[&str]) -> Pack {
    let files = names.iter().map(|n| ((*n).to_owned(), format!("select '{n}'"))).collect();
    Pack::read("p", None, files).expect("a pack")
}

fn known(pack: &Pack, states: &[(i64, &str)]) -> Vec<Known> {
    let one = |(version, state): &(i64, &str)| {
        let m = pack.migration(*version).expect("in the pack");
        let (name, checksum) = (m.name.clone(), m.checksum());
        Known {
            version: *version,
            name,
            state: (*state).into(),
            checksum,
            untouched: false,
            finalized: false,
        }
    };
    states.iter().map(one).collect()
}

fn versions(pack: &Pack, known: &[Known], request: (Direction, Target)) -> Result<Vec<i64>, Error> {
    Ok(plan(pack, &Values::new(), known, request)?.iter().map(|m| m.version).collect())
}

const FILES: [&str; 6] =
    ["1_a.up.sql", "1_a.down.sql", "2_b.up.sql", "2_b.down.sql", "3_c.up.sql", "3_c.down.sql"];

#[test]
fn up_takes_what_is_pending_and_down_what_is_applied() {
    let pack = pack(&FILES);
    let state = known(&pack, &[(1, "applied"), (2, "pending")]);
    assert_eq!(versions(&pack, &state, (Direction::Up, Target::All)), Ok(vec![2, 3]));
    assert_eq!(versions(&pack, &state, (Direction::Up, Target::Count(1))), Ok(vec![2]));
    let all = known(&pack, &[(1, "applied"), (2, "applied"), (3, "applying")]);
    assert_eq!(versions(&pack, &all, (Direction::Down, Target::Count(2))), Ok(vec![3, 2]));
    assert_eq!(versions(&pack, &all, (Direction::Up, Target::All)), Ok(vec![3]));
}

#[test]
fn a_version_is_reached_from_either_side() {
    let pack = pack(&FILES);
    let state = known(&pack, &[(1, "applied"), (2, "pending")]);
    assert_eq!(toward(&pack, &state, 2), Ok((Direction::Up, Target::Version(2))));
    assert_eq!(versions(&pack, &state, (Direction::Up, Target::Version(2))), Ok(vec![2]));
    let all = known(&pack, &[(1, "applied"), (2, "applied"), (3, "reverting")]);
    assert_eq!(toward(&pack, &all, 1), Ok((Direction::Down, Target::Version(1))));
    assert_eq!(versions(&pack, &all, (Direction::Down, Target::Version(1))), Ok(vec![3, 2]));
    assert_eq!(versions(&pack, &all, (Direction::Down, Target::Version(0))), Ok(vec![3, 2, 1]));
    let far = toward(&pack, &all, 9).expect_err("no such version");
    assert_eq!(far.to_string(), "pack p has no version 9");
}

#[test]
fn a_pack_is_checked_in_both_directions() {
    let good = pack(&FILES);
    assert_eq!(check(&good, &Values::new(), &[]), Ok(()));
    let files = vec![
        ("1_a.up.sql".to_owned(), "select 1".to_owned()),
        ("1_a.down.sql".to_owned(), "rollback".to_owned()),
    ];
    let bad = Pack::read("p", None, files).expect("a pack");
    assert_eq!(check(&bad, &Values::new(), &[]).expect_err("rollback").kind(), Kind::BadPack);
}

#[test]
fn refuses_a_changed_or_missing_file_of_an_applied_version() {
    let was = pack(&FILES);
    let mut state = known(&was, &[(1, "applied")]);
    state[0].checksum = "0".repeat(64);
    let changed = versions(&was, &state, (Direction::Up, Target::All)).expect_err("changed");
    assert_eq!((changed.kind(), changed.message().contains("1_a.up.sql has changed")), (Kind::Changed, true));
    let gone = versions(&pack(&FILES[2..]), &known(&was, &[(1, "applied")]), (Direction::Up, Target::All));
    assert_eq!(gone.expect_err("gone").kind(), Kind::Changed);
}

#[test]
fn a_way_up_that_committed_nothing_is_put_back_without_its_down_file() {
    let pack = pack(&FILES);
    let mut state = known(&pack, &[(1, "applied"), (2, "applying")]);
    let steps = |state: &[Known]| {
        let moves = plan(&pack, &Values::new(), state, (Direction::Down, Target::Count(1))).expect("a plan");
        moves[0].steps.iter().map(Step::kind).collect::<Vec<_>>()
    };
    assert_eq!(steps(&state), ["transaction"]);
    state[1].untouched = true;
    assert_eq!(steps(&state), ["verify"], "nothing but the mark");
}

#[test]
fn a_half_finished_version_is_not_stepped_over_when_its_file_is_gone() {
    let half = known(&pack(&FILES), &[(1, "applied"), (2, "applying")]);
    let without = pack(&["1_a.up.sql", "1_a.down.sql", "3_c.up.sql"]);
    let err = versions(&without, &half, (Direction::Up, Target::All)).expect_err("gone");
    assert_eq!((err.kind(), err.message().contains("version 2 (b)")), (Kind::RepairNeeded, true));
}

#[test]
fn refuses_an_up_below_what_is_applied_and_over_a_half_finished_down() {
    let pack = pack(&FILES);
    let late =
        versions(&pack, &known(&pack, &[(2, "applied")]), (Direction::Up, Target::All)).expect_err("late");
    assert!(late.to_string().contains("version 1 (a) is not applied but 2 is"), "{late}");
    let half =
        versions(&pack, &known(&pack, &[(1, "reverting")]), (Direction::Up, Target::All)).expect_err("half");
    assert_eq!(half.kind(), Kind::RepairNeeded);
}

#[test]
fn refuses_a_down_without_its_file_and_names_it() {
    let pack = pack(&["1_a.up.sql"]);
    let err = versions(&pack, &known(&pack, &[(1, "applied")]), (Direction::Down, Target::Count(1)))
        .expect_err("none");
    assert_eq!((err.kind(), err.get_hint()), (Kind::MissingDown, Some("add 1_a.down.sql")));
}

#[test]
fn a_setting_that_changes_makes_another_step() {
    let checksum = |text: &str| {
        let pack = Pack::read("p", None, vec![("1_a.up.sql".to_owned(), text.to_owned())]).expect("a pack");
        let moves = plan(&pack, &Values::new(), &[], (Direction::Up, Target::All)).expect("a plan");
        moves[0].steps[0].checksum.clone()
    };
    assert_eq!(checksum("select 1"), checksum("-- other words\nselect 1;"));
    assert_ne!(checksum("set a.b = 1; call p()"), checksum("set a.b = 2; call p()"));
}

#[test]
fn a_version_always_ends_in_a_transaction_that_can_mark_it() {
    let text = "create table t(x int);\ncreate index concurrently i on t(x);";
    let files =
        vec![("1_a.up.sql".to_owned(), text.to_owned()), ("2_b.up.sql".to_owned(), "-- none".to_owned())];
    let pack = Pack::read("p", None, files).expect("a pack");
    let moves = plan(&pack, &Values::new(), &[], (Direction::Up, Target::All)).expect("a plan");
    let kinds: Vec<Vec<&str>> = moves.iter().map(|m| m.steps.iter().map(Step::kind).collect()).collect();
    assert_eq!(kinds, [vec!["transaction", "alone", "verify"], vec!["verify"]]);
}

/// A pack of two phases, the second of which contracts, with this text in a version of each.
fn contracting(first: &str, second: &str, more: &str) -> Pack {
    let manifest = format!(
        "name='p'\ntitle='P'\n[[phase]]\nnumber=1\nname='one'\nmigrations=[1]\n{more}\n\
         [[phase]]\nnumber=2\nname='two'\nmigrations=[2]\ncontract=true"
    );
    let files = [("1_a.up.sql", first), ("2_b.up.sql", second)];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Pack::read("p", Some(&manifest), files.to_vec()).expect("a pack")
}

fn refused(pack: &Pack) -> Option<String> {
    let all = (Direction::Up, Target::All);
    let planned = plan(pack, &Values::new(), &[], all).map(drop);
    let checked = check(pack, &Values::new(), &[]);
    assert_eq!(planned, checked, "a push and a run refuse the same");
    planned.err().map(|error| error.to_string())
}

#[test]
fn what_drops_belongs_into_a_contract_phase_and_leaves_a_copy() {
    let kept = "call strata.retire_columns('t', array['x']); drop type y";
    assert_eq!(refused(&contracting("create table t ()", kept, "")), None);
    assert_eq!(
        refused(&contracting("select 1;\nalter table t drop column x", kept, "")).as_deref(),
        Some(
            "1_a.up.sql: line 2: alter table t drop column x: drop column belongs into a contract phase, \
             and phase 1 is none"
        )
    );
    assert!(
        refused(&contracting(kept, "select 1", "")).is_some_and(|m| m.contains("line 1: call strata.retire"))
    );
    assert_eq!(
        refused(&contracting("select 1", "vacuum; truncate t", "")).as_deref(),
        Some("2_b.up.sql: line 1: truncate t: truncate keeps no copy")
    );
    assert_eq!(refused(&contracting("drop table t", "select 1", "may_drop=[1]")), None);
}

#[test]
fn a_pack_without_a_contract_phase_drops_as_it_likes() {
    let files = vec![("1_a.up.sql".to_owned(), "drop table t; truncate u".to_owned())];
    assert_eq!(refused(&Pack::read("p", None, files).expect("a pack")), None);
}

#[test]
fn what_was_applied_before_there_was_a_contract_phase_is_let_be() {
    let pack = contracting("drop table t", "select 1", "");
    let checksum = pack.migrations[0].checksum();
    let applied = Known::read(&["1", "a", "applied", &checksum].map(|c| Some(c.to_owned())).to_vec());
    check(&pack, &Values::new(), &[applied]).expect("applied already");
}

#[test]
fn a_version_whose_copies_were_removed_is_not_taken_back() {
    let files = [("1_a.up.sql", "select 1"), ("1_a.down.sql", "select 2")];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let pack = Pack::read("p", None, files.to_vec()).expect("a pack");
    let row = ["1", "a", "applied", &pack.migrations[0].checksum(), "false", "false", "true"];
    let known = [Known::read(&row.map(|c| Some(c.to_owned())).to_vec())];
    let error = plan(&pack, &Values::new(), &known, (Direction::Down, Target::All)).expect_err("gone");
    assert_eq!(error.kind(), Kind::Finalized);
    assert_eq!(error.to_string(), "version 1 (a) cannot be taken back: what it kept was removed");
}
