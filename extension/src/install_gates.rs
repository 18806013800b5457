//! What CREATE EXTENSION installs for gates and sign-offs, behind the state of runs and the queue.

use pgrx::prelude::*;

extension_sql_file!("../../sql/create/phase_passed.sql", name = "phase_passed", requires = ["queue_status"]);
extension_sql_file!("../../sql/create/signature.sql", name = "signature", requires = ["phase_passed"]);
extension_sql_file!("../../sql/create/require_pack.sql", name = "require_pack", requires = ["signature"]);
extension_sql_file!("../../sql/create/phase_files.sql", name = "phase_files", requires = ["require_pack"]);
extension_sql_file!(
    "../../sql/create/phase_has_begun.sql",
    name = "phase_has_begun",
    requires = ["phase_files"]
);
extension_sql_file!(
    "../../sql/create/checklist_items.sql",
    name = "checklist_items",
    requires = ["phase_has_begun"]
);
extension_sql_file!(
    "../../sql/create/verified_state.sql",
    name = "verified_state",
    requires = ["checklist_items"]
);
extension_sql_file!(
    "../../sql/create/embedded_state.sql",
    name = "embedded_state",
    requires = ["verified_state"]
);
extension_sql_file!(
    "../../sql/create/signature_state.sql",
    name = "signature_state",
    requires = ["embedded_state"]
);
extension_sql_file!("../../sql/create/item_state.sql", name = "item_state", requires = ["signature_state"]);
extension_sql_file!("../../sql/create/checklist.sql", name = "checklist", requires = ["item_state"]);
extension_sql_file!("../../sql/create/phase_status.sql", name = "phase_status", requires = ["checklist"]);
extension_sql_file!("../../sql/create/require_item.sql", name = "require_item", requires = ["phase_status"]);
extension_sql_file!("../../sql/create/sign_off.sql", name = "sign_off", requires = ["require_item"]);
extension_sql_file!("../../sql/create/withdraw_sign_off.sql", name = "gates_end", requires = ["sign_off"]);
extension_sql_file!("../../sql/comment/sign_off.sql", name = "comment_sign_off", requires = ["config_dump"]);
