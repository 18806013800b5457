//! The contract of the Aurum pack: the old soft-delete columns go when that is signed, and come back with what they said.

use strata_tests::{Database, Strata, aurum, aurum::Vectors};

fn contracted() -> (Database, Strata) {
    let database = aurum::migrated();
    let strata = aurum::strata(&database, Vectors::Local);
    aurum::sign_contract(&strata);
    strata.run(&["up"]).ok();
    (database, strata)
}

const OLD: &str = "select coalesce(string_agg(id || ' ' || coalesce(deleted::text, '-') || ' ' || coalesce(deleted_at::text, '-'), ',' order by id), '')
                   from journal_entries";

#[test]
fn every_value_comes_back_and_what_people_did_meanwhile_is_told_to_the_old_columns() {
    let before: String = aurum::migrated().value(OLD);
    assert!(before.contains(" true "), "some entries are deleted");
    let (database, strata) = contracted();
    assert_eq!(database.refusal("select deleted from journal_entries").0, "42703");
    strata.run(&["down", "1"]).ok();
    assert_eq!(database.value::<String>(OLD), before);

    strata.run(&["up"]).ok();
    database.run(
        "create table chosen as (select id, archived from journal_entries where not archived order by id limit 1)
                   union all (select id, archived from journal_entries where archived order by id limit 1);
         update journal_entries j set archived = not j.archived, archived_at = case when j.archived then null else timestamptz '2026-01-02 03:04Z' end
         from chosen c where c.id = j.id;
         insert into journal_entries (user_id, content) select id, 'Written meanwhile' from auth.users limit 1",
    );
    strata.run(&["verify"]).ok();
    let edited = "select string_agg(id || updated_at::text, ',' order by id) from journal_entries";
    let updated: String = database.value(edited);
    strata.run(&["down", "1"]).ok();
    let differ = "select count(*) from journal_entries where coalesce(deleted, false) <> archived or deleted and deleted_at is distinct from archived_at";
    assert_eq!(database.value::<i64>(&format!("{differ} and id in (select id from chosen)")), 0);
    assert_eq!(database.value::<String>(edited), updated, "a way back is no edit");
    database.run("update journal_entries set deleted = false where id in (select id from chosen)");
    assert!(
        database
            .value::<bool>("select bool_and(not j.archived) from journal_entries j join chosen using (id)"),
        "in step again"
    );
}

#[test]
fn a_search_leaves_out_the_same_entries_before_and_after() {
    let hidden =
        "select count(*) from strata.source where entity_type = 'journal_entry' and hidden_column = ";
    let (database, strata) = contracted();
    assert_eq!(database.value::<i64>(&format!("{hidden} 'archived'")), 1);
    strata.run(&["down", "1"]).ok();
    assert_eq!(database.value::<i64>(&format!("{hidden} 'deleted'")), 1);
}

#[test]
fn once_it_is_cleaned_up_it_cannot_be_taken_back_and_still_verifies() {
    let (database, strata) = contracted();
    strata.run(&["sign-off", "finalize", "--reason", "two quiet weeks"]).ok();
    let checks = "select string_agg(check_name || ': ' || actual, '; ') from strata.verify_migration_integrity('aurum') where not ok";
    strata.run(&["push"]).ok();
    assert_eq!(database.value::<Option<String>>(checks), None);
    assert_eq!(strata.run(&["finalize", "--yes"]).ok().stdout, "1 copy removed\n");
    strata.run(&["verify"]).ok();
    assert_eq!(database.value::<Option<String>>(checks), None);
    strata.run(&["down", "1"]).exits(27).says(&["version 12 (drop_old_soft_delete) cannot be taken back"]);
}
