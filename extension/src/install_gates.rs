//! What CREATE EXTENSION installs for gates, sign-offs and contracts, behind the state of runs and the queue.

use pgrx::prelude::*;

extension_sql_file!("../../sql/create/phase_passed.sql", name = "phase_passed", requires = ["queue_status"]);
extension_sql_file!("../../sql/create/signer.sql", name = "signer", requires = ["phase_passed"]);
extension_sql_file!("../../sql/create/signature.sql", name = "signature", requires = ["signer"]);
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
extension_sql_file!("../../sql/create/open_gate.sql", name = "open_gate", requires = ["phase_status"]);
extension_sql_file!("../../sql/create/require_item.sql", name = "require_item", requires = ["open_gate"]);
extension_sql_file!(
    "../../sql/create/require_contract_ended.sql",
    name = "require_contract_ended",
    requires = ["require_item"]
);
extension_sql_file!(
    "../../sql/create/sign_off.sql",
    name = "sign_off",
    requires = ["require_contract_ended"]
);
extension_sql_file!(
    "../../sql/create/withdraw_sign_off.sql",
    name = "withdraw_sign_off",
    requires = ["sign_off"]
);
extension_sql_file!("../../sql/create/kept.sql", name = "kept", requires = ["withdraw_sign_off"]);
extension_sql_file!("../../sql/create/copy_name.sql", name = "copy_name", requires = ["kept"]);
extension_sql_file!("../../sql/create/relation_name.sql", name = "relation_name", requires = ["copy_name"]);
extension_sql_file!("../../sql/create/kept_of.sql", name = "kept_of", requires = ["relation_name"]);
extension_sql_file!("../../sql/create/require_kept.sql", name = "require_kept", requires = ["kept_of"]);
extension_sql_file!("../../sql/create/patiently.sql", name = "patiently", requires = ["require_kept"]);
extension_sql_file!("../../sql/create/close_relation.sql", name = "close_relation", requires = ["patiently"]);
extension_sql_file!(
    "../../sql/create/column_definitions.sql",
    name = "column_definitions",
    requires = ["close_relation"]
);
extension_sql_file!(
    "../../sql/create/require_retirable.sql",
    name = "require_retirable",
    requires = ["column_definitions"]
);
extension_sql_file!(
    "../../sql/create/capture_kept.sql",
    name = "capture_kept",
    requires = ["require_retirable"]
);
extension_sql_file!("../../sql/create/begin_retire.sql", name = "begin_retire", requires = ["capture_kept"]);
extension_sql_file!("../../sql/create/copy_kept.sql", name = "copy_kept", requires = ["begin_retire"]);
extension_sql_file!("../../sql/create/end_retire.sql", name = "end_retire", requires = ["copy_kept"]);
extension_sql_file!("../../sql/create/count_kept.sql", name = "count_kept", requires = ["end_retire"]);
extension_sql_file!(
    "../../sql/create/retire_columns.sql",
    name = "retire_columns",
    requires = ["count_kept"]
);
extension_sql_file!(
    "../../sql/create/begin_restore.sql",
    name = "begin_restore",
    requires = ["retire_columns"]
);
extension_sql_file!("../../sql/create/restore_kept.sql", name = "restore_kept", requires = ["begin_restore"]);
extension_sql_file!("../../sql/create/end_restore.sql", name = "end_restore", requires = ["restore_kept"]);
extension_sql_file!(
    "../../sql/create/restore_columns.sql",
    name = "restore_columns",
    requires = ["end_restore"]
);
extension_sql_file!(
    "../../sql/create/retire_table.sql",
    name = "retire_table",
    requires = ["restore_columns"]
);
extension_sql_file!(
    "../../sql/create/restore_table.sql",
    name = "restore_table",
    requires = ["retire_table"]
);
extension_sql_file!("../../sql/create/integrity.sql", name = "integrity", requires = ["restore_table"]);
extension_sql_file!("../../sql/create/drop_kept.sql", name = "gates_end", requires = ["integrity"]);
extension_sql_file!("../../sql/comment/sign_off.sql", name = "comment_sign_off", requires = ["config_dump"]);
