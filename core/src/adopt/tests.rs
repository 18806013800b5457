//! Which ledger is whose, and what a difference means.

use super::*;
use std::slice::from_ref;

fn pack(manifest: Option<&str>, names: &[&str]) -> Pack {
    let files = names.iter().map(|name| ((*name).to_owned(), "select 1".to_owned())).collect();
    Pack::read("app", manifest, files).expect("a pack")
}

fn bare() -> Pack {
    pack(None, &["1_a.up.sql", "2_b.up.sql", "3_c.up.sql"])
}

fn golang(version: Option<&str>) -> Ledger {
    let table = ("public".to_owned(), "schema_migrations".to_owned());
    let recorded = version.map(str::to_owned).into_iter().collect();
    let (rank, bound, dirty) = (0, false, false);
    Ledger { tool: Tool::GolangMigrate, table, rank, bound, state: "idle".to_owned(), recorded, dirty }
}

fn supabase(versions: &[&str]) -> Ledger {
    let table = ("supabase_migrations".to_owned(), "schema_migrations".to_owned());
    let recorded = versions.iter().map(|v| (*v).to_owned()).collect();
    Ledger { tool: Tool::Supabase, table, rank: 2, recorded, ..golang(None) }
}

fn bound(ledger: Ledger) -> Ledger {
    Ledger { bound: true, ..ledger }
}

fn known(pack: &Pack, states: &[(i64, &str)]) -> Vec<Known> {
    let known = |(version, state): &(i64, &str)| {
        let state = (*state).to_owned();
        Known { state, ..Known::adopted(pack.migration(*version).expect("in the pack")) }
    };
    states.iter().map(known).collect()
}

fn found(pack: &Pack, ledgers: &[Ledger]) -> Result<Adoption, Error> {
    decide(pack, &[], ledgers, &Wish::Find)
}

#[test]
fn a_bare_folder_takes_over_everything_up_to_the_version() {
    let (pack, ledger) = (bare(), golang(Some("2")));
    assert_eq!(found(&pack, from_ref(&ledger)), Ok(Adoption::Adopt(ledger, vec![1, 2])));
    let empty = golang(None);
    assert_eq!(found(&pack, from_ref(&empty)), Ok(Adoption::Adopt(empty, Vec::new())));
    assert_eq!(found(&pack, &[]), Ok(Adoption::Nothing));
}

#[test]
fn a_version_without_a_file_is_refused_and_named() {
    let err = found(&bare(), &[golang(Some("7"))]).expect_err("no such file");
    assert_eq!(err.kind(), Kind::Changed);
    assert!(
        err.to_string().starts_with("public.schema_migrations has version 7, which has no file"),
        "{err}"
    );
}

#[test]
fn a_described_pack_does_not_take_small_numbers_for_its_own() {
    let manifest = "name='other'\ntitle='Other'";
    let small = pack(Some(manifest), &["1_a.up.sql", "2_b.up.sql"]);
    let err = found(&small, &[golang(Some("2"))]).expect_err("doubtful");
    assert_eq!(err.kind(), Kind::NotConfirmed);
    assert_eq!(found(&small, &[golang(Some("7"))]), Ok(Adoption::Nothing), "of another folder");
    assert_eq!(found(&small, &[golang(None)]), Ok(Adoption::Nothing));
    let dated = pack(Some(manifest), &["20240101120000_a.up.sql"]);
    let ledger = golang(Some("20240101120000"));
    assert_eq!(found(&dated, from_ref(&ledger)), Ok(Adoption::Adopt(ledger, vec![20240101120000])));
}

#[test]
fn the_manifest_or_the_caller_decides_what_is_doubtful() {
    let said = |ledger: &str| {
        let manifest = format!("name='other'\ntitle='Other'\nledger='{ledger}'");
        pack(Some(&manifest), &["1_a.up.sql", "2_b.up.sql"])
    };
    let ledger = golang(Some("2"));
    let adopt = |pack: &Pack| decide(pack, &[], from_ref(&ledger), &Wish::Find.of(pack));
    assert_eq!(adopt(&said("public.schema_migrations")), Ok(Adoption::Adopt(ledger.clone(), vec![1, 2])));
    assert_eq!(adopt(&said("none")), Ok(Adoption::Never));
    assert_eq!(Wish::Never.of(&said("public.schema_migrations")), Wish::Never);
    let named = |known: &[Known]| decide(&bare(), known, &[], &Wish::Table("x".into()));
    assert_eq!(named(&[]), Ok(Adoption::Begin("x".into())), "nobody has seen the database");
    let applied = known(&bare(), &[(1, "applied")]);
    assert_eq!(named(&applied).expect_err("not there").kind(), Kind::NotFound);
}

#[test]
fn of_two_ledgers_the_nearest_counts_and_two_as_near_are_refused() {
    let far = Ledger { rank: 2, table: ("b".into(), "schema_migrations".into()), ..golang(Some("3")) };
    let near = golang(Some("1"));
    assert_eq!(found(&bare(), &[far.clone(), near.clone()]), Ok(Adoption::Adopt(near, vec![1])));
    let other = Ledger { table: ("c".into(), "schema_migrations".into()), ..far.clone() };
    assert_eq!(found(&bare(), &[far, other]).expect_err("two").kind(), Kind::NotConfirmed);
}

#[test]
fn a_ledger_of_the_other_layout_is_left_alone() {
    assert_eq!(found(&bare(), &[supabase(&["20240101000000"])]), Ok(Adoption::Nothing));
    let folder = pack(None, &["20240101000000_a.sql", "20240102000000_b.sql"]);
    let ledger = supabase(&["20240102000000"]);
    assert_eq!(found(&folder, from_ref(&ledger)), Ok(Adoption::Adopt(ledger, vec![20240102000000])));
}

#[test]
fn dirty_is_refused_in_golang_migrates_words() {
    let dirty = Ledger { dirty: true, ..golang(Some("2")) };
    let err = found(&bare(), from_ref(&dirty)).expect_err("dirty");
    assert_eq!(
        (err.kind(), err.message()),
        (Kind::RepairNeeded, "Dirty database version 2. Fix and force version.")
    );
    let busy = Ledger { state: "busy".into(), ..dirty.clone() };
    assert_eq!(found(&bare(), &[busy]).expect_err("at work").kind(), Kind::Locked);
    let half = known(&bare(), &[(1, "applied"), (2, "applying")]);
    let ours = decide(&bare(), &half, &[bound(dirty)], &Wish::Find);
    assert_eq!(ours, Ok(Adoption::Nothing), "we have marked it ourselves");
}

#[test]
fn a_ledger_that_went_ahead_is_followed_and_one_that_went_back_is_not() {
    let pack = bare();
    let state = known(&pack, &[(1, "applied"), (2, "applied"), (3, "pending")]);
    let at = |version| decide(&pack, &state, &[bound(golang(version))], &Wish::Find);
    assert_eq!(at(Some("2")), Ok(Adoption::Nothing));
    assert_eq!(at(Some("3")), Ok(Adoption::Adopt(bound(golang(Some("3"))), vec![3])));
    for back in [Some("1"), None] {
        let err = at(back).expect_err("behind");
        assert!(err.kind() == Kind::Changed && err.message().contains("version 2 of pack app"), "{err}");
    }
    let gone = Ledger { state: "gone".into(), ..bound(golang(None)) };
    assert_eq!(decide(&pack, &state, &[gone], &Wish::Find).expect_err("gone").kind(), Kind::Changed);
}

#[test]
fn a_half_way_version_that_the_other_tool_calls_whole_is_not_believed() {
    let pack = bare();
    let half = known(&pack, &[(1, "applied"), (2, "applying")]);
    let err = decide(&pack, &half, &[bound(golang(Some("2")))], &Wish::Find).expect_err("forced");
    assert_eq!(err.kind(), Kind::RepairNeeded);
}

#[test]
fn rows_of_one_table_are_one_ledger() {
    let row = |version: &str| {
        let texts =
            ["supabase", "supabase_migrations", "schema_migrations", "2", "false", "idle", version, "false"];
        texts.map(|text| Some(text.to_owned())).to_vec()
    };
    assert_eq!(read(&[row("1"), row("20")]), [supabase(&["1", "20"])]);
    let mut empty = row("");
    empty[6] = None;
    assert_eq!(read(&[empty]), [supabase(&[])]);
}
