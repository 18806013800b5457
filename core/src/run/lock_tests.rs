//! Concurrent statements against a list of answers: what is inspected, waited for, repaired and named.

use super::*;

const INDEX: &str = "create unique index concurrently i on s.t(x)";
const REINDEX: &str = "reindex table concurrently s.t";
const DETACH: &str = "alter table p detach partition q concurrently";

fn at(sent: &[String], part: &str) -> Option<usize> {
    sent.iter().position(|s| s.starts_with(part))
}

fn count(sent: &[String], part: &str) -> usize {
    sent.iter().filter(|s| s.starts_with(part)).count()
}

#[test]
fn a_build_that_breaks_is_cleaned_up_before_it_is_told() {
    let mut looked = 0;
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", INDEX)]), |name| match name {
        INDEX => Some(Err(DbError {
            sqlstate: "23505".into(),
            message: "could not create unique index \"i\"".into(),
            detail: Some("Key (x)=(1) is duplicated.".into()),
            ..Default::default()
        })),
        "index_state" => {
            looked += 1;
            Some(Ok((looked > 1).then(|| row(&["invalid", "s.i"])).into_iter().collect()))
        }
        _ => None,
    });
    let err = outcome.expect_err("duplicates");
    assert_eq!(err.sqlstate(), "23505");
    assert!(err.to_string().contains("Key (x)=(1) is duplicated"), "{err}");
    let dropped = at(&sent, "drop index concurrently if exists s.i");
    assert!(at(&sent, INDEX) < dropped && dropped < at(&sent, "step_failed"), "{sent:?}");
}

#[test]
fn what_could_not_be_dropped_is_told() {
    let mut looked = 0;
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", INDEX)]), |name| match name {
        INDEX => broken("53100", "disk full"),
        "index_state" => {
            looked += 1;
            Some(Ok((looked > 1).then(|| row(&["invalid", "s.i"])).into_iter().collect()))
        }
        name if name.starts_with("drop index") => broken("55P03", "lock timeout"),
        _ => None,
    });
    let err = outcome.expect_err("full");
    assert_eq!(err.sqlstate(), "53100");
    assert!(err.get_hint().is_some_and(|hint| hint.contains("s.i is left invalid")), "{err:?}");
    assert!(sent.ends_with(&["step_failed".into(), "unlock".into()]), "{sent:?}");
}

#[test]
fn a_budget_that_is_spent_names_who_was_waited_for_and_the_option() {
    let mut run = up(&[("1_a.up.sql", INDEX)]);
    run.request.index_wait = Duration::from_secs(3);
    let mut timeouts = Vec::new();
    let answer = |statement: &Statement| {
        let name = called(statement);
        if let ("session" | "lock_timeout", Some(Value::Text(text))) =
            (name.as_str(), statement.params.last())
        {
            timeouts.push(text.clone());
        }
        match name.as_str() {
            INDEX => broken("55P03", "canceling statement due to lock timeout").expect("broken"),
            "blockers" => Ok(vec![row(&["pid 7 (ann): select 1", ""])]),
            other => calm(other),
        }
    };
    let outcome = turned(&mut run, answer, || ());
    assert_eq!(timeouts, ["3000ms", "500ms"], "the clean-up is not patient");
    let err = outcome.expect_err("spent");
    assert_eq!((err.kind(), err.sqlstate()), (Kind::Locked, "55P03"));
    assert!(err.to_string().contains("waited 3 s for pid 7 (ann): select 1"), "{err}");
    assert!(err.get_hint().is_some_and(|hint| hint.contains("--index-wait")));
}

#[test]
fn an_index_that_somebody_else_is_building_is_waited_for_and_not_dropped() {
    let mut looks = 0;
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", INDEX)]), |name| {
        (name == "index_state").then(|| {
            looks += 1;
            let state = if looks < 4 { "building" } else { "valid" };
            Ok(vec![row(&[state, "s.i", "pid 7 (ann)"])])
        })
    });
    assert!(outcome.is_ok() && count(&sent, "drop index") == 0, "{sent:?}");
    assert!(
        count(&sent, "(wait)") == 3 && at(&sent, INDEX).is_some(),
        "Postgres says that it is there: {sent:?}"
    );
    assert_eq!(count(&sent, "stop_asked"), 3, "the operator is heard in each pause");

    let mut run = up(&[("1_a.up.sql", INDEX)]);
    run.request.index_wait = Duration::from_secs(2);
    let (sent, outcome) = drive(&mut run, |name| {
        (name == "index_state").then(|| Ok(vec![row(&["building", "s.i", "pid 7 (ann)"])]))
    });
    let err = outcome.expect_err("in vain");
    assert!(err.kind() == Kind::Locked && err.to_string().contains("being built by pid 7 (ann)"), "{err}");
    assert_eq!(count(&sent, "create unique index") + count(&sent, "drop index"), 0, "{sent:?}");
}

#[test]
fn an_index_that_if_not_exists_took_for_done_is_built_again_when_it_is_broken() {
    let mut looks = 0;
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", INDEX)]), |name| {
        (name == "index_state").then(|| {
            looks += 1;
            Ok(match looks {
                1 => Vec::new(),
                2 => vec![row(&["invalid", "s.i"])],
                _ => vec![row(&["valid", "s.i"])],
            })
        })
    });
    assert!(outcome.is_ok() && count(&sent, INDEX) == 2 && count(&sent, "drop index") == 1, "{sent:?}");

    let mut looks = 0;
    let (_, outcome) = drive(&mut up(&[("1_a.up.sql", INDEX)]), |name| {
        (name == "index_state").then(|| {
            looks += 1;
            Ok(vec![row(&["invalid", "s.i"])])
        })
    });
    assert_eq!(outcome.expect_err("never valid").sqlstate(), "55000");
}

#[test]
fn what_a_broken_reindex_left_is_dropped_before_the_next_one() {
    let mut looks = 0;
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", REINDEX)]), |name| match name {
        "intent" => Some(Ok(vec![row(&["747"])])),
        "index_leftovers" => {
            looks += 1;
            Some(Ok((looks == 1).then(|| row(&["s.i_ccnew"])).into_iter().collect()))
        }
        _ => None,
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert!(at(&sent, "drop index concurrently if exists s.i_ccnew") < at(&sent, REINDEX), "{sent:?}");
}

#[test]
fn a_detach_that_broke_is_finalized_and_one_that_is_done_is_taken() {
    let begun = |state: Option<&'static str>| {
        let mut answers = resumed(vec![row(&["1", "1", &sum(DETACH), "running"])], None);
        drive(&mut up(&[("1_a.up.sql", DETACH)]), move |name| match name {
            "detach_state" => Some(Ok(state.map(|state| row(&[state])).into_iter().collect())),
            other => answers(other),
        })
    };
    let (sent, outcome) = begun(Some("pending"));
    let finalized = at(&sent, "alter table p detach partition q finalize");
    assert!(
        outcome.is_ok() && at(&sent, DETACH).is_none() && at(&sent, "lock_timeout") < finalized,
        "{sent:?}"
    );
    let (sent, outcome) = begun(Some("attached"));
    assert!(outcome.is_ok() && at(&sent, DETACH).is_some(), "{sent:?}");
    let (sent, outcome) = begun(None);
    assert!(outcome.is_ok() && at(&sent, "alter table").is_none(), "{sent:?}");
}

#[test]
fn a_deadlock_of_an_index_build_is_tried_again() {
    let mut deadlocks = 2;
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", INDEX)]), |name| {
        if name != INDEX || deadlocks == 0 {
            return None;
        }
        deadlocks -= 1;
        broken("40P01", "deadlock detected")
    });
    assert!(outcome.is_ok() && count(&sent, INDEX) == 3 && count(&sent, "index_state") == 4, "{sent:?}");
}

#[test]
fn a_concurrent_build_on_a_partitioned_table_has_a_hint() {
    let (_, outcome) = drive(&mut up(&[("1_a.up.sql", INDEX)]), |name| {
        if name == INDEX {
            broken("0A000", "cannot create index on partitioned table \"t\" concurrently")
        } else {
            None
        }
    });
    assert!(outcome.expect_err("refused").get_hint().is_some_and(|hint| hint.contains("attach partition")));
}

#[test]
fn a_look_from_outside_tells_who_is_in_the_way_and_how_far_it_is() {
    let mut run = up(&[("1_a.up.sql", INDEX)]);
    while !matches!(run.current, Some(Task::Statement(..))) {
        match run.turn() {
            Next::Run(statement) if called(&statement) == INDEX => {}
            Next::Run(statement) => run.replied(calm(&called(&statement))),
            Next::Together(all) => all.iter().for_each(|statement| run.replied(calm(&called(statement)))),
            Next::Done(outcome) => panic!("{outcome:?}"),
            _ => {}
        }
    }
    assert_eq!(called(&run.look()), "watch");
    assert!(run.rhythm().is_some_and(|rhythm| rhythm.pause(0) < rhythm.pause(1)));
    let index = |done: &str| row(&["index", "building index: scanning table", done, "400", "0", "0"]);
    run.looked(&[index("100")], Duration::from_secs(10));
    let told = run.looked(&[row(&["blocker", "pid 7 (ann)"]), index("200")], Duration::from_secs(20));
    let told: Vec<String> = told.iter().map(Event::text).collect();
    let progress = "building index: scanning table, 50.0 %, 200 of 400 blocks, about 20 s left";
    assert_eq!(told, [progress, "waiting for pid 7 (ann)"]);
}
