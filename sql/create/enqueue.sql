-- enqueue: the trigger function of every source; add_source installs it for insert, update, delete and truncate, with
-- the entity type as its argument and the transition tables old_rows and new_rows. In the writer's own transaction it
-- keeps one promise: a job exists for each row whose embedding does not fit its text. Text without a vector, text that
-- differs from what it was, and a vector without text want a job; everything else wants none.
-- SECURITY DEFINER: a writer under row level security has no rights here. It writes strata.job alone: were it to touch
-- the source table, the triggers of the application would run with its rights and its search_path.
create function strata.enqueue() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s strata.source;
begin
    select * into s from strata.source x where x.entity_type = tg_argv[0];
    if s.entity_type is null then
        return null;
    elsif tg_op = 'TRUNCATE' then
        delete from strata.job j where j.entity_type = s.entity_type;
    elsif tg_op = 'DELETE' then
        execute format('delete from strata.job j using old_rows o where j.entity_type = $1 and j.entity_id = o.%I',
                       s.key_column) using s.entity_type;
    else
        execute format(strata.enqueue_statement(tg_op), s.key_column, s.vector_column,
                       strata.text_expression(s.title_column, s.content_columns, 'n'),
                       strata.text_expression(s.title_column, s.content_columns, 'o'))
            using s.entity_type, s.model;
    end if;
    return null;
end
$$;
revoke execute on function strata.enqueue from public;
