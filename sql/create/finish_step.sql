-- finish_step: the outcome of a step that went well; of a step in a transaction it is committed together with what the step
-- did. The last step of a version marks it; on the way down the phases without migrations behind it are before the pack
-- again. The commit of a transaction does not wait for the disk, nor for a standby: whoever waits for its locks would wait
-- with it. The server's log writer is behind by three times wal_writer_delay at most (0.6 s); whatever else commits brings
-- it down at once, and so does the end of the run. A power failure in between loses steps and their outcomes together.
-- Raises ST006 (a newer attempt has taken the run over), which the step does not survive.
create function strata.finish_step(run uuid, attempt int, version bigint, number int, last boolean)
returns void language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    this record;
begin
    update strata.run_step s
    set state = 'done', finished_at = clock_timestamp()
    from strata.run r
    where r.id = $1 and r.attempt = $2 and r.state = 'running'
      and s.run = r.id and s.version = $3 and s.number = $4 and s.attempt = r.attempt
    returning r.pack, r.direction, s.kind into this;
    if not found then
        raise exception 'another executor has taken the run over' using errcode = 'ST006';
    end if;
    if this.kind <> 'alone' then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    if not last then
        return;
    end if;
    with mark as (
        update strata.migration m
        set state = case this.direction when 'up' then 'applied' else 'pending' end,
            applied_at = case this.direction when 'up' then clock_timestamp() end
        where m.pack = this.pack and m.version = $3
        returning m.version, m.name
    )
    insert into strata.history (pack, version, name, direction, event, run, attempt)
    select this.pack, m.version, m.name, this.direction, 'succeeded', $1, $2 from mark m;
    if this.direction = 'down' then
        delete from strata.phase_passed p
        using strata.migration m
        where p.pack = this.pack and m.pack = this.pack and m.version = $3 and p.phase > m.phase;
    end if;
end
$$;
revoke execute on function strata.finish_step(uuid, int, bigint, int, boolean) from public;
