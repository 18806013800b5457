-- locks: the blocking tree of this database.
-- rows: depth, pid, waits_for as a JSON array, blocks, role, application, state, idle_in_transaction ('true' or 'false'),
-- relation, mode, waiting_seconds, transaction_seconds, query; all text
select t.depth::text, t.pid::text, pg_catalog.to_jsonb(t.waits_for)::text, t.blocks::text, t.role::text, t.application, t.state,
       t.idle_in_transaction::text, t.relation, t.mode, t.waiting_seconds::text, t.transaction_seconds::text, t.query
from strata.lock_tree() t
