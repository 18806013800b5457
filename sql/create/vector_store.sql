-- vector_store: the narrow tables that keep vectors for sources that have no column of their own for them, one for each
-- model, in the schema strata_vectors: tenant, entity_type, entity_id, chunk (of a text that is embedded in parts, from 0),
-- embedding; entity_key, the key of the row, where entity_id is made of it (strata.row_id). `storage` is the type of the embedding.
create table strata.vector_store (
    model    text primary key references strata.model,
    name     text not null unique,
    storage  text not null check (storage in ('halfvec', 'vector'))
);

-- make_store: the table of a model, made where it is not there yet; its name. Vectors lie in the row, uncompressed, where
-- a page has room for one: an exact search reads nothing else. Row level security lets a caller see their own rows, and
-- those of sources that they may read as a whole. SECURITY DEFINER: the tables belong to whom the extension belongs to.
-- Raises 22023 (storage), 55000 (the model's table is of the other type).
create function strata.make_store(model text, storage text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    made   strata.vector_store;
    dims   int := (select m.dimensions from strata.model m where m.name = make_store.model);
    reader text;
begin
    if storage not in ('halfvec', 'vector') then
        raise exception 'store "%" is not known', storage using errcode = '22023', hint = 'use halfvec or vector';
    end if;
    select * into made from strata.vector_store v where v.model = make_store.model;
    if made.storage <> storage then
        raise exception 'the vectors of model "%" are kept as %, not as %', model, made.storage, storage
            using errcode = '55000', hint = format('pass store => %L', made.storage);
    elsif made.name is not null then
        return made.name;
    end if;
    insert into strata.vector_store (model, name, storage)
    values (model, strata.store_name(model), storage)
    on conflict do nothing
    returning * into made;
    -- Another session has made it, or one of that name, since we looked.
    if made.name is null then
        return strata.make_store(model, storage);
    end if;
    if to_regnamespace('strata_vectors') is null then
        create schema strata_vectors;
    end if;
    execute format(
        'create table strata_vectors.%1$I (
             tenant uuid not null, entity_type text not null, entity_id uuid not null, chunk int not null default 0,
             embedding %2$I.%3$I(%4$s) not null, entity_key text,
             primary key (entity_type, entity_id, chunk))', made.name, strata.vector_schema(), storage, dims);
    execute format('alter table strata_vectors.%I alter embedding set storage %s', made.name,
                   case when dims * case storage when 'halfvec' then 2 else 4 end <= 8000 then 'plain' else 'external' end);
    execute format('create index on strata_vectors.%I (tenant, entity_type)', made.name);
    execute format('alter table strata_vectors.%I enable row level security', made.name);
    execute format('create policy own on strata_vectors.%I for select
                    using (tenant = (select strata.caller()) or entity_type = any ((select strata.open_sources())::text[]))',
                   made.name);
    execute format('comment on table strata_vectors.%I is %L', made.name, format('strata: vectors of model %s', model));
    for reader in select r.rolname from pg_roles r where r.rolname in ('authenticated', 'service_role') loop
        execute format('grant usage on schema strata_vectors to %I', reader);
        execute format('grant select on strata_vectors.%I to %I', made.name, reader);
    end loop;
    -- Whoever may complete jobs writes the vectors.
    perform strata.open_stores(a.grantee::regrole)
    from pg_proc p cross join aclexplode(p.proacl) a
    where p.pronamespace = 'strata'::regnamespace and p.proname = 'complete_jobs' and a.grantee <> p.proowner and a.grantee <> 0;
    return made.name;
end
$$;
revoke execute on function strata.make_store from public;

-- store_name: a free name that a model's table can bear: its letters and digits, and a number where they are taken.
create function strata.store_name(model text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select n.name
    from (select left(trim('_' from regexp_replace(lower(model), '[^a-z0-9]+', '_', 'g')), 50) as stem) s,
         generate_series(1, (select count(*) + 1 from strata.vector_store)) g,
         lateral (select coalesce(nullif(s.stem, ''), 'model') || case g when 1 then '' else '_' || g end as name) n
    where not exists (select from strata.vector_store v where v.name = n.name)
    order by g limit 1
$$;
revoke execute on function strata.store_name from public;

-- empty_store: takes the vectors of a source out of a store that it uses no longer, and the store away with its last source.
-- A null: nothing to do. SECURITY DEFINER: it belongs to whom the extension belongs to.
create function strata.empty_store(store text, entity_type text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if store is null then
        return;
    elsif strata.is_shared(store, entity_type) then
        execute format('delete from strata_vectors.%I v where v.entity_type = $1', store) using entity_type;
    else
        execute format('drop table if exists strata_vectors.%I', store);
        delete from strata.vector_store v where v.name = empty_store.store;
    end if;
end
$$;
revoke execute on function strata.empty_store from public;

-- is_shared: whether another source keeps vectors in this store.
create function strata.is_shared(store text, entity_type text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (select from strata.source x where x.store = is_shared.store and x.entity_type <> is_shared.entity_type)
        or exists (select from strata.source_beside x where x.store = is_shared.store and x.entity_type <> is_shared.entity_type)
$$;
revoke execute on function strata.is_shared from public;

-- lock_store: nobody else uses it until the transaction ends. SECURITY DEFINER: it belongs to whom the extension belongs to.
create function strata.lock_store(store text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    execute format('lock table strata_vectors.%I in access exclusive mode', store);
end
$$;
revoke execute on function strata.lock_store from public;

-- lock_apart: these stores and the table of a source, before both are changed: nobody else uses any of them until the
-- transaction ends. A search comes to the table from its store, a writer to the store from the table, and either would wait
-- for us while we wait for it. So who has the first waits for the next a third of the time after which Postgres looks for
-- deadlocks, or lock_timeout where that is less, then gives all of them back and begins again. No store: nothing to do.
-- Raises 55P03.
create function strata.lock_apart(entity_type text, stores text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    own   text := current_setting('lock_timeout');
    short text := (select least(max(greatest(s.setting::int / 3, 10)) filter (where s.name = 'deadlock_timeout'),
                                max(nullif(s.setting::int, 0)) filter (where s.name = 'lock_timeout'))::text
                   from pg_settings s where s.name in ('deadlock_timeout', 'lock_timeout'));
    held  int;
    part  record;
begin
    if stores = '{}' then
        return;
    end if;
    for attempt in 1..30 loop
        held := 0;
        begin
            for part in
                select s.name, null::regclass as relation from unnest(stores) s(name)
                union all
                select null, t.tgrelid::regclass from pg_trigger t
                where t.tgfoid = 'strata.follow'::regproc and t.tgparentid = 0
                  and t.tgargs = convert_to(entity_type, getdatabaseencoding()) || '\x00'
                group by t.tgrelid
            loop
                if part.relation is null then
                    perform strata.lock_store(part.name);
                else
                    execute format('lock table %s in access exclusive mode', part.relation);
                end if;
                held := held + 1;
                perform set_config('lock_timeout', short, true);
            end loop;
            perform set_config('lock_timeout', own, true);
            return;
        exception when lock_not_available then
            if held = 0 then
                raise;
            end if;
        end;
        perform pg_sleep(0.02 * attempt * (0.5 + random()));
    end loop;
    raise exception 'source "%" is in use all the time', entity_type
        using errcode = '55P03', hint = 'try again when fewer search and write';
end
$$;
revoke execute on function strata.lock_apart from public;

-- open_sources: sources with a store whose rows the caller may all read: row level security is not at work for them there.
create function strata.open_sources() returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(s.entity_type), '{}')
    from strata.source s
    cross join lateral (select to_regclass(format('%I.%I', s.relation_schema, s.relation_name)) as oid) r
    where s.store is not null and not row_security_active(r.oid) and has_column_privilege(r.oid, s.key_column, 'select')
$$;
