-- status: every version of a pack, as strata.migration_status tells it; none where the pack is unknown.
-- $1 text pack
-- rows: version, name, phase, phase_name, state, applied_at, execution_time_ms, sqlstate, error_message; all text
select s.version::text, s.name, s.phase::text, s.phase_name, s.state,
       to_char(s.applied_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'), s.execution_time_ms::text,
       s.sqlstate, s.error_message
from strata.pack p, strata.migration_status(p.name) s
where p.name = $1::text
order by s.version
