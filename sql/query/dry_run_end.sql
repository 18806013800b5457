-- dry_run_end: what became of the transaction of a dry run.
-- $1 text transaction
-- rows: status text: 'aborted', as it must be
select pg_xact_status($1::text::xid8)
