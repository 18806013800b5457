-- session_text: a session in one line: pid, role, application, state, age of its transaction, statement. With the rights of
-- whoever asks: of a session of another role Postgres tells no more than pid and role, unless one is in pg_read_all_stats.
create function strata.session_text(pid int) returns text
language sql stable strict parallel restricted set search_path = pg_catalog, pg_temp as $$
    select coalesce((
        select format('pid %s (%s)%s', a.pid,
                   concat_ws(', ', a.usename, coalesce(nullif(a.application_name, ''), nullif(a.backend_type, 'client backend')),
                             a.state,
                             'transaction open for ' || extract(epoch from clock_timestamp() - a.xact_start)::int || ' s'),
                   ': ' || left(regexp_replace(nullif(a.query, ''), '\s+', ' ', 'g'), 120))
        from pg_catalog.pg_stat_activity a where a.pid = $1
    ), case $1 when 0 then 'a prepared transaction' else format('pid %s', $1) end)
$$;
