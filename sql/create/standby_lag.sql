-- standby_lag: which streaming standby replays later than the limits allow, in words; null: none. A null limit is none.
-- Definer's rights, since pg_stat_replication tells others nothing.
create function strata.standby_lag(max_lag interval, max_lag_bytes bigint) returns text
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    with standby as (
        select coalesce(nullif(s.application_name, ''), s.pid::text) as name, s.replay_lag as lag,
               case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), s.replay_lsn) end as bytes
        from pg_stat_replication s
        where s.state = 'streaming'
    )
    select coalesce(
        (select format('standby %s replays %s ms behind, more than %s', s.name, (extract(epoch from s.lag) * 1000)::bigint, $1)
         from standby s where s.lag > $1 order by s.lag desc limit 1),
        (select format('standby %s replays %s bytes behind, more than %s', s.name, s.bytes, $2)
         from standby s where s.bytes > $2 order by s.bytes desc limit 1))
$$;
revoke execute on function strata.standby_lag(interval, bigint) from public;
