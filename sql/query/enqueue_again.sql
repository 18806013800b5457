-- enqueue_again: one page of the walk that queues rows whether they have an embedding or not.
-- $1 text entity type   $2 text last key of the page before, or null   $3 int8 rows a page   $4 bool only those of another model
-- rows: enqueued text, last text (null: the walk is over)
select e.enqueued::text, e.last
from strata.enqueue_again($1::text, $2::text, $3::int8::int, $4::bool) e
