-- contract: what contract phases keep, and how it comes back, as \d+ and \df+ show it.
comment on table strata.kept is 'What contract phases took away and still have: columns in a copy, or a table in a schema of its own.';
comment on column strata.kept.state is 'copying, kept, restoring, restored or finalized; of finalized ones nothing is left.';
comment on column strata.kept.definition is 'Statements that make it as it was.';

comment on procedure strata.retire_columns(text, text[], int) is
    'Drops columns and keeps their values in a copy that nobody may read; beside the application, in batches.';
comment on procedure strata.restore_columns(text, text[], int) is
    'Brings back columns that strata.retire_columns dropped, every value by its key.';
comment on function strata.retire_table(text) is 'Takes a table away from everybody and keeps it as it is.';
comment on function strata.restore_table(text) is 'Brings back a table that strata.retire_table took away.';
comment on procedure strata.patiently(text) is
    'Runs a statement in a transaction of its own; gives way where a lock is not to be had, and tries again.';
comment on function strata.integrity(text) is 'What the catalog and the state of a pack say of each other.';
comment on function strata.verify_migration_integrity(text) is
    'Every verification of every applied version, as the caller, and what catalog and state say of each other.';
comment on function strata.finalize_migration_cleanup(text) is
    'Verifies, and removes what the contract of a pack kept, if that is signed. Returns the copies removed.';
comment on function strata.relation_name(text, regclass, text) is 'Schema and name of a table, whether it is there or not.';
comment on function strata.copy_name(text, text[]) is 'What the copy of columns, or the schema of a retired table, is called.';
comment on function strata.kept_of(text, text[]) is 'The newest copy of these columns, or of the table.';
comment on function strata.require_kept(text, text[]) is 'The copy of columns or of a table, unless it cannot come back.';
comment on function strata.require_retirable(text, text[]) is 'Refuses columns whose values could not be brought back.';
comment on function strata.close_relation(regclass) is 'Takes every right on a table from everybody but its owner.';
comment on function strata.column_definitions(regclass, text[]) is 'The statements that make columns again as they are now.';
comment on function strata.capture_kept() is 'Trigger function: what is written while columns are being copied is copied with it.';
comment on function strata.begin_retire(text, text[]) is 'Makes the copy of columns that are about to be dropped, empty and closed.';
comment on function strata.copy_kept(bigint, int) is 'Copies the next batch of keys and values.';
comment on function strata.end_retire(bigint) is 'Drops the columns whose copy is whole.';
comment on function strata.begin_restore(bigint) is 'Adds the columns of a copy again, empty.';
comment on function strata.restore_kept(bigint, int) is 'Brings back the values of the next batch of keys.';
comment on function strata.end_restore(bigint) is 'Makes columns as they were once their values are back.';
comment on function strata.count_kept(bigint) is 'How many rows a copy has.';
comment on function strata.drop_kept(text) is 'Removes every copy that a pack''s contract kept, if that is signed.';
