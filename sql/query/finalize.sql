-- finalize: the clean-up of a pack.
-- $1 text pack
-- rows: removed text
select strata.finalize_migration_cleanup($1::text)::text
