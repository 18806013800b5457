-- backfill: what the objects of backfills are for, as \d+ and \df+ show it.
comment on table strata.backfill_cursor is 'How far each backfill has come, written in the transaction of the batch it tells of.';
comment on column strata.backfill_cursor.cursor is 'The last key done, a text for each of its columns; null before the first batch.';
comment on column strata.backfill_cursor.rows is 'What the statement has counted.';
comment on column strata.backfill_cursor.walked is 'The rows of the table that the batches had.';
comment on column strata.backfill_cursor.total is 'Rows that the planner expected of the table at the beginning.';
comment on column strata.backfill_cursor.call_started is 'With pid and session_started: the statement that walks, or walked last.';
comment on function strata.backfill_is_alive(text) is 'Whether the statement that walks a backfill is still being executed.';
comment on function strata.backfill_progress(text) is 'How far each backfill has come, its rate, what is left, why it is paused; readable while it runs.';
comment on function strata.backfill_line(text) is 'The progress of a backfill in a line.';
comment on function strata.walk_columns(regclass, text) is 'The columns of a key by which a table can be walked, with their types; refuses any other.';
comment on function strata.walk_query(regclass, text) is 'The queries that cut a table into batches by a key.';
comment on function strata.walk_batch(text[], text[], int) is 'First and last key of the next batch behind a key.';
comment on function strata.next_batch(int, float8, float8) is 'Rows of the next batch, from what the last one took and what it should take, in seconds.';
comment on function strata.estimated_rows(regclass) is 'How many rows the planner expects in a table.';
comment on function strata.standby_lag(interval, bigint) is 'Which standby replays later than the limits allow; null: none.';
comment on function strata.lock_queue(regclass, interval) is 'How many sessions that use a table have waited for a lock too long; null: none.';
comment on function strata.claim_backfill(text, regclass, text, text, bigint) is 'Takes a backfill for this session, where it stands or from the beginning.';
comment on function strata.note_batch(text, text[], int, bigint) is 'Writes down the batch that this transaction has done.';
comment on function strata.note_pause(text, text) is 'Writes down why the backfill of this session waits.';
comment on function strata.note_error(text, text, text) is 'Writes down what the backfill of this session has failed with.';
comment on function strata.note_done(text) is 'Writes down that the backfill of this session is at its end.';
comment on procedure strata.backfill(text, regclass, text, text, int, interval, interval, bigint) is
    'Runs a statement over a whole table in key order, a transaction for each batch; goes on where a crash left it.';
comment on function strata.forget_backfill(text) is 'Forgets how far a backfill has come: its next call starts over.';
comment on function strata.grant_backfill(regrole) is 'Lets a role run backfills, with its own rights on the tables.';
