-- search: as \df+ shows it.
comment on function strata.rag_search is
    'The rows of one tenant nearest to an embedding, over all sources, best first. Exact; row level security decides.';
comment on function strata.as_jsonb(json) is 'A json as jsonb; one that does not fit into a jsonb as a string of what is written there.';
