-- search: as \df+ shows it.
comment on function strata.rag_search is
    'The rows of one tenant nearest to an embedding, over all sources, best first. Exact; row level security decides.';
