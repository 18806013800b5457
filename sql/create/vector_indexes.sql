-- vector_indexes: tenants who have so many vectors in a store that an index of their own is worth having, and those who have one:
-- for each the vectors, the index and its state, and the statement that brings it to where it should be, null: it is there, or
-- somebody else is at it. Run it outside of a transaction: it keeps nobody waiting.
-- state: 'missing', 'building' (an index is created, or the table vacuumed: ask again), 'invalid' (its creation was cut off),
-- 'needless' (the tenant has less than half as many, or a newer index), 'ready'.
-- crossover: vectors. Counts every vector of every store. Raises 22023 (crossover), 42501 (the caller may not read all of them).
-- Source of the default and of what an index is created with: docs/decisions/0032.
create function strata.vector_indexes(crossover bigint default 100000)
returns table (model text, tenant uuid, vectors bigint, index_name text, state text, statement text)
language plpgsql stable set search_path = pg_catalog, pg_temp set row_security = off as $$
declare
    kept strata.vector_store;
    busy boolean;
begin
    if crossover is null or crossover < 1 then
        raise exception 'crossover must be at least 1 vector, not %', coalesce(crossover::text, 'null') using errcode = '22023';
    end if;
    for kept in select * from strata.vector_store v order by v.model loop
        busy := exists (
            select from pg_locks l
            where l.relation = format('strata_vectors.%I', kept.name)::regclass and l.mode = 'ShareUpdateExclusiveLock' and l.granted
              and l.database = (select d.oid from pg_database d where d.datname = current_database()));
        return query execute format($sql$
            with counted as (
                select v.tenant, count(*) as vectors from strata_vectors.%1$I v group by v.tenant
            ), indexed as (
                select i.tenant, c.relname::text as name, i.is_valid,
                       i.is_valid and row_number() over (partition by i.tenant order by i.is_valid desc, c.oid desc) > 1 as is_second
                from strata.indexed_tenants('strata_vectors.%1$I') i join pg_class c on c.oid = i.index
            ), told as (
                select tenant, coalesce(c.vectors, 0) as vectors, i.name,
                       case when i.name is null then 'missing'
                            when not i.is_valid and $5 then 'building'
                            when coalesce(c.vectors, 0) < $1 / 2.0 or i.is_second then 'needless'
                            when not i.is_valid then 'invalid' else 'ready' end as state
                from counted c full join indexed i using (tenant)
                where i.name is not null or c.vectors >= $1
            )
            select $2, t.tenant, t.vectors, t.name, t.state,
                   case when t.state = 'missing' then format(
                            'create index concurrently on strata_vectors.%%I using hnsw (embedding %%I.%%I) '
                            'with (m = 32, ef_construction = 256) where tenant = %%L', $3, strata.vector_schema(), $4, t.tenant)
                        when t.state in ('invalid', 'needless') then format('drop index concurrently strata_vectors.%%I', t.name) end
            from told t
            where t.tenant is not null
            order by t.vectors desc, t.tenant, t.name
            $sql$, kept.name)
            using crossover, kept.model, kept.name, kept.storage || '_cosine_ops', busy;
    end loop;
end
$$;
revoke execute on function strata.vector_indexes from public;
