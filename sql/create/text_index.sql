-- text_index: the index on the words of a source that a search of the caller's can use, as the planner finds it; null:
-- there is none. Under row level security there is none: Postgres asks the policies first. Null too where the source has
-- no text search configuration, or its table or a column is gone. Volatile, because EXPLAIN asks for it.
create function strata.text_index(entity_type text) returns text
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
    s        strata.source;
    relation regclass;
    plan     json;
begin
    select * into s from strata.source x where x.entity_type = text_index.entity_type;
    if s.text_search_config is null then
        return null;
    end if;
    relation := format('%I.%I', s.relation_schema, s.relation_name);
    execute format('explain (format json) select from %s r where (%s) @@ ''word''::tsquery',
                   relation, strata.words_expression(s, 'r')) into plan;
    return (select min(c.relname)
            from jsonb_path_query(plan::jsonb, '$.**."Index Name"') n
            join pg_class c on c.relname = n #>> '{}'
            join pg_index i on i.indexrelid = c.oid
            join pg_am a on a.oid = c.relam
            where a.amname in ('gin', 'gist')
              and (i.indrelid = relation or i.indrelid in (select p.relid from pg_partition_tree(relation) p)));
exception when undefined_table or undefined_column or undefined_object or invalid_schema_name or insufficient_privilege then
    return null;
end
$$;
revoke execute on function strata.text_index from public;

-- text_index_statement: the statement that creates an index on the words of a source; with the tenant before them where an
-- extension such as btree_gin makes that possible: then the words of others are not read. Raises 42704 (no such source),
-- 55000 (no text search configuration), 42P01, 42703.
create function strata.text_index_statement(entity_type text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s           strata.source;
    relation    regclass;
    tenant_type oid;
    parted      boolean;
begin
    select * into s from strata.source x where x.entity_type = text_index_statement.entity_type;
    if s.entity_type is null then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source';
    elsif s.text_search_config is null then
        raise exception 'source "%" has no text search configuration', entity_type
            using errcode = '55000', hint = format('call strata.set_text_search(%L, ''english'') first', entity_type);
    end if;
    relation := format('%I.%I', s.relation_schema, s.relation_name);
    perform strata.require_column(relation, s.tenant_column, 'any');
    select coalesce(nullif(t.typbasetype, 0), t.oid), c.relkind = 'p' into tenant_type, parted
    from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_class c on c.oid = a.attrelid
    where a.attrelid = relation and a.attname = s.tenant_column;
    return format('create index %son %I.%I using gin (%s(%s))',
                  case when parted then '' else 'concurrently ' end, s.relation_schema, s.relation_name,
                  case when exists (select from pg_opclass o join pg_am a on a.oid = o.opcmethod
                                    where a.amname = 'gin' and o.opcdefault and o.opcintype = tenant_type)
                       then format('%I, ', s.tenant_column) else '' end,
                  strata.words_expression(s));
end
$$;
revoke execute on function strata.text_index_statement from public;
