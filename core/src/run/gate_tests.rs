//! Gates against a list of answers: what lets a phase in, what is verified before, what waits.

use super::*;

#[test]
fn an_open_gate_lets_the_phase_in_and_a_closed_one_makes_the_run_wait() {
    let manifest = "name='p'\ntitle='P'\n[[phase]]\nnumber=1\nname='one'\nmigrations=[1]\n\
                    [[phase]]\nnumber=2\nname='two'\nmigrations=[2]\nneeds=['embedded']";
    let files = ["1_a.up.sql", "2_b.up.sql"].map(|n| (n.to_owned(), format!("select '{n}'"))).to_vec();
    let pack = Pack::read("p", Some(manifest), files).expect("a pack");
    let request = Request::new(Direction::Up, Target::All);
    let missing = "embeddings of task: 12 missing, 0 waiting, 0 dead";
    let mut run = Run::new(pack.clone(), request.clone());
    let (sent, outcome) = drive(&mut run, |name| {
        (name == "gate").then(|| Ok(vec![row(&["2.embedded", "gate", "open", missing])]))
    });
    let err = outcome.expect_err("closed");
    assert_eq!(err.to_string(), format!("the gate of phase 2 (two) is not met: {missing}"));
    assert_eq!(err.kind(), Kind::GateNotMet);
    assert!(err.get_hint().is_some_and(|hint| hint.contains("strata embed")));
    assert!(
        sent.contains(&"select '1_a.up.sql'".to_owned()) && !sent.contains(&"select '2_b.up.sql'".to_owned())
    );
    assert_eq!(sent[sent.len() - 2..], ["run_end", "unlock"]);

    let (sent, outcome) = drive(&mut Run::new(pack, request), |name| {
        (name == "gate").then(|| Ok(vec![row(&["2.embedded", "gate", "met", "0 missing"])]))
    });
    assert!(outcome.is_ok() && sent.contains(&"select '2_b.up.sql'".to_owned()));
}

/// Two versions, a phase without any behind them, and one that contracts.
fn gated() -> Pack {
    let phase = |number: i64, more: &str| format!("[[phase]]\nnumber={number}\nname='n{number}'\n{more}\n");
    let manifest = format!(
        "name='p'\ntitle='P'\n{}{}{}",
        phase(1, "migrations=[1]"),
        phase(2, "needs=['embedded']"),
        phase(3, "migrations=[2]\ncontract=true\nsign={dba='a DBA is there'}")
    );
    let files = [("1_a.up.sql", "select 1"), ("1_a.verify.sql", "select 'one'"), ("2_b.up.sql", "select 2")];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Pack::read("p", Some(&manifest), files.to_vec()).expect("a pack")
}

fn checks(name: &str) -> Option<Reply> {
    name.starts_with("select 'one'").then(|| Ok(vec![row(&["one", "1", "1", "t"])]))
}

#[test]
fn a_phase_without_migrations_is_passed_when_its_gate_is_met() {
    let mut run = Run::new(gated(), Request::new(Direction::Up, Target::Phase(2)));
    let (sent, outcome) = drive(&mut run, checks);
    let at = |name: &str| sent.iter().position(|s| s == name);
    assert!(at("migration_done") < at("gate") && at("gate") < at("phase_passed"), "{sent:?}");
    assert!(at("phase_passed") < at("run_end"), "{sent:?}");
    let report = outcome.expect("met");
    assert_eq!((report.passed, report.moved.len()), (vec![2], 1));
}

#[test]
fn a_phase_that_was_passed_is_not_asked_again_and_nothing_else_is_to_do() {
    let applied = |name: &str| match name {
        "phases_passed" => Some(Ok(vec![row(&["2"])])),
        "migrations" => Some(Ok(vec![row(&["1", "a", "applied", &crate::pack::checksum("select 1")])])),
        _ => None,
    };
    let mut run = Run::new(gated(), Request::new(Direction::Up, Target::Phase(2)));
    let (sent, outcome) = drive(&mut run, applied);
    assert_eq!(sent, ["variables", "phases_passed", "migrations", "ledgers"]);
    assert_eq!(outcome.expect("nothing to do"), Report::default());
}

#[test]
fn a_gate_at_the_end_that_is_not_met_lets_the_run_wait() {
    let mut run = Run::new(gated(), Request::new(Direction::Up, Target::Phase(2)));
    let (sent, outcome) = drive(&mut run, |name| {
        let open = || Ok(vec![row(&["2.embedded", "gate", "open", "12 missing"])]);
        checks(name).or_else(|| (name == "gate").then(open))
    });
    assert_eq!(outcome.expect_err("waits").kind(), Kind::GateNotMet);
    assert!(
        sent.contains(&"migration_done".to_owned()) && sent.ends_with(&["run_end".into(), "unlock".into()])
    );
    assert!(!sent.contains(&"phase_passed".to_owned()), "{sent:?}");
}

#[test]
fn before_a_contract_what_is_applied_is_verified_again_and_the_outcome_kept() {
    let mut run = Run::new(gated(), Request::new(Direction::Up, Target::All));
    let (sent, outcome) = drive(&mut run, checks);
    let done = sent.iter().position(|s| s == "phase_passed").expect("passed");
    let unlimited = "set local statement_timeout = 0";
    assert_eq!(
        sent[done + 1..done + 7],
        ["begin read only", unlimited, "select 'one'", "rollback", "checked", "gate"]
    );
    assert!(outcome.is_ok() && sent.contains(&"select 2".to_owned()), "{sent:?}");
}

#[test]
fn a_verification_that_fails_or_cannot_be_made_is_told_to_the_gate() {
    for reply in [Ok(vec![row(&["one", "1", "2", "f"])]), broken("42P01", "no such table").expect("broken")] {
        let mut run = Run::new(gated(), Request::new(Direction::Up, Target::All));
        let (mut kept, mut first) = (Vec::new(), true);
        let answer = |statement: &Statement| {
            let name = called(statement);
            let again = name.starts_with("select 'one'") && !std::mem::take(&mut first);
            if name == "checked" {
                kept = statement.params.clone();
            }
            let open = || Some(Ok(vec![row(&["3.verified", "verification", "open", "version 1: no"])]));
            let told = if name == "gate" && !kept.is_empty() { open() } else { None };
            let answer = if again { Some(reply.clone()) } else { checks(&name) };
            answer.or(told).unwrap_or_else(|| calm(&name))
        };
        let outcome = turned(&mut run, answer, || ());
        let error = outcome.expect_err("open");
        assert_eq!(error.to_string(), "the gate of phase 3 (n3) is not met: version 1: no");
        assert_eq!(kept[2], Value::Int(1));
        assert!(matches!(&kept[4], Value::Text(text) if text.starts_with("1_a.verify.sql: ")), "{kept:?}");
    }
}
