-- text_columns: the columns that the text is made of, as bytes: where none differs, the text need not be put together.
create function strata.text_columns(s strata.source, alias text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select string_agg(format('%I.%I::text collate "C"', alias, u.name), ', ' order by u.name)
    from unnest(s.content_columns || s.title_column) u(name) where u.name is not null
$$;

-- watcher_signs: what tells a watcher of a source whether a row has a vector, as conditions on its fresh and its former version: a row that
-- is inserted wants a job, whose text is `%text`; a vector was taken away; there may be one. Where the vectors lie in a store, or
-- beside another model's, the row alone cannot say that it has all of them.
create function strata.watcher_signs(
    s strata.source, beside text, fresh text, former text, out inserted text, out cleared text, out may_have text
)
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    sign text := coalesce(s.vector_column, s.embedded_at_column);
begin
    cleared := case when sign is null then 'false'
                    else format('(%1$I.%3$I is null and %2$I.%3$I is not null)', fresh, former, sign) end;
    may_have := case when sign is null or beside is not null then 'true' else format('%I.%I is not null', fresh, sign) end;
    inserted := case when sign is null then '%text <> '''''
                     when beside is null then format('(%I.%I is null) = (%%text <> '''')', fresh, sign)
                     else format('(%%text <> '''' or %I.%I is not null)', fresh, sign) end;
    inserted := replace(inserted, '%text', strata.text_expression(s.title_column, s.content_columns, fresh));
end
$$;
revoke execute on function strata.watcher_signs from public;

-- watcher: the body of the trigger function of a source. In the writer's own transaction it keeps one promise: a job
-- exists for each row whose embedding does not fit its text. Text without a vector, text that differs from what it was, and
-- a vector without text want a job; everything else wants none. Written for the one source, so that its plans are kept:
-- to plan the same for every statement cost four times what a small update costs. beside: the model of a change that the source
-- is embedded with too; null: none. Its name stands in the body, which a writer with an old snapshot sees as it is now.
-- Where the table is no longer as it was registered, a write that we cannot understand must not fail because of us: it
-- warns, and every row that was written gets a job, which waits dead until the source is repaired and retry_dead is called.
-- Only that part is in a block with a handler: jobs written in one would be subtransactions of the application's.
create function strata.watcher(s strata.source, beside text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select format($watch$
declare
    wanted   %17$s[];
    unwanted %17$s[];
    lanes    int[];
begin
    if tg_op = 'TRUNCATE' then
        perform strata.unqueue_jobs(%1$L, null);
        return null;
    end if;
    begin
        if tg_op = 'DELETE' then
            select array_agg(o.%2$I) into unwanted from old_rows o;
        elsif tg_level = 'ROW' and tg_op = 'UPDATE' then
            if new.%2$I <> old.%2$I or %3$s
               or ((%4$s) is distinct from (%5$s) and %6$s <> %7$s) then
                if %6$s <> '' or %11$s then
                    wanted := array[new.%2$I];
                    lanes := array[hashtext(new.%8$I::text)];
                else
                    unwanted := array[new.%2$I];
                end if;
            end if;
        elsif tg_level = 'ROW' then
            if %12$s then
                wanted := array[new.%2$I];
                lanes := array[hashtext(new.%8$I::text)];
            end if;
        elsif tg_op = 'INSERT' then
            select array_agg(n.%2$I), array_agg(hashtext(n.%8$I::text)) into wanted, lanes
            from new_rows n where %13$s;
        else
            select array_agg(c.id) filter (where c.wanted), array_agg(c.lane) filter (where c.wanted),
                   array_agg(c.id) filter (where not c.wanted)
            into wanted, lanes, unwanted
            from (select coalesce(n.%2$I, o.%2$I) as id, hashtext(n.%8$I::text) as lane,
                         n.%2$I is not null and (%9$s <> '' or %14$s) as wanted
                  from new_rows n full join old_rows o on o.%2$I = n.%2$I
                  where n.%2$I is null or %9$s <> %10$s or %15$s) c;
        end if;
    exception when others then
        raise warning 'source "%%" does not fit its table: %%', %1$L, sqlerrm
            using hint = 'strata.sources() says what is wrong; what is written meanwhile waits in strata.job';
        begin
            if tg_op = 'DELETE' then
                return null;
            elsif tg_level = 'ROW' then
                wanted := array[new.%2$I];
            else
                select array_agg(n.%2$I) into wanted from new_rows n;
            end if;
        exception when others then
            return null;
        end;
    end;
    if unwanted is not null and current_setting('transaction_isolation') = 'read committed' then
        delete from strata.job j where j.entity_type = %1$L and j.entity_id = any (%18$s);
    elsif unwanted is not null then
        perform strata.unqueue_jobs(%1$L, %18$s);
    end if;
    if wanted is not null then
        perform strata.queue_jobs(%1$L, %19$s, lanes, %16$s);
    end if;
    return null;
end
$watch$,
        s.entity_type, s.key_column, r.cleared,
        strata.text_columns(s, 'new'),
        strata.text_columns(s, 'old'),
        strata.text_expression(s.title_column, s.content_columns, 'new'),
        strata.text_expression(s.title_column, s.content_columns, 'old'),
        s.tenant_column,
        strata.text_expression(s.title_column, s.content_columns, 'n'),
        strata.text_expression(s.title_column, s.content_columns, 'o'),
        r.may_have, r.inserted, t.inserted, t.may_have, t.cleared,
        case when beside is not null then format('%L', array[s.model, beside]) else 'null' end
            || case when k.uuids then '' else ', wanted' end,
        case when k.uuids then 'uuid' else 'text' end,
        case when k.uuids then 'unwanted' else 'strata.row_ids(unwanted)' end,
        case when k.uuids then 'wanted' else 'strata.row_ids(wanted)' end)
    from strata.watcher_signs(s, beside, 'new', 'old') r, strata.watcher_signs(s, beside, 'n', 'o') t,
         (select s.key_type = 'uuid') k(uuids)
$$;
revoke execute on function strata.watcher from public;

-- watcher_name: the trigger function of a source.
create function strata.watcher_name(entity_type text) returns text
language sql immutable strict set search_path = pg_catalog, pg_temp as $$
    select format('strata.%I()', 'watch ' || entity_type)
$$;

-- write_watcher: makes it. SECURITY DEFINER: a writer under row level security has no rights here. It writes strata.job
-- alone: were it to touch the source table, the triggers of the application would run with its rights and its search_path.
create function strata.write_watcher(s strata.source) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    name   text := strata.watcher_name(s.entity_type);
    beside text := (select b.model from strata.source_beside b where b.entity_type = s.entity_type);
begin
    execute format('create or replace function %s returns trigger language plpgsql security definer
                    set search_path = pg_catalog, pg_temp as %L', name, strata.watcher(s, beside));
    execute format('revoke execute on function %s from public', name);
    execute format('comment on function %s is %L', name,
                   format('Trigger function of source %s: a job for each row whose embedding does not fit its text.', s.entity_type));
end
$$;
revoke execute on function strata.write_watcher from public;
