-- embeddings: what models, sources and the queue are for, as \d+ and \df+ show it. Where an argument has pgvector's type,
-- the function is named by its name alone: it has no namesake.
comment on table strata.model is 'The embedding models that sources use.';
comment on column strata.model.dimensions is 'Elements of a vector that the model answers with, 1 to 16000.';
comment on column strata.model.max_tokens is 'Tokens that the model reads of one text before it cuts; null: not known.';

comment on column strata.model.requests_per_minute is 'Calls that all workers together may make in any minute; null: no limit.';
comment on column strata.model.tokens_per_minute is 'Tokens that all workers together may send in any minute; null: no limit.';

comment on table strata.model_state is 'How the provider of each model is doing, as all workers have found together.';
comment on column strata.model_state.failures is 'Calls in a row that failed.';
comment on column strata.model_state.paused_until is 'Nobody claims jobs of the model before; null: not paused.';

comment on table strata.source is 'The tables that search reads, one row for each entity type.';
comment on column strata.source.tenant_column is 'The column that says whose row it is; every search is for one tenant.';
comment on column strata.source.content_columns is 'With the title, the text that is embedded: a line each, nulls and empty texts left out.';
comment on column strata.source.metadata_columns is 'Columns that search returns as keys of metadata.';
comment on column strata.source.hidden_column is 'A boolean that is true, or a date or time that is set: no search finds the row; null: none.';
comment on column strata.source.text_search_config is 'Under which its words are found; null: they are not.';
comment on column strata.source.text_search_column is 'A tsvector that holds the words; null: they are made of title and content.';
comment on column strata.source.store is 'The table of the schema strata_vectors that keeps the vectors; null: the vector column does.';
comment on column strata.source.organisation_column is 'The column that says in which organisation a row is; null: none.';
comment on column strata.source.vectors_name is 'The table of its embeddings; null: they stand in the row, or in a store.';
comment on column strata.source.queued is 'Whether changes of the text queue jobs; else the embeddings are the application''s to write.';
comment on column strata.source.model_column is 'Where the model of a vector is kept beside it; null: nowhere.';
comment on column strata.source.embedded_at_column is 'Where the time of a vector is kept beside it; null: nowhere.';

comment on table strata.job is 'One entity whose embedding is missing or stale for one model.';
comment on column strata.job.fence is 'Grows with every claim and every change of the text: who holds an older one has lost.';
comment on column strata.job.attempts is 'Failures since the text was written; the eighth is the last.';
comment on column strata.job.priority is 'Higher first: 10 for what has just been written, 0 for what a walk has found.';
comment on column strata.job.lane is 'A hash of the tenant: lanes take turns.';
comment on column strata.job.session_pid is 'The session that the lease ends with; null: its time alone ends it.';
comment on column strata.job.failing_since is 'Of the first failure since the text was written; null: none.';
comment on column strata.job.error is 'What the provider said when it failed last.';

comment on function strata.add_model(text, text, int, int) is 'Makes an embedding model known: name, provider, dimensions, tokens.';
comment on function strata.limit_model(text, int, bigint) is 'How much all workers together may ask of a model in a minute.';
comment on function strata.take_turn(text, bigint) is 'Asks to call a provider within the limits: zero, or how long to wait.';
comment on function strata.drop_model(text) is 'Forgets a model that no source uses.';
comment on function strata.add_source is
    'Makes a table searchable: from then on every change of its texts queues a job.';
comment on function strata.drop_source(text) is 'Forgets a source with its triggers and jobs; the table and the vectors in it stay.';
comment on function strata.sources() is 'What is searched: table, model, the indexes of the tenant and of the words, and what is wrong with it; null: nothing.';
comment on function strata.set_text_search(text, regconfig, text) is 'Makes the words of a source searchable under a text search configuration.';
comment on function strata.words_expression(strata.source, text) is 'The SQL expression for the words of a row.';
comment on function strata.text_index(text) is 'The index on the words of a source that a search can use; null: none.';
comment on function strata.text_index_statement(text) is 'The statement that creates an index on the words of a source.';
comment on function strata.enqueue_missing(text, text, int, text) is
    'Queues the rows of one page of a source that have text and no vector; call it with the last key until that is null.';
comment on function strata.claim_jobs(text, int, interval, boolean, text[]) is 'Leases jobs to a worker and hands over their texts, most urgent first.';
comment on function strata.complete_jobs is 'Takes vectors back and stores those whose text and fence are still the same.';
comment on function strata.fail_jobs(text[], uuid[], bigint[], text, interval, text, text) is
    'Tells that a provider failed, was busy, or refused a text: the jobs wait longer each time, or are dead.';
comment on function strata.retry_dead(text) is 'Queues dead jobs again, of one source or of all.';
comment on function strata.queue_status() is 'For each source, its jobs by state, its rows without an embedding, and what is wrong.';

comment on function strata.queue_jobs(text, uuid[], int[], text[], text[], boolean) is 'A job for each of these rows of a source, at the start of its life.';
comment on function strata.unqueue_jobs(text, uuid[]) is 'Takes jobs of rows that want none away, for a writer in repeatable read.';
comment on function strata.wake_workers() is 'Wakes a worker that has nothing to do.';
comment on function strata.rest_worker() is 'A worker has nothing to do and is to be woken; false: look again soon.';
comment on function strata.rouse_worker() is 'A worker rests no longer.';
comment on function strata.watcher(strata.source, text) is 'The body of the trigger function of a source.';
comment on function strata.text_columns(strata.source, text) is 'Inner part of watcher: the columns that the text is made of.';
comment on function strata.watcher_name(text) is 'The trigger function of a source.';
comment on function strata.write_watcher(strata.source) is 'Inner part of watch_source: makes the trigger function of a source.';
comment on function strata.watch_row() is
    'Trigger of a source for updated rows: has the source look at those whose key or text has changed, or of which anything has become null.';
comment on function strata.watches_rows_of(pg_trigger, text) is 'Whether a trigger is the one by which a source looks at updated rows.';
comment on function strata.row_watch(strata.source) is 'Inner part of watch_source: the call of watch_row.';
comment on function strata.watch_source(text, regclass) is 'Inner part of add_source: puts the triggers on its table.';
comment on function strata.unwatch_source(text) is 'Inner part of drop_source: removes the triggers, whatever the table is called by now.';
comment on function strata.text_expression(text, text[], text) is 'The SQL expression for the text of a row that is embedded.';
comment on function strata.source_text(text, uuid[]) is 'The texts of some rows of a source, as they are embedded.';
comment on function strata.count_missing(text) is 'How many rows of a source have text and no vector.';
comment on function strata.row_id(text) is 'What the queue and the stores call a row whose key is no uuid: a uuid made of the key.';
comment on function strata.row_ids(text[]) is 'The same for several keys, in their order.';
comment on function strata.ids_of(strata.source, text[]) is 'What rows of a source with these keys are called.';
comment on function strata.id_of(strata.source, text) is 'What a row of a source is called, as an expression of it.';
comment on function strata.key_of(strata.source, text) is 'The key of a row that is called otherwise, as an expression of it.';
comment on function strata.is_any_of(strata.source, text, text, text) is 'The condition under which a row of a source is one of those that are called so.';
comment on function strata.keys_of(text, uuid[]) is 'The keys of rows that have jobs and are called otherwise.';
comment on function strata.key_type(regclass, text) is 'Inner part of add_source: whether a key is a uuid, a number or a text.';
comment on function strata.require_key(regclass, text) is 'Inner part of add_source: refuses a table or key that cannot be one.';
comment on function strata.require_column(regclass, text, text) is 'Inner part of add_source: refuses a column that cannot play its role.';
comment on function strata.require_vector_column(regclass, text, text) is
    'Inner part of add_source: refuses a column that cannot hold the vectors of a model.';
comment on function strata.require_vectors_table(regclass, text, regclass, text, text) is
    'Inner part of add_source: refuses a table of embeddings that cannot be joined to the rows.';
comment on function strata.require_vectors is 'Inner part of complete_jobs: refuses vectors that a source cannot keep.';
comment on function strata.lease_jobs(text, int, interval, boolean, text[]) is 'Inner part of claim_jobs: the queue.';
comment on function strata.lock_ripe_jobs(text, int, int) is 'Inner part of lease_jobs: the ripe jobs of a model, tenants in turn.';
comment on function strata.free_leases(int) is 'Inner part of lease_jobs: leases that are over, or whose session is gone.';
comment on function strata.bury_jobs(text, uuid[], text) is 'Inner part of claim_jobs: jobs that can not be embedded, as the source is.';
comment on function strata.put_back(strata.job[], text, interval, text) is 'Inner part of claim_jobs: jobs of a source whose table somebody holds.';
comment on function strata.bury_unreadable(text, uuid[]) is 'Inner part of claim_jobs: jobs of rows whose text cannot be read.';
comment on function strata.ripen_jobs(text) is 'Jobs of a model that were given back because it was not their turn may be claimed at once.';
comment on function strata.pause_model(text, interval, text, boolean) is 'Inner part of fail_jobs: keeps all workers from a model.';
comment on function strata.resume_model(text) is 'Inner part of complete_jobs: a provider has answered.';
comment on function strata.complete_source is 'Inner part of complete_jobs: the jobs of one source, each for itself where one is refused.';
comment on function strata.complete_part is 'Inner part of complete_jobs: the jobs of one source.';
comment on function strata.settle_textless(text, uuid[]) is 'Inner part of claim_jobs: ends jobs that need no provider.';
comment on function strata.lock_rows(strata.source, uuid[], bytea[]) is 'Inner part of complete_jobs: locks rows whose text is unchanged.';
comment on function strata.require_walked(text, text, int) is 'Inner part of enqueue_missing: the source whose rows are queued page by page.';
comment on function strata.queue_page(strata.source, text[]) is 'Inner part of enqueue_missing: queues rows that have a text.';
comment on function strata.lock_missing(strata.source, text, int, text) is 'Inner part of enqueue_missing: locks the next rows without a vector.';
comment on function strata.vector_shape is 'Dimensions of a vector; negative where it has no direction.';
comment on function strata.lock_jobs(text, text, uuid[], bigint[]) is 'Inner part of complete_jobs: locks jobs that are still held.';
comment on function strata.end_jobs(uuid[], tid[], uuid[]) is 'Inner part of complete_jobs: removes or requeues jobs.';
comment on function strata.by_plan(text, "any") is 'Runs a statement with a plan that the session keeps; answers how many rows it touched.';
comment on function strata.places_by_plan(text, "any") is 'The same of a statement that answers with one array of places.';
comment on function strata.insert_in_bulk(regclass, text, "any") is 'Inserts the rows of a query as COPY does; null where INSERT must.';
comment on function strata.row_places(strata.source, uuid[], text[]) is 'Inner part of store_vectors: where rows of a source lie.';
comment on function strata.store_vectors is 'Inner part of complete_jobs: writes vectors into the rows of a source.';
comment on function strata.session_search_path() is 'The search_path that a session of this role starts with.';
comment on function strata.vector_schema() is 'The schema that pgvector lives in.';
comment on table strata.vector_store is 'The narrow tables of the schema strata_vectors, one for each model whose sources keep their vectors there.';
comment on function strata.make_store is 'The narrow table of a model, made where it is not there yet; its name.';
comment on function strata.store_name is 'A free name for the narrow table of a model.';
comment on function strata.is_shared is 'Whether another source keeps vectors in this store.';
comment on function strata.lock_store is 'Inner part of lock_apart: locks a store against everybody else until the transaction ends.';
comment on function strata.lock_apart is 'Inner part of drop_source: locks stores and the table of a source without a deadlock, in whichever order others use them.';
comment on function strata.empty_store is 'Takes the vectors of a source out of a store that it uses no longer, and the store away with its last source.';
comment on function strata.open_sources is 'Sources with a store whose rows the caller may all read, for the policies of stores.';
comment on function strata.follow_source is 'Puts the triggers on a table by which its vectors in a store live and die with its rows.';
comment on function strata.unfollow_source is 'Removes the triggers that follow_source has put on a table.';
comment on function strata.follow() is 'Trigger function: vectors in a store live and die with their rows.';
comment on function strata.keep_vectors is 'Writes vectors of rows of a source into its store, or takes them away.';
