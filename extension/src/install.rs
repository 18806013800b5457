//! What CREATE EXTENSION installs from `sql/`, each file after the one it names. The SQL-only install follows this order.

use pgrx::prelude::*;

extension_sql_file!("../../sql/create/pack.sql", name = "pack", bootstrap);
extension_sql_file!("../../sql/create/pack_file.sql", name = "pack_file", requires = ["pack"]);
extension_sql_file!("../../sql/create/migration.sql", name = "migration", requires = ["pack_file"]);
extension_sql_file!("../../sql/create/run.sql", name = "run", requires = ["migration"]);
extension_sql_file!("../../sql/create/keep_request.sql", name = "keep_request", requires = ["run"]);
extension_sql_file!("../../sql/create/run_step.sql", name = "run_step", requires = ["keep_request"]);
extension_sql_file!("../../sql/create/run_event.sql", name = "run_event", requires = ["run_step"]);
extension_sql_file!("../../sql/create/dry_run.sql", name = "dry_run", requires = ["run_event"]);
extension_sql_file!("../../sql/create/history.sql", name = "history", requires = ["dry_run"]);
extension_sql_file!(
    "../../sql/create/migration_history.sql",
    name = "migration_history",
    requires = ["history"]
);
extension_sql_file!(
    "../../sql/create/migration_status.sql",
    name = "migration_status",
    requires = ["migration_history"]
);
extension_sql_file!(
    "../../sql/create/migration_version.sql",
    name = "migration_version",
    requires = ["migration_status"]
);
extension_sql_file!("../../sql/create/begin_step.sql", name = "begin_step", requires = ["migration_version"]);
extension_sql_file!("../../sql/create/finish_step.sql", name = "finish_step", requires = ["begin_step"]);
extension_sql_file!("../../sql/create/stop_asked.sql", name = "stop_asked", requires = ["finish_step"]);
extension_sql_file!("../../sql/create/run_is_alive.sql", name = "run_is_alive", requires = ["stop_asked"]);
extension_sql_file!(
    "../../sql/create/end_hung_executors.sql",
    name = "end_hung_executors",
    requires = ["run_is_alive"]
);
extension_sql_file!(
    "../../sql/create/runs_to_take.sql",
    name = "runs_to_take",
    requires = ["end_hung_executors"]
);
extension_sql_file!("../../sql/create/cancel_run.sql", name = "cancel_run", requires = ["runs_to_take"]);
extension_sql_file!("../../sql/create/ledger.sql", name = "ledger", requires = ["cancel_run"]);
extension_sql_file!("../../sql/create/session_schemas.sql", name = "session_schemas", requires = ["ledger"]);
extension_sql_file!("../../sql/create/ledgers.sql", name = "ledgers", requires = ["session_schemas"]);
extension_sql_file!("../../sql/create/begin_ledger.sql", name = "begin_ledger", requires = ["ledgers"]);
extension_sql_file!(
    "../../sql/create/force_version.sql",
    name = "force_version",
    requires = ["begin_ledger"]
);
extension_sql_file!("../../sql/create/session_text.sql", name = "session_text", requires = ["force_version"]);
extension_sql_file!("../../sql/create/lock_tree.sql", name = "lock_tree", requires = ["session_text"]);
extension_sql_file!("../../sql/create/is_dry_run.sql", name = "is_dry_run", requires = ["lock_tree"]);
extension_sql_file!(
    "../../sql/create/backfill_cursor.sql",
    name = "backfill_cursor",
    requires = ["is_dry_run"]
);
extension_sql_file!(
    "../../sql/create/backfill_is_alive.sql",
    name = "backfill_is_alive",
    requires = ["backfill_cursor"]
);
extension_sql_file!(
    "../../sql/create/backfill_progress.sql",
    name = "backfill_progress",
    requires = ["backfill_is_alive"]
);
extension_sql_file!(
    "../../sql/create/run_progress.sql",
    name = "run_progress",
    requires = ["backfill_progress"]
);
extension_sql_file!(
    "../../sql/create/unfinished_run.sql",
    name = "unfinished_run",
    requires = ["run_progress"]
);
extension_sql_file!(
    "../../sql/create/walk_columns.sql",
    name = "walk_columns",
    requires = ["unfinished_run"]
);
extension_sql_file!("../../sql/create/walk_query.sql", name = "walk_query", requires = ["walk_columns"]);
extension_sql_file!("../../sql/create/walk_batch.sql", name = "walk_batch", requires = ["walk_query"]);
extension_sql_file!("../../sql/create/next_batch.sql", name = "next_batch", requires = ["walk_batch"]);
extension_sql_file!(
    "../../sql/create/estimated_rows.sql",
    name = "estimated_rows",
    requires = ["next_batch"]
);
extension_sql_file!("../../sql/create/standby_lag.sql", name = "standby_lag", requires = ["estimated_rows"]);
extension_sql_file!("../../sql/create/lock_queue.sql", name = "lock_queue", requires = ["standby_lag"]);
extension_sql_file!(
    "../../sql/create/claim_backfill.sql",
    name = "claim_backfill",
    requires = ["lock_queue"]
);
extension_sql_file!(
    "../../sql/create/note_backfill.sql",
    name = "note_backfill",
    requires = ["claim_backfill"]
);
extension_sql_file!("../../sql/create/backfill.sql", name = "backfill", requires = ["note_backfill"]);
extension_sql_file!(
    "../../sql/create/forget_backfill.sql",
    name = "forget_backfill",
    requires = ["backfill"]
);
extension_sql_file!(
    "../../sql/create/grant_backfill.sql",
    name = "grant_backfill",
    requires = ["forget_backfill"]
);
extension_sql_file!(
    "../../sql/create/vector_schema.sql",
    name = "vector_schema",
    requires = ["grant_backfill"]
);
extension_sql_file!("../../sql/create/model.sql", name = "model", requires = ["vector_schema"]);
extension_sql_file!("../../sql/create/model_state.sql", name = "model_state", requires = ["model"]);
extension_sql_file!("../../sql/create/source.sql", name = "source", requires = ["model_state"]);
extension_sql_file!("../../sql/create/vector_store.sql", name = "vector_store", requires = ["source"]);
extension_sql_file!(
    "../../sql/create/indexed_tenants.sql",
    name = "indexed_tenants",
    requires = ["vector_store"]
);
extension_sql_file!(
    "../../sql/create/vector_indexes.sql",
    name = "vector_indexes",
    requires = ["indexed_tenants"]
);
extension_sql_file!("../../sql/create/row_id.sql", name = "row_id", requires = ["vector_indexes"]);
extension_sql_file!("../../sql/create/model_change.sql", name = "model_change", requires = ["row_id"]);
extension_sql_file!("../../sql/create/job.sql", name = "job", requires = ["model_change"]);
extension_sql_file!("../../sql/create/add_model.sql", name = "add_model", requires = ["job"]);
extension_sql_file!("../../sql/create/limit_model.sql", name = "limit_model", requires = ["add_model"]);
extension_sql_file!("../../sql/create/take_turn.sql", name = "take_turn", requires = ["limit_model"]);
extension_sql_file!("../../sql/create/drop_model.sql", name = "drop_model", requires = ["take_turn"]);
extension_sql_file!(
    "../../sql/create/text_expression.sql",
    name = "text_expression",
    requires = ["drop_model"]
);
extension_sql_file!("../../sql/create/source_text.sql", name = "source_text", requires = ["text_expression"]);
extension_sql_file!("../../sql/create/wake_workers.sql", name = "wake_workers", requires = ["source_text"]);
extension_sql_file!("../../sql/create/queue_jobs.sql", name = "queue_jobs", requires = ["wake_workers"]);
extension_sql_file!("../../sql/create/watcher.sql", name = "watcher", requires = ["queue_jobs"]);
extension_sql_file!("../../sql/create/watch_row.sql", name = "watch_row", requires = ["watcher"]);
extension_sql_file!("../../sql/create/watch_source.sql", name = "watch_source", requires = ["watch_row"]);
extension_sql_file!(
    "../../sql/create/follow_source.sql",
    name = "follow_source",
    requires = ["watch_source"]
);
extension_sql_file!(
    "../../sql/create/require_column.sql",
    name = "require_column",
    requires = ["follow_source"]
);
extension_sql_file!("../../sql/create/require_key.sql", name = "require_key", requires = ["require_column"]);
extension_sql_file!(
    "../../sql/create/require_vector_column.sql",
    name = "require_vector_column",
    requires = ["require_key"]
);
extension_sql_file!(
    "../../sql/create/add_source.sql",
    name = "add_source",
    requires = ["require_vector_column"]
);
extension_sql_file!("../../sql/create/drop_source.sql", name = "drop_source", requires = ["add_source"]);
extension_sql_file!("../../sql/create/lock_missing.sql", name = "lock_missing", requires = ["drop_source"]);
extension_sql_file!("../../sql/create/queue_page.sql", name = "queue_page", requires = ["lock_missing"]);
extension_sql_file!(
    "../../sql/create/enqueue_missing.sql",
    name = "enqueue_missing",
    requires = ["queue_page"]
);
extension_sql_file!(
    "../../sql/create/enqueue_again.sql",
    name = "enqueue_again",
    requires = ["enqueue_missing"]
);
extension_sql_file!("../../sql/create/set_chunking.sql", name = "set_chunking", requires = ["enqueue_again"]);
extension_sql_file!("../../sql/create/lease_jobs.sql", name = "lease_jobs", requires = ["set_chunking"]);
extension_sql_file!("../../sql/create/by_plan.sql", name = "by_plan", requires = ["lease_jobs"]);
extension_sql_file!("../../sql/create/lock_rows.sql", name = "lock_rows", requires = ["by_plan"]);
extension_sql_file!("../../sql/create/store_vectors.sql", name = "store_vectors", requires = ["lock_rows"]);
extension_sql_file!(
    "../../sql/create/settle_textless.sql",
    name = "settle_textless",
    requires = ["store_vectors"]
);
extension_sql_file!("../../sql/create/claim_jobs.sql", name = "claim_jobs", requires = ["settle_textless"]);
extension_sql_file!(
    "../../sql/create/require_vectors.sql",
    name = "require_vectors",
    requires = ["claim_jobs"]
);
extension_sql_file!("../../sql/create/lock_jobs.sql", name = "lock_jobs", requires = ["require_vectors"]);
extension_sql_file!("../../sql/create/complete_jobs.sql", name = "complete_jobs", requires = ["lock_jobs"]);
extension_sql_file!("../../sql/create/fail_jobs.sql", name = "fail_jobs", requires = ["complete_jobs"]);
extension_sql_file!("../../sql/create/retry_dead.sql", name = "retry_dead", requires = ["fail_jobs"]);
extension_sql_file!("../../sql/create/count_missing.sql", name = "count_missing", requires = ["retry_dead"]);
extension_sql_file!(
    "../../sql/create/words_expression.sql",
    name = "words_expression",
    requires = ["count_missing"]
);
extension_sql_file!(
    "../../sql/create/set_text_search.sql",
    name = "set_text_search",
    requires = ["words_expression"]
);
extension_sql_file!("../../sql/create/text_index.sql", name = "text_index", requires = ["set_text_search"]);
extension_sql_file!("../../sql/create/sources.sql", name = "sources", requires = ["text_index"]);
extension_sql_file!("../../sql/create/queue_status.sql", name = "queue_status", requires = ["sources"]);
extension_sql_file!("../../sql/create/as_jsonb.sql", name = "as_jsonb", requires = ["queue_status"]);
extension_sql_file!(
    "../../sql/create/require_vectors_table.sql",
    name = "require_vectors_table",
    requires = ["as_jsonb"]
);
extension_sql_file!(
    "../../sql/create/hierarchy_change.sql",
    name = "hierarchy_change",
    requires = ["require_vectors_table"]
);
extension_sql_file!(
    "../../sql/create/hierarchy_statement.sql",
    name = "hierarchy_statement",
    requires = ["hierarchy_change"]
);
extension_sql_file!(
    "../../sql/create/mark_hierarchy_change.sql",
    name = "mark_hierarchy_change",
    requires = ["hierarchy_statement"]
);
extension_sql_file!(
    "../../sql/create/refresh_hierarchy_view.sql",
    name = "refresh_hierarchy_view",
    requires = ["mark_hierarchy_change"]
);

// The extension's alone: what a dump carries.
extension_sql_file!(
    "../sql/config_dump.sql",
    name = "config_dump",
    requires = ["refresh_hierarchy_view", "expansion_end", "http_end", "models_end"]
);

// What each of them is for.
extension_sql_file!(
    "../../sql/comment/migrations.sql",
    name = "comment_migrations",
    requires = ["config_dump"]
);
extension_sql_file!(
    "../../sql/comment/hierarchy.sql",
    name = "comment_hierarchy",
    requires = ["comment_embeddings"]
);
extension_sql_file!(
    "../../sql/comment/backfill.sql",
    name = "comment_backfill",
    requires = ["comment_hierarchy"]
);
