//! What contract phases keep, as one transaction sees it: refusals, tables, integrity. Procedures that commit, and runs,
//! are in `tests/tests/contract.rs`.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    fn pack() {
        run("insert into strata.pack (name, title, manifest) values ('p', 'P', '{\"phases\": [
                 {\"number\": 1, \"name\": \"One\", \"needs\": [\"verified\", \"signed\"], \"contract\": true}]}');
             insert into strata.migration (pack, version, name, phase, state, checksum, applied_at)
                 values ('p', 1, 'first', 1, 'applied', 'x', now())");
    }

    fn kept() -> String {
        list(
            "select concat_ws(':', k.relation, k.columns::text, k.state, k.rows) from strata.kept k order by k.id",
        )
    }

    #[pg_test]
    fn a_table_goes_and_comes_back_as_it_was() {
        tables();
        run("create role reader; grant select, insert on public.task to reader with grant option;
             insert into public.task (user_id, name) values (gen_random_uuid(), 'one');
             select strata.retire_table('public.task')");
        assert_eq!(kept(), "public.task:kept:1");
        assert_eq!(ask("select to_regclass('public.task')"), "null");
        run("select strata.retire_table('public.task')");
        assert_eq!(kept(), "public.task:kept:1", "a second time changes nothing");
        let usage = "select has_schema_privilege('reader', n.oid, 'usage') from pg_namespace n where n.nspname ~ '^strata_kept_'";
        assert_eq!(ask(usage), "false");
        run("select strata.restore_table('public.task')");
        assert_eq!(kept(), "public.task:restored:1");
        assert_eq!(ask("select count(*) from public.task"), "1");
        assert_eq!(
            ask("select has_table_privilege('reader', 'public.task', 'insert with grant option')"),
            "true"
        );
        assert_eq!(ask("select count(*) from pg_namespace where nspname ~ '^strata_kept_'"), "0");
        run("select strata.restore_table('public.task')");
    }

    #[pg_test]
    fn a_table_that_is_in_use_stays() {
        sources();
        assert_eq!(
            refusal("select strata.retire_table('public.nope')"),
            "42P01 relation \"public.nope\" does not exist"
        );
        assert_eq!(
            refusal("select strata.retire_table('public.task')"),
            "55000 relation public.task is the source \"task\""
        );
        run("create table public.other (x int); create view public.seen as select * from public.other");
        assert!(refusal("select strata.retire_table('public.other')").starts_with("2BP01 "));
        assert_eq!(ask("select count(*) from public.seen"), "0");
        assert_eq!(ask("select count(*) from strata.kept"), "0");
    }

    #[pg_test]
    fn what_could_not_come_back_is_not_retired() {
        sources();
        run("create table public.bare (x int); create table public.odd (id int primary key, n int generated always as identity,
                 twice int generated always as (id * 2) stored)");
        let cases = [
            ("'public.nope', array['x']", "42P01 relation \"public.nope\" does not exist"),
            ("'public.bare', array[]::text[]", "22023 no column of public.bare is named"),
            ("'public.bare', array['y']", "42703 column \"y\" of relation public.bare does not exist"),
            (
                "'public.bare', array['x']",
                "55000 relation public.bare has no primary key by which its values could come back",
            ),
            (
                "'public.odd', array['id']",
                "0A000 column \"id\" of relation public.odd is a key, an identity or generated, and cannot be retired",
            ),
            (
                "'public.odd', array['n']",
                "0A000 column \"n\" of relation public.odd is a key, an identity or generated, and cannot be retired",
            ),
            (
                "'public.odd', array['twice']",
                "0A000 column \"twice\" of relation public.odd is a key, an identity or generated, and cannot be retired",
            ),
            (
                "'public.task', array['notes']",
                "55000 source \"task\" reads a column of public.task that is to be retired",
            ),
        ];
        for (arguments, told) in cases {
            assert_eq!(refusal(&format!("select strata.begin_retire({arguments})")), told);
        }
        for call in ["retire", "restore"] {
            assert_eq!(
                refusal(&format!("call strata.{call}_columns('public.odd', array['x'], 0)")),
                "22023 batch must be at least 1 row, not 0"
            );
        }
    }

    #[pg_test]
    fn what_is_not_kept_cannot_come_back() {
        tables();
        assert_eq!(
            refusal("call strata.restore_columns('public.task', array['gone'])"),
            "42704 nothing is kept of columns {gone} of public.task"
        );
        assert_eq!(
            refusal("select strata.restore_table('public.gone')"),
            "42704 nothing is kept of public.gone"
        );
        run("select strata.restore_table('public.task')");
        run("insert into strata.kept (relation, columns, state, ended_at, ended_by) values
                 ('public.task', '{old}', 'finalized', '2026-01-02 03:04:05+00', 'ann'),
                 ('public.gone', null, 'finalized', '2026-01-02 03:04:05+00', 'ann')");
        assert!(
            refusal("call strata.restore_columns('public.task', array['old'])").starts_with(
                "55000 the copy of columns {old} of public.task was removed by ann at 2026-01-02"
            )
        );
        assert!(
            refusal("select strata.restore_table('public.gone')")
                .starts_with("55000 the copy of public.gone was removed")
        );
        run(
            "insert into strata.kept (relation, columns, state) values ('public.task', '{half}', 'restoring')",
        );
        assert_eq!(
            refusal("call strata.retire_columns('public.task', array['half'])"),
            "55000 columns {half} of public.task are half-way back"
        );
    }

    #[pg_test]
    fn integrity_names_what_is_not_as_it_should_be() {
        sources();
        pack();
        let bad = "select i.check_name || ' = ' || i.actual from strata.integrity('p') i where not i.ok";
        assert_eq!(ask(&format!("select count(*) from ({bad}) b")), "0");
        run("alter table public.note disable trigger strata_insert_note;
             alter table public.note add constraint short check (title <> '') not valid;
             insert into strata.migration (pack, version, name, phase, state, checksum) values ('p', 2, 'b', 1, 'applying', 'y');
             insert into strata.pack_file (pack, name, text, checksum) values ('p', '001_first.up.sql', '', 'other');
             insert into strata.run (pack, direction, state, finished_at) values ('p', 'up', 'succeeded', now());
             insert into strata.run_step (run, version, number, steps, kind, summary, checksum, state, attempt)
                 select id, 1, 1, 1, 'transaction', '', '', 'running', 1 from strata.run;
             update pg_index set indisvalid = false where indexrelid = 'public.note_pkey'::regclass;
             create table public.spare (x int); insert into public.spare values (1);
             select strata.retire_table('public.spare')");
        run("update strata.kept set pack = 'p'");
        let copy = ask("select k.copy from strata.kept k");
        run(&format!("insert into {copy} values (2)"));
        assert_eq!(
            list(&format!("select replace(b, ' ', '_') from ({bad}) s(b)")),
            "versions_half-way_=_p_2_applying applied_files_that_changed_or_are_gone_=_p_1 \
             steps_that_run_without_an_executor_=_p_1_step_1 invalid_indexes_=_public.note_pkey \
             constraints_that_are_not_validated_=_short_of_public.note \
             sources_whose_triggers_are_disabled_or_gone_=_note:_insert rows_kept_of_public.spare_=_2"
        );
    }

    #[pg_test]
    fn a_clean_up_verifies_first_and_needs_its_signature() {
        tables();
        pack();
        let finalize = "select strata.finalize_migration_cleanup('p')";
        assert!(
            refusal("select strata.finalize_migration_cleanup('q')")
                .starts_with("42704 pack \"q\" is not known here")
        );
        assert!(
            refusal("select strata.verify_migration_integrity('q')")
                .starts_with("42704 pack \"q\" is not known here")
        );
        assert!(refusal(finalize).starts_with("ST004 pack p: files of pack p: expected in this database"));
        assert!(
            refusal("select strata.drop_kept('p')")
                .starts_with("ST009 the clean-up of pack \"p\" is not signed: finalize is not signed")
        );
        run("select strata.push_pack(jsonb_build_object('name', 'e', 'files', jsonb_build_array(jsonb_build_object(
                 'name', '1_a.up.sql', 'text', '', 'sha256', encode(sha256(''), 'hex')))))");
        let bad = "select string_agg(check_name || actual, ', ') from strata.verify_migration_integrity('e') where not ok";
        assert_eq!(ask(bad), "null");
        assert_eq!(
            refusal("select strata.finalize_migration_cleanup('e')"),
            "ST009 the clean-up of pack e is not signed: it has no contract phase, so nothing is kept"
        );
        assert_eq!(ask("select count(*) = 7 from strata.verify_migration_integrity()"), "true");
    }
}
