-- retry_dead: queues the dead jobs of a source again, of all sources for null, with all attempts before them. Answers
-- how many. Raises 42704 (no such source).
create function strata.retry_dead(entity_type text default null) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    revived int;
begin
    if entity_type is not null
       and not exists (select from strata.source s where s.entity_type = retry_dead.entity_type) then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source';
    end if;
    update strata.job j
    set state = 'queued', attempts = 0, fence = j.fence + 1, not_before = clock_timestamp(), error = null,
        failing_since = null, updated_at = clock_timestamp()
    where (j.entity_type, j.entity_id, j.model) in (
        select d.entity_type, d.entity_id, d.model from strata.job d
        where d.state = 'dead' and (retry_dead.entity_type is null or d.entity_type = retry_dead.entity_type)
        for update skip locked);
    get diagnostics revived = row_count;
    perform strata.wake_workers();
    return revived;
end
$$;
revoke execute on function strata.retry_dead from public;
