-- force_version: says where a pack stands, without running anything: versions up to this one are applied, later ones are
-- not. For the day on which somebody has repaired a database by hand. Written into the history, with the reason.
-- Zero: none is applied. Returns how many versions it moved.
-- Raises 22023 (no reason), 42704 (pack, version), 55P03 (an executor is at work).
create function strata.force_version(pack text, version bigint, reason text) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    moved int;
begin
    if coalesce(trim(reason), '') = '' then
        raise exception 'a version is not forced without a reason'
            using errcode = '22023', hint = 'say why: it is kept in strata.history';
    end if;
    if not exists (select from strata.pack p where p.name = force_version.pack) then
        raise exception 'pack "%" is not known here', pack using errcode = '42704', hint = 'look into strata.pack';
    end if;
    if version is null or version <> 0 and not exists (
        select from strata.migration m where m.pack = force_version.pack and m.version = force_version.version) then
        raise exception 'pack "%" has no version %', pack, coalesce(version::text, 'null')
            using errcode = '42704', hint = 'look into strata.migration_status(''' || pack || ''')';
    end if;
    if not pg_try_advisory_xact_lock(hashtextextended('strata/' || pack, 0)) then
        raise exception 'pack "%" is being moved', pack
            using errcode = '55P03', hint = 'look into strata.run; strata.cancel_run stops a run';
    end if;
    update strata.run r
    set state = 'cancelled', finished_at = clock_timestamp()
    where r.pack = force_version.pack and r.state in ('queued', 'running', 'waiting');
    delete from strata.phase_passed p
    where p.pack = force_version.pack and p.phase > coalesce((
        select m.phase from strata.migration m
        where m.pack = force_version.pack and m.version = force_version.version), 0);
    -- What another tool believes is not asked: the operator says how it is.
    perform strata.reset_ledger(pack);
    with wanted as (
        select m.version, m.name, case when m.version <= force_version.version then 'applied' else 'pending' end as state,
               coalesce(f.checksum, m.checksum) as checksum
        from strata.migration m
        left join strata.pack_file f
            on f.pack = m.pack and f.name ~ '^[0-9]+_([^.]*|.*\.up)\.sql$' and ltrim(split_part(f.name, '_', 1), '0') = m.version::text
        where m.pack = force_version.pack
    ), marked as (
        update strata.migration m
        set state = w.state, checksum = w.checksum,
            applied_at = case w.state when 'applied' then coalesce(m.applied_at, clock_timestamp()) end
        from wanted w
        where m.pack = force_version.pack and m.version = w.version and m.state <> w.state
        returning m.version, m.name, m.state
    ), told as (
        insert into strata.history (pack, version, name, direction, event, message)
        select force_version.pack, k.version, k.name, case k.state when 'applied' then 'up' else 'down' end, 'forced', reason
        from marked k
        order by k.version
        returning id
    )
    select count(*)::int into moved from told;
    return moved;
end
$$;
revoke execute on function strata.force_version(text, bigint, text) from public;
