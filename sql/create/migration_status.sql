-- migration_status: every version of a pack, in order, with where it stands. The error is that of its last attempt, unless
-- somebody has said since how it is.
create function strata.migration_status(pack text)
returns table (
    version bigint, name text, phase int, phase_name text, state text,
    applied_at timestamptz, execution_time_ms int, sqlstate text, error_message text
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    if not exists (select from strata.pack p where p.name = migration_status.pack) then
        raise exception 'pack "%" is not known here', migration_status.pack
            using errcode = '42704', hint = 'run "strata up --pack ' || migration_status.pack || '" or look into strata.pack';
    end if;
    return query
    select m.version, m.name, m.phase, f.phase ->> 'name', m.state, m.applied_at,
           h.execution_time_ms, h.sqlstate, h.error_message
    from strata.migration m
    join strata.pack p on p.name = m.pack
    left join lateral (
        select e as phase from jsonb_array_elements(p.manifest -> 'phases') e
        where (e ->> 'number')::int = m.phase
    ) f on true
    left join lateral (
        select a.execution_time_ms, a.sqlstate, a.error_message
        from strata.migration_history a
        where a.pack = m.pack and a.version = m.version and m.state <> 'pending'
          and not exists (select from strata.history f
                          where f.pack = a.pack and f.version = a.version and f.id > a.id and f.event in ('forced', 'adopted'))
        order by a.id desc
        limit 1
    ) h on true
    where m.pack = migration_status.pack
    order by m.version;
end
$$;
