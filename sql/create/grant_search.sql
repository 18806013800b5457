-- grant_search: who may search. Nobody by default; Supabase's roles where they exist. Row level security of the source
-- tables decides what they find, so they read the registry and call the functions, and nothing else.
revoke execute on function strata.rag_search, strata.search, strata.find_similar_content, strata.find_similar, strata.search_explain, strata.explain from public;
do $$
declare
    reader text;
begin
    for reader in select r.rolname from pg_catalog.pg_roles r where r.rolname in ('authenticated', 'service_role') loop
        execute format('grant usage on schema strata to %I', reader);
        execute format('grant select on strata.source, strata.model to %I', reader);
        execute format('grant execute on function strata.rag_search, strata.search, strata.find_similar_content, strata.find_similar, strata.search_explain, strata.explain,
                        strata.text_index, strata.search_model to %I',
                       reader);
    end loop;
end
$$;
