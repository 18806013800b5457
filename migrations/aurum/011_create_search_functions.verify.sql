-- 011 verify: the signature and the columns that callers know, whose rights it runs with, who may call it, and that it
-- finds: asked with the embedding of an entry, it answers that entry first. Asked only by a role that sees everybody's rows.
with probe as (
    select e.user_id, e.embedding
    from (
        (select j.user_id, j.content_embedding as embedding from public.journal_entries j
         where j.content_embedding is not null and not j.archived order by j.id limit 1)
        union all
        (select t.user_id, t.description_embedding from public.tasks t
         where t.description_embedding is not null order by t.id limit 1)
    ) e
    where exists (select from pg_catalog.pg_roles r where r.rolname = current_user and (r.rolsuper or r.rolbypassrls))
    limit 1
), found as (
    select p.user_id, h.similarity, h.n
    from probe p
    left join lateral (
        select r.similarity, row_number() over () as n from public.rag_search(p.embedding, p.user_id, 3) r) h on true
), checks (check_name, expected, actual) as (
    select 'arguments', 'query_embedding vector, user_id_filter uuid, match_count integer DEFAULT 10, date_range_days integer DEFAULT NULL::integer, '
           'entity_types text[] DEFAULT NULL::text[], minimum_similarity double precision DEFAULT NULL::double precision, '
           'metadata_filter jsonb DEFAULT NULL::jsonb, source_weights jsonb DEFAULT NULL::jsonb, '
           'diversity double precision DEFAULT NULL::double precision, query_text text DEFAULT NULL::text, '
           'text_weight double precision DEFAULT 0.5',
           (select regexp_replace(pg_get_function_arguments(p.oid), '(\S+\.)vector', 'vector') from pg_catalog.pg_proc p
            where p.pronamespace = 'public'::regnamespace and p.proname = 'rag_search')
    union all
    select 'columns', 'TABLE(entity_type text, entity_id uuid, title text, content text, similarity double precision, '
           'created_at timestamp with time zone, metadata jsonb)',
           (select pg_get_function_result(p.oid) from pg_catalog.pg_proc p
            where p.pronamespace = 'public'::regnamespace and p.proname = 'rag_search')
    union all
    select 'runs with the rights of', 'its caller, stable, search_path of its caller',
           (select concat_ws(', ', case when p.prosecdef then 'its owner' else 'its caller' end,
                             case p.provolatile when 's' then 'stable' end,
                             case when p.proconfig is null then 'search_path of its caller' end)
            from pg_catalog.pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname = 'rag_search')
    union all
    select format('execute of %s.rag_search for %s', s.schema, w.role), w.may::text,
           (select has_function_privilege(w.role, p.oid, 'execute')::text from pg_catalog.pg_proc p
            where p.pronamespace = to_regnamespace(s.schema) and p.proname = 'rag_search')
    from (values ('anon', false), ('authenticated', true), ('service_role', true)) w (role, may),
         (values ('public'), ('strata')) s (schema)
    union all
    select format('execute of strata.%s for %s', f.name, w.role), w.may::text,
           (select has_function_privilege(w.role, p.oid, 'execute')::text from pg_catalog.pg_proc p
            where p.pronamespace = to_regnamespace('strata') and p.proname = f.name)
    from (values ('anon', false), ('authenticated', true), ('service_role', true)) w (role, may),
         (values ('find_similar_content'), ('search_explain')) f (name)
    union all
    select 'nearest to the embedding of an entry', 'similarity 1.000', 'similarity ' || round(max(f.similarity)::numeric, 3)
    from found f
    group by f.user_id
    union all
    select 'order of the answer', 'best first',
           case when array_agg(f.similarity order by f.n) = array_agg(f.similarity order by f.similarity desc)
                then 'best first' else 'another' end
    from found f
    group by f.user_id
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
