//! Stops and cancels: what still ends, what is told, who goes on.

use super::*;

#[test]
fn a_stop_lets_the_version_end_and_the_run_be_cancelled() {
    let mut run = up(&[("1_a.up.sql", "select 1"), ("2_b.up.sql", "select 2")]);
    run.stop();
    let (sent, outcome) = drive(&mut run, |_| None);
    assert_eq!(outcome.expect_err("stopped").kind(), Kind::Interrupted);
    assert!(sent.ends_with(&["run_end".into(), "unlock".into()]) && !sent.contains(&"begin".to_owned()));
}

#[test]
fn a_run_that_is_handed_back_waits_for_another_executor() {
    let mut run = up(&[("1_a.up.sql", "select 1"), ("2_b.up.sql", "select 2")]);
    run.hand_back();
    let mut left = Vec::new();
    let answer = |statement: &Statement| {
        let name = called(statement);
        if name == "run_end" {
            left.push(statement.params[2].clone());
        }
        calm(&name)
    };
    let outcome = turned(&mut run, answer, || ());
    assert_eq!((outcome.expect_err("stopped").kind(), left), (Kind::Interrupted, vec!["queued".into()]));
}

#[test]
fn a_cancel_is_heard_between_two_steps_and_in_a_pause() {
    for locked in [false, true] {
        let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", "drop table t")]), |name| match name {
            "drop table t" if locked => broken("55P03", "lock timeout"),
            "step_start" if !locked => Some(Ok(vec![row(&["true"])])),
            "stop_asked" => Some(Ok(vec![row(&["true"])])),
            _ => None,
        });
        let error = outcome.expect_err("cancelled");
        assert!(
            error.kind() == Kind::Interrupted && error.message().contains("version 1 (a) step 1"),
            "{error}"
        );
        assert!(sent.ends_with(&[RESET.into(), "step_failed".into(), "unlock".into()]), "{sent:?}");
        assert_eq!(sent.iter().filter(|s| *s == "drop table t").count(), usize::from(locked), "{sent:?}");
    }
}

#[test]
fn a_cancelled_statement_is_the_operators_doing_if_the_run_says_so() {
    for (asked, kind, state) in [
        ("true", Kind::Interrupted, "cancelled"),
        ("false", Kind::Failed, "failed"),
        ("?", Kind::Failed, "failed"),
    ] {
        let mut run = up(&[("1_a.up.sql", "select pg_sleep(60)")]);
        let mut ended = Value::Null;
        let mut sent = Vec::new();
        let answer = |statement: &Statement| {
            let name = called(statement);
            let reply = match name.as_str() {
                "select pg_sleep(60)" => broken("57014", "canceling statement").expect("broken"),
                "stop_asked" if asked == "?" => broken("42501", "denied").expect("broken"),
                "stop_asked" => Ok(vec![row(&[asked])]),
                _ => calm(&name),
            };
            if name == "step_failed" {
                ended = statement.params[9].clone();
            }
            sent.push(name);
            reply
        };
        let outcome = turned(&mut run, answer, || ());
        assert_eq!(outcome.expect_err("stopped").kind(), kind);
        assert_eq!(ended, Value::from(state), "{sent:?}");
        let reset = RESET;
        assert!(sent.ends_with(&[reset.into(), "step_failed".into(), "unlock".into()]), "{sent:?}");
    }
}

#[test]
fn a_cancel_that_meets_the_books_does_not_keep_them_from_being_kept() {
    for cancels in [1, 9] {
        let mut left = cancels;
        let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", "select 1")]), |name| match name {
            "step_start" => Some(Ok(vec![row(&["true"])])),
            "step_failed" if left > 0 => {
                left -= 1;
                broken("57014", "canceling statement due to user request")
            }
            _ => None,
        });
        assert_eq!(outcome.expect_err("cancelled").kind(), Kind::Interrupted);
        let tries = sent.iter().filter(|name| *name == "step_failed").count();
        assert_eq!(tries, if cancels == 1 { 2 } else { 4 }, "{sent:?}");
        assert_eq!(sent.last().map(String::as_str), Some("unlock"));
    }
}
