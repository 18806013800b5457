-- begin_step: the intent of a step, committed before it runs. A version's first step of an attempt opens its history.
-- Before a step outside of transactions its commit waits for the disk. Before a transaction it need not: that one's commit
-- stands behind it in the log, so nothing of a step outlives its intent. Returns whether the operator has asked the run to stop.
-- Raises ST006 (a newer attempt has taken the run over).
create function strata.begin_step(
    run uuid, attempt int, version bigint, number int, steps int, kind text, summary text, checksum text, first boolean)
returns boolean language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    this record;
begin
    update strata.run r
    set heartbeat_at = clock_timestamp()
    where r.id = $1 and r.attempt = $2 and r.state = 'running'
    returning r.pack, r.direction, r.cancel_asked_at is not null as stop into this;
    if not found then
        raise exception 'another executor has taken the run over' using errcode = 'ST006';
    end if;
    if $6 = 'transaction' then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    insert into strata.run_step as s (run, version, number, steps, kind, summary, checksum, state, attempt)
    values ($1, $3, $4, $5, $6, $7, $8, 'running', $2)
    on conflict on constraint run_step_pkey do update
        set steps = excluded.steps, kind = excluded.kind, summary = excluded.summary, checksum = excluded.checksum,
            state = 'running', attempt = excluded.attempt, started_at = clock_timestamp(), finished_at = null,
            sqlstate = null, message = null, detail = null, hint = null, context = null;
    update strata.migration m
    set state = case this.direction when 'up' then 'applying' else 'reverting' end,
        applied_at = case this.direction when 'up' then null else coalesce(m.applied_at, clock_timestamp()) end
    where m.pack = this.pack and m.version = $3
      and (m.state not in ('applying', 'reverting') or m.state = 'applying' and this.direction = 'down');
    if first then
        insert into strata.history (pack, version, name, direction, event, run, attempt)
        select m.pack, m.version, m.name, this.direction, 'started', $1, $2
        from strata.migration m
        where m.pack = this.pack and m.version = $3;
    end if;
    return this.stop;
end
$$;
revoke execute on function strata.begin_step(uuid, int, bigint, int, int, text, text, text, boolean) from public;
