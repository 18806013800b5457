-- status: every version of a pack, as strata.migration_status tells it; none where the pack is unknown.
-- $1 text pack
-- rows: version, name, phase, phase_name, state, applied_at, execution_time_ms, sqlstate, error_message, checksum; all text
select s.version::text, s.name, s.phase::text, s.phase_name, s.state,
       to_char(s.applied_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'), s.execution_time_ms::text,
       s.sqlstate, s.error_message, m.checksum
from strata.pack p
cross join strata.migration_status(p.name) s
join strata.migration m on m.pack = p.name and m.version = s.version
where p.name = $1::text
order by s.version
