-- indexed_tenants: the indexes of a store that are one tenant's own, HNSW by cosine over the embeddings, and whose each is. Read
-- from the predicate as the catalog keeps it, the comparison of column `tenant` with sixteen bytes: to have it written out waits for
-- whoever has locked the store, and looks different where the session's settings or operators do. For every caller: a search reads it.
create function strata.indexed_tenants(store regclass) returns table (tenant uuid, index regclass, is_valid boolean)
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
    select (select string_agg(lpad(to_hex((b.byte::int + 256) % 256), 2, '0'), '' order by b.n)
            from unnest(string_to_array(p.bytes, ' ')) with ordinality b(byte, n))::uuid, i.indexrelid::regclass, i.indisvalid
    from pg_index i
    join pg_opclass o on o.oid = i.indclass[0]
    join pg_am m on m.oid = o.opcmethod
    join pg_attribute e on e.attrelid = i.indrelid and e.attnum = i.indkey[0]
    join pg_attribute t on t.attrelid = i.indrelid and t.attname = 'tenant'
    cross join substring(i.indpred::text, format(
        '^\(?\{OPEXPR :opno %s [^{}]*\{VAR [^{}]*:varattno %s [^{}]*\} \{CONST [^{}]*:constvalue 16 \[ ([-0-9 ]+) \]\}\)[^{}]*\}\)?$',
        'pg_catalog.=(uuid,uuid)'::regoperator::oid, t.attnum)) p(bytes)
    where i.indrelid = store and m.amname = 'hnsw' and e.attname = 'embedding'
      and o.opcname in ('halfvec_cosine_ops', 'vector_cosine_ops') and p.bytes is not null
$$;
