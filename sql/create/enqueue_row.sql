-- enqueue_row: the trigger function of a partitioned source for one row that was inserted or updated, with the entity
-- type as its argument; its WHEN clause has found that the row may want a job. A job too many costs nothing: the claim ends
-- those of rows that have neither text nor vector. SECURITY DEFINER, and touches strata.job alone: see strata.enqueue.
create function strata.enqueue_row() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s  strata.source;
    id uuid;
begin
    select * into s from strata.source x where x.entity_type = tg_argv[0];
    if s.entity_type is not null then
        execute format('select ($1).%I', s.key_column) into id using new;
        perform strata.queue_jobs(s, array[id]);
    end if;
    return null;
end
$$;
revoke execute on function strata.enqueue_row from public;
