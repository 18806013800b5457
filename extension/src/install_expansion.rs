//! What CREATE EXTENSION installs for expand and contract, behind backfills and the copies of what was retired.

use pgrx::prelude::*;

extension_sql_file!("../../sql/create/expansion.sql", name = "expansion", requires = ["gates_end"]);
extension_sql_file!("../../sql/create/both_name.sql", name = "both_name", requires = ["expansion"]);
extension_sql_file!("../../sql/create/write_both.sql", name = "write_both", requires = ["both_name"]);
extension_sql_file!(
    "../../sql/create/require_expansion.sql",
    name = "require_expansion",
    requires = ["write_both"]
);
extension_sql_file!(
    "../../sql/create/require_expandable.sql",
    name = "require_expandable",
    requires = ["require_expansion"]
);
extension_sql_file!(
    "../../sql/create/expand_column.sql",
    name = "expand_column",
    requires = ["require_expandable"]
);
extension_sql_file!(
    "../../sql/create/walk_condition.sql",
    name = "walk_condition",
    requires = ["expand_column"]
);
extension_sql_file!("../../sql/create/fill_column.sql", name = "fill_column", requires = ["walk_condition"]);
extension_sql_file!(
    "../../sql/create/require_unused.sql",
    name = "require_unused",
    requires = ["fill_column"]
);
extension_sql_file!(
    "../../sql/create/revert_expand.sql",
    name = "revert_expand",
    requires = ["require_unused"]
);
extension_sql_file!(
    "../../sql/create/contract_column.sql",
    name = "contract_column",
    requires = ["revert_expand"]
);
extension_sql_file!(
    "../../sql/create/revert_contract.sql",
    name = "expansion_end",
    requires = ["contract_column"]
);
extension_sql_file!(
    "../../sql/comment/expansion.sql",
    name = "comment_expansion",
    requires = ["config_dump"]
);
