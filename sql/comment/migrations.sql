-- migrations: what the state of migrations is for, as \d+ and \df+ show it.
comment on table strata.pack is 'The folders of migrations that this database has been told about.';
comment on column strata.pack.manifest is 'pack.toml as it was at the last request.';
comment on column strata.pack.variables is 'The values that stand for ${name} in the files.';

comment on table strata.migration is 'Every version of every pack, applied or not.';
comment on column strata.migration.state is 'pending, applying, applied or reverting; applying and reverting are half-way.';
comment on column strata.migration.checksum is 'sha256 of the up file, before variables are put in, in hex.';

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
