-- version: as \df+ shows it.
comment on function strata.version() is 'The version of the code of the extension.';
