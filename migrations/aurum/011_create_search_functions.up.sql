-- 011 create rag_search: one question, all of a user's journal entries, tasks and insights, nearest first.
--
-- Why: the application and its assistant call public.rag_search, in the signature that they know. The work is done by
-- strata.rag_search over the sources that version 003 registered.
-- Done otherwise than in the document: it has a body; further arguments follow the four of the document, all with defaults;
-- it runs with the caller's rights, so that row level security decides and a user id in an argument opens nothing; it runs
-- with the caller's search_path, since policies of the application that name a function without its schema would fail under
-- a fixed one, and in its body there is no name without a schema and no operator that a path could put another in place of; the right to call it is taken from everybody before it is given to
-- authenticated, since a new function is open to all, anonymous callers included; every column of the answer comes from a
-- qualified name, so that none is confused with an output of the same name; a wrong dimension is an error that names both.

do $$
declare
    signature text := format('public.rag_search(%s.vector, uuid, integer, integer, text[], double precision, jsonb, jsonb, '
                             'double precision, text, double precision)', strata_aurum.vector_schema());
begin
    if exists (select from pg_catalog.pg_proc p
               where p.pronamespace = 'public'::regnamespace and p.proname = 'rag_search')
       and not exists (select from strata_aurum.made m where m.version = 11 and m.kind = 'function') then
        raise exception 'function public.rag_search is there already' using errcode = '42723',
            hint = 'rename or drop it, then run this version again';
    end if;
    insert into strata_aurum.made (version, kind, name) values (11, 'function', signature) on conflict do nothing;
end
$$;

create or replace function public.rag_search(
    query_embedding    vector,
    user_id_filter     uuid,
    match_count        int default 10,
    date_range_days    int default null,
    entity_types       text[] default null,
    minimum_similarity float8 default null,
    metadata_filter    jsonb default null,
    source_weights     jsonb default null,
    diversity          float8 default null,
    query_text         text default null,
    text_weight        float8 default 0.5
) returns table (
    entity_type text, entity_id uuid, title text, content text, similarity float8, created_at timestamptz, metadata jsonb
)
language sql stable parallel safe security invoker as $$
    select r.entity_type, r.entity_id, r.title, r.content, r.similarity, r.created_at, r.metadata
    from strata.rag_search(
        rag_search.query_embedding, rag_search.user_id_filter, rag_search.match_count, rag_search.date_range_days,
        rag_search.entity_types, rag_search.minimum_similarity, rag_search.metadata_filter, rag_search.source_weights,
        rag_search.diversity, rag_search.query_text, rag_search.text_weight) r
$$;
comment on function public.rag_search(vector, uuid, int, int, text[], float8, jsonb, jsonb, float8, text, float8) is
    'the match_count rows of a user nearest to an embedding, best first, of the last date_range_days days or of all time';
revoke execute on function public.rag_search(vector, uuid, int, int, text[], float8, jsonb, jsonb, float8, text, float8) from public, anon, authenticated, service_role;
grant execute on function public.rag_search(vector, uuid, int, int, text[], float8, jsonb, jsonb, float8, text, float8) to authenticated, service_role;

-- It runs with the caller's rights, so the callers need those on what is behind it: where strata was installed before the
-- roles existed they have none yet. What is given here is noted, and taken back on the way down.
do $$
declare
    wanted record;
begin
    for wanted in
        select r.role, o.kind, o.name, o.right_name
        from (values ('authenticated'), ('service_role')) r (role)
        cross join (values ('schema', 'strata', 'usage'), ('table', 'strata.source', 'select'),
                           ('table', 'strata.model', 'select'), ('function', 'strata.rag_search', 'execute'),
                           ('function', 'strata.find_similar_content', 'execute'),
                           ('function', 'strata.search_explain', 'execute'), ('function', 'strata.text_index', 'execute'))
                   o (kind, name, right_name)
        where not case o.kind
            when 'schema' then has_schema_privilege(r.role, o.name, o.right_name)
            when 'table' then has_table_privilege(r.role, o.name, o.right_name)
            else has_function_privilege(r.role, o.name::regproc, o.right_name) end
    loop
        execute format('grant %s on %s %s to %I', wanted.right_name, wanted.kind, wanted.name, wanted.role);
        insert into strata_aurum.made (version, kind, relation, name)
        values (11, 'grant', format('%s on %s %s', wanted.right_name, wanted.kind, wanted.name), wanted.role)
        on conflict do nothing;
    end loop;
end
$$;
