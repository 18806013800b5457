-- migrations: what the state of migrations is for, as \d+ and \df+ show it.
comment on table strata.pack is 'The folders of migrations that this database has been told about.';
comment on column strata.pack.manifest is 'pack.toml as it was at the last request.';
comment on column strata.pack.variables is 'The values that stand for ${name} in the files.';

comment on table strata.migration is 'Every version of every pack, applied or not.';
comment on column strata.migration.state is 'pending, applying, applied or reverting; applying and reverting are half-way.';
comment on column strata.migration.checksum is 'sha256 of the up file, before variables are put in, in hex.';

comment on column strata.migration.entry is 'Version and statements as Supabase''s table has them; only of packs in its layout.';

comment on table strata.ledger is 'The table of another migration tool that a pack is kept in step with.';
comment on column strata.ledger.kind is 'golang-migrate, supabase, or none: with none, whatever is found.';
comment on function strata.ledger_name(strata.ledger) is 'How a ledger is called in a message.';
comment on function strata.golang_lock_id(text, text, text) is 'The advisory lock that golang-migrate holds while it is at work.';
comment on function strata.golang_is_at_work(text, text) is 'Whether golang-migrate holds its lock; else it is this transaction''s.';
comment on function strata.open_ledger(strata.ledger) is 'Locks a ledger against writers; refuses one that would run somebody''s code.';
comment on function strata.golang_row(bigint[], text[]) is 'What golang-migrate''s table says when versions stand like this.';
comment on function strata.write_golang(strata.ledger, text, text, boolean) is 'Writes golang-migrate''s one row, if it is what it was.';
comment on function strata.write_supabase(strata.ledger, bigint[]) is 'Writes a row for each of these versions that is applied, none for another.';
comment on function strata.keep_ledger() is 'Trigger function: what another tool believes follows strata.migration.';
comment on function strata.reset_ledger(text) is 'Makes the ledger of a pack say what strata.migration says.';
comment on function strata.ledgers(text, text) is 'The tables of other migration tools that may be those of a pack, with what they say.';
comment on function strata.session_schemas() is 'The schemas of the session''s search_path that there are, in its order.';
comment on function strata.begin_ledger(text, text) is 'Makes the table of another tool that a pack is to be kept in step with, empty.';
comment on function strata.bind_ledger(text, text, text, text) is 'Keeps a pack in step with a table of another tool; kind none: with none.';

comment on table strata.run is 'One request to move a pack to a version; at most one live run a pack.';
comment on column strata.run.attempt is 'Fence of the executor: only the newest attempt may write.';

comment on table strata.run_step is 'The smallest restartable unit of a run: intent committed before it runs, outcome after it.';
comment on column strata.run_step.kind is 'transaction: statements that share one; alone: a statement that refuses one; verify.';

comment on table strata.history is 'What happened, in order, for ever: one row when a migration starts, another when it ends. Append-only.';
comment on view strata.migration_history is 'One row for each attempt of a migration, with its time, outcome and error.';
comment on column strata.migration_history.success is 'Null while it runs, or where it never ended.';

comment on function strata.history_is_append_only() is 'Trigger function: refuses every change of strata.history but an insert.';
comment on function strata.migration_status(text) is 'Every version of a pack, in order, with where it stands and what its last attempt said.';
comment on function strata.migration_version(text) is 'The highest version of a pack that is applied; null: none.';
