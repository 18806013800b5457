-- enqueue_missing: one page of a walk over a source in key order: queues each row that has text and no vector. `after`
-- is the last key of the page before, null to begin. Answers how many jobs are new and the last key it looked at; null:
-- the walk is at its end. max: 1 or more. A row that is being written is waited for shortly and repeatedly, so that no
-- writer of the application is ever the victim of a deadlock with the walk.
-- Raises 22023 (max), 42704 (no such source), 55P03 (a row stayed locked for ten seconds).
create function strata.enqueue_missing(
    entity_type text, after uuid default null, max int default 1000, out enqueued int, out last uuid
)
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '500ms' as $$
declare
    s strata.source;
begin
    if max is null or max < 1 then
        raise exception 'max must be at least 1 row, not %', coalesce(max::text, 'null') using errcode = '22023';
    end if;
    select * into s from strata.source x where x.entity_type = enqueue_missing.entity_type;
    if s.entity_type is null then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source, or call strata.add_source';
    end if;
    for attempt in 1..20 loop
        begin
            execute format(
                'with page as (
                     select r.%1$I as id, %2$s <> '''' as has_text from %3$I.%4$I r
                     where r.%5$I is null and ($1 is null or r.%1$I > $1) order by r.%1$I limit $2
                 ), queued as (
                     insert into strata.job (entity_type, entity_id, model)
                     select $3, p.id, $4 from page p where p.has_text on conflict do nothing returning 1
                 )
                 select (select count(*)::int from queued), (select p.id from page p order by p.id desc limit 1)',
                s.key_column, strata.text_expression(s.title_column, s.content_columns, 'r'),
                s.relation_schema, s.relation_name, s.vector_column)
                into enqueued, last using after, max, s.entity_type, s.model;
            return;
        exception when lock_not_available then
            if attempt = 20 then
                raise;
            end if;
        end;
    end loop;
end
$$;
revoke execute on function strata.enqueue_missing from public;
