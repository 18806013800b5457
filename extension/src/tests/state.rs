//! The state of migrations: history, status, version.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    fn pack() {
        alone();
        run("insert into strata.pack (name, title, manifest)
                 values ('p', 'P', '{\"phases\": [{\"number\": 1, \"name\": \"One\"}]}');
             insert into strata.migration (pack, version, name, phase, state, checksum, applied_at)
                 values ('p', 1, 'first', 1, 'applied', 'x', now()), ('p', 2, 'second', 2, 'pending', 'y', null);
             insert into strata.history (pack, version, name, direction, event, attempt, at, sqlstate, message) values
                 ('p', 1, 'first', 'up', 'started', 1, '2026-01-01 00:00:00+00', null, null),
                 ('p', 1, 'first', 'up', 'failed', 1, '2026-01-01 00:00:01+00', '23514', 'check violated'),
                 ('p', 1, 'first', 'up', 'started', 2, '2026-01-01 00:01:00+00', null, null),
                 ('p', 1, 'first', 'up', 'succeeded', 2, '2026-01-01 00:01:00.25+00', null, null)");
    }

    #[pg_test]
    fn history_can_only_grow() {
        tables();
        pack();
        for sql in
            ["update strata.history set name = 'x'", "delete from strata.history", "truncate strata.history"]
        {
            let verb = sql.split(' ').next().unwrap_or_default();
            assert_eq!(refusal(sql), format!("55000 strata.history is append-only: {verb} refused"));
        }
    }

    #[pg_test]
    fn every_attempt_is_one_line_of_the_history() {
        pack();
        assert_eq!(
            list(
                "select h.success || ':' || h.execution_time_ms || ':' || coalesce(h.sqlstate, '-') from strata.migration_history h order by h.id"
            ),
            "false:1000:23514 true:250:-"
        );
    }

    #[pg_test]
    fn the_status_tells_where_each_version_stands() {
        pack();
        assert_eq!(
            list("select s.version || ':' || s.state || ':' || coalesce(s.phase_name, '-') || ':' || coalesce(s.execution_time_ms, -1)
                  from strata.migration_status('p') s"),
            "1:applied:One:250 2:pending:-:-1"
        );
        assert_eq!(ask("select strata.migration_version('p')"), "1");
        assert_eq!(ask("select strata.migration_version('nobody')"), "null");
    }

    #[pg_test]
    fn an_unknown_pack_has_no_status() {
        tables();
        assert_eq!(
            refusal("select strata.migration_status('nope')"),
            "42704 pack \"nope\" is not known here"
        );
    }

    #[pg_test]
    fn a_pack_has_one_live_run() {
        tables();
        pack();
        run("insert into strata.run (pack, direction, state) values ('p', 'up', 'running')");
        assert!(
            refusal("insert into strata.run (pack, direction, state) values ('p', 'down', 'queued')")
                .starts_with("23505")
        );
    }
}
