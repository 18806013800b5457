-- resumable: what stands between a run and its going on.
-- $1 text run
-- rows: pack text, direction text, state text, newest text ('true' or 'false'), request text; none: no such run
select r.pack, r.direction, r.state,
       (r.id = (select x.id from strata.run x where x.pack = r.pack order by x.requested_at desc limit 1))::text,
       r.request::text
from strata.run r
where r.id = $1::text::uuid
for update
