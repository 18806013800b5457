//! The SQL door: the extension `strata`. One module for each feature that is written in Rust; one file in `sql/create`
//! for each that is written in SQL, installed in the order below.

#![allow(
    clippy::result_large_err,
    reason = "pgrx reports the fields of an ErrorReport only where it is not boxed"
)]

use pgrx::prelude::*;

mod arguments;
mod bulk;
mod by_plan;
mod caller;
mod cosine;
mod delegation;
mod ef_search;
mod executor;
mod explain;
mod finalize_migration_cleanup;
mod find_similar;
mod find_similar_content;
mod hits;
mod install;
mod install_expansion;
mod install_gates;
mod install_http;
mod install_models;
mod jsonb;
mod key;
mod patience;
mod plan;
mod planned;
mod preflight;
mod prepared;
mod push_pack;
mod rag_search;
mod ranked;
mod registry;
mod remembered;
mod report;
mod search;
mod search_explain;
mod session_search_path;
mod settings;
mod similar;
mod spare_server;
mod start_run;
mod store;
mod told;
mod values;
mod vector;
mod vector_shape;
mod verify;
mod verify_migration_integrity;
mod watch_row;

#[cfg(any(test, feature = "pg_test"))]
mod tests;

::pgrx::pg_module_magic!(name, version);

/// When a session loads the library.
#[pg_guard]
#[allow(non_snake_case, reason = "PostgreSQL looks for this name")]
pub extern "C-unwind" fn _PG_init() {
    patience::define();
    ef_search::define();
}

/// The version of the extension's code.
#[pg_extern(immutable, strict, parallel_safe)]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

extension_sql_file!("../../sql/comment/version.sql", name = "comment_version", requires = [version]);

extension_sql_file!(
    "../../sql/comment/runs.sql",
    name = "comment_runs",
    requires = [
        "config_dump",
        push_pack::push_pack,
        plan::plan,
        preflight::preflight,
        start_run::start_run,
        start_run::resume_run,
        spare_server::spare_server,
        verify::verify
    ]
);
extension_sql_file!(
    "../../sql/create/watch_registry.sql",
    name = "watch_registry",
    requires = ["source", "model", remembered::forget_registry]
);
extension_sql_file!(
    "../../sql/create/grant_search.sql",
    name = "grant_search",
    requires = [
        "watch_registry",
        "http_end",
        caller::caller,
        "refresh_hierarchy_view",
        rag_search::rag_search,
        search::search,
        find_similar::find_similar,
        find_similar_content::find_similar_content,
        search_explain::search_explain,
        explain::explain
    ]
);
extension_sql_file!("../../sql/comment/search.sql", name = "comment_search", requires = ["grant_search"]);
extension_sql_file!(
    "../../sql/comment/embeddings.sql",
    name = "comment_embeddings",
    requires = ["comment_migrations", session_search_path::session_search_path, vector_shape::vector_shape]
);
extension_sql_file!(
    "../../sql/comment/contract.sql",
    name = "comment_contract",
    requires = [
        "config_dump",
        verify_migration_integrity::verify_migration_integrity,
        finalize_migration_cleanup::finalize_migration_cleanup
    ]
);
extension_sql_file!(
    "../../sql/create/revoke_runs.sql",
    name = "revoke_runs",
    requires = ["comment_runs", "comment_contract"]
);

extension_sql_file!(
    "../../sql/create/grant_operator.sql",
    name = "grant_operator",
    requires = ["revoke_runs", "http_end", "models_end"]
);

/// What the test harness asks for.
#[cfg(test)]
pub mod pg_test {
    /// Nothing to prepare.
    pub fn setup(_options: Vec<&str>) {}

    /// The cluster is thrown away.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec!["fsync = off"]
    }
}
