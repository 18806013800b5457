-- models: changing the model of sources while they are searched, as \d+ and \df+ show it.
comment on table strata.model_change is 'The models that are being changed for another, until the change is ended.';
comment on column strata.model_change.state is 'filling: searched under from_model; switched: under to_model. Both are kept current.';
comment on column strata.model_change.budget_tokens is 'Most that may be sent to to_model until the switch; null: no limit.';
comment on column strata.model_change.spent_tokens is 'What was sent to to_model until the switch, as workers estimate it.';
comment on column strata.model_change.stopped is 'The next call would have gone beyond the budget: nothing of to_model is claimed.';
comment on table strata.source_beside is 'The model of a change that a source is embedded with and not searched by, and where its vectors are kept.';
comment on column strata.source_beside.walked_to is 'How far the rows without a vector of it were queued, in key order.';
comment on column strata.source_beside.walked is 'All rows without a vector of it were queued.';

comment on function strata.start_model_change(text, text, jsonb, text, bigint) is
    'From now on every source of a model is embedded with another as well; search goes on under the old one.';
comment on function strata.continue_model_changes(int) is 'continue_model_change of every change that is open.';
comment on function strata.continue_model_change(text, int) is 'Queues the next page of rows that have no vector of the new model.';
comment on function strata.switch_model(text, bigint) is 'From the next search on, sources are searched under the new model; refuses until it is complete.';
comment on function strata.revert_model(text, bigint) is 'The way back: sources are searched under the old model again.';
comment on function strata.end_model_change(text) is 'Sources stay with the model that they are searched by; the other is kept no longer.';
comment on function strata.limit_model_change(text, bigint) is 'Another budget for a change that fills.';
comment on function strata.estimate_model_change(text, text, numeric) is 'Rows, tokens and their price, before a model is changed.';
comment on function strata.model_changes() is 'The changes that are open, how far they are, and what they have cost.';
comment on function strata.model_change_progress(text) is 'For each source of a change and each tenant, rows and how many of them have the other vector.';

comment on function strata.set_chunking(text, int, int) is 'Long texts of a source are embedded in parts of so many tokens; null: as a whole.';
comment on function strata.chunking_of(text) is 'Inner part of claim_jobs: how texts of a source are cut, and for which of its models.';
comment on function strata.enqueue_again(text, text, int, boolean) is
    'Queues the rows of one page of a source whether they have a vector or not; call it with the last key until that is null.';
comment on column strata.source.chunk_tokens is 'A text that has more is embedded in parts of at most so many tokens; null: as a whole.';
comment on column strata.source.chunk_overlap is 'Tokens of a part that the next one begins with, at most.';
comment on column strata.source.chunked is 'There may be rows with several vectors.';

comment on function strata.source_as(text, text) is 'A source as one of its models has it; null: it has no such model.';
comment on function strata.vectorless(strata.source, text) is 'The condition under which a row has no vector of a source''s model.';
comment on function strata.watcher_signs(strata.source, text, text, text) is 'Inner part of watcher: what tells whether a row has a vector.';
comment on function strata.require_change(text) is 'The open change to a model; refuses where there is none.';
comment on function strata.require_changeable(text, text, jsonb, bigint) is 'Inner part of start_model_change: refuses a change that cannot be.';
comment on function strata.keep_beside(strata.source, text, text, text) is 'Inner part of start_model_change: one source of it.';
comment on function strata.share_store(strata.source, text) is 'Lets those read a store who may read the vectors of a source as they are kept now.';
comment on function strata.require_filled(text, bigint) is 'Inner part of switch_model: refuses until every row has its vector.';
comment on function strata.count_unready(text) is 'How many rows of a source have a vector of the model it is searched by, and none of the one beside.';
comment on function strata.turn_models(strata.model_change, text) is 'Inner part of switch_model: what is beside is searched, and what was searched is beside.';
comment on function strata.spend_tokens(text, bigint) is 'Inner part of take_turn: books what is sent to a model that fills; false: its budget does not allow for it.';
