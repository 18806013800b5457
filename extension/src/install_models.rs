//! What CREATE EXTENSION installs for changing models, behind the queue and the HTTP door.

use pgrx::prelude::*;

extension_sql_file!(
    "../../sql/create/require_change.sql",
    name = "require_change",
    requires = ["http_end", "refresh_hierarchy_view"]
);
extension_sql_file!("../../sql/create/share_store.sql", name = "share_store", requires = ["require_change"]);
extension_sql_file!(
    "../../sql/create/start_model_change.sql",
    name = "start_model_change",
    requires = ["share_store"]
);
extension_sql_file!(
    "../../sql/create/continue_model_change.sql",
    name = "continue_model_change",
    requires = ["start_model_change"]
);
extension_sql_file!(
    "../../sql/create/continue_model_changes.sql",
    name = "continue_model_changes",
    requires = ["continue_model_change"]
);
extension_sql_file!(
    "../../sql/create/switch_model.sql",
    name = "switch_model",
    requires = ["continue_model_changes"]
);
extension_sql_file!(
    "../../sql/create/end_model_change.sql",
    name = "end_model_change",
    requires = ["switch_model"]
);
extension_sql_file!(
    "../../sql/create/limit_model_change.sql",
    name = "limit_model_change",
    requires = ["end_model_change"]
);
extension_sql_file!(
    "../../sql/create/estimate_model_change.sql",
    name = "estimate_model_change",
    requires = ["limit_model_change"]
);
extension_sql_file!(
    "../../sql/create/model_changes.sql",
    name = "models_end",
    requires = ["estimate_model_change"]
);
extension_sql_file!("../../sql/comment/models.sql", name = "comment_models", requires = ["config_dump"]);
