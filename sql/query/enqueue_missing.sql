-- enqueue_missing: one page of the walk that queues rows without an embedding.
-- $1 text entity type   $2 text last key of the page before, or null   $3 int8 rows a page
-- rows: enqueued text, last text (null: the walk is over)
select e.enqueued::text, e.last
from strata.enqueue_missing($1::text, $2::text, $3::int8::int) e
