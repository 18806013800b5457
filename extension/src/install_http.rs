//! What CREATE EXTENSION installs for the HTTP door, behind gates and expansions.

use pgrx::prelude::*;

extension_sql_file!("../../sql/create/delegation.sql", name = "delegation", requires = ["expansion_end"]);
extension_sql_file!("../../sql/create/delegate_pack.sql", name = "delegate_pack", requires = ["delegation"]);
extension_sql_file!("../../sql/create/request_key.sql", name = "request_key", requires = ["delegate_pack"]);
extension_sql_file!(
    "../../sql/create/start_run_once.sql",
    name = "start_run_once",
    requires = ["request_key"]
);
extension_sql_file!(
    "../../sql/create/search_model.sql",
    name = "search_model",
    requires = ["start_run_once"]
);
extension_sql_file!(
    "../../sql/create/dry_run_report.sql",
    name = "dry_run_report",
    requires = ["search_model"]
);
extension_sql_file!("../../sql/create/jobs_left.sql", name = "jobs_left", requires = ["dry_run_report"]);
extension_sql_file!(
    "../../sql/create/grant_embedding.sql",
    name = "grant_embedding",
    requires = ["jobs_left"]
);
extension_sql_file!(
    "../../sql/create/schedule_embedding.sql",
    name = "schedule_embedding",
    requires = ["grant_embedding"]
);
extension_sql_file!("../../sql/create/grant_http.sql", name = "http_end", requires = ["schedule_embedding"]);
extension_sql_file!("../../sql/comment/http.sql", name = "comment_http", requires = ["config_dump"]);
