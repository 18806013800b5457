-- enqueue_statement: the template behind strata.enqueue, for INSERT or UPDATE. %1$I key, %2$I vector, %3$s and %4$s the
-- text of a new row n and of an old row o; $1 entity type, $2 model. A job that exists goes back to the start of its
-- life, with a fence that no holder has.
create function strata.enqueue_statement(operation text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select 'with changed as ('
        || case operation
           when 'INSERT' then $q$
    select n.%1$I as id, true as wanted from new_rows n where (n.%2$I is null) = (%3$s <> '')
), gone as (select null::uuid as id where false$q$
           else $q$
    select n.%1$I as id, (%3$s <> '' or n.%2$I is not null) as wanted
    from new_rows n left join old_rows o on o.%1$I = n.%1$I
    where %3$s <> %4$s or (n.%2$I is null and o.%2$I is not null)
), gone as (
    select o.%1$I as id from old_rows o where not exists (select from new_rows n where n.%1$I = o.%1$I)
    union all select c.id from changed c where not c.wanted$q$
           end || $q$
), removed as (
    delete from strata.job j using gone g where j.entity_type = $1 and j.entity_id = g.id
)
insert into strata.job as j (entity_type, entity_id, model, priority)
select $1, c.id, $2, 10 from changed c where c.wanted
on conflict (entity_type, entity_id, model) do update
    set state = 'queued', attempts = 0, fence = j.fence + 1, worker = null, lease_until = null, error = null,
        not_before = clock_timestamp(), priority = excluded.priority, updated_at = clock_timestamp()$q$
$$;
