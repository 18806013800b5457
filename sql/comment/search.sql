-- search: as \df+ shows it.
comment on function strata.rag_search is
    'The rows of one tenant nearest to an embedding, and to a text where one is given, over all sources, best first. Exact; row level security decides.';
comment on function strata.search is
    'rag_search for keys and tenants of any type, named by text; of an organisation where one is given.';
comment on function strata.as_jsonb(json) is 'A json as jsonb; one that does not fit into a jsonb as a string of what is written there.';
comment on function strata.find_similar_content is
    'The rows most like one row, itself left out, over all sources of its model, best first; the rules of rag_search.';
comment on function strata.find_similar is 'find_similar_content for keys of any type, named by text.';
comment on function strata.indexed_tenants is 'The indexes of a store that are one tenant''s own, and whose each is.';
comment on function strata.vector_indexes is
    'Tenants whose vectors are worth an HNSW index of their own, those who have one, and the statements that create or drop them.';
comment on function strata.search_explain is
    'For each source: which way it is searched for a tenant and why, the rows compared and found, and the milliseconds.';
comment on function strata.explain is 'search_explain for keys and tenants of any type, named by text: what strata.search does.';
comment on function strata.forget_registry() is
    'Trigger of strata.source and strata.model: tells every session that what it remembers of the registry has changed.';
comment on function strata.caller() is 'Who is asking: auth.uid(), else the claims of the request; null where nobody is named.';
