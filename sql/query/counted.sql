-- counted: what the newest run of a pack has moved, where it was asked for so many versions and did not end. What an operator
-- has forced since begins anew.
-- $1 text pack   $2 text direction   $3 int8 count
-- rows: version text or null, name text or null, in the order in which they were moved; none: there is no such run
select h.version::text, h.name
from (select x.* from strata.run x where x.pack = $1::text order by x.requested_at desc limit 1) r
left join strata.history h
    on h.run = r.id and h.event = 'succeeded' and h.direction = r.direction and h.attempt >= (r.request ->> 'since'::text)::int
where r.direction = $2::text and r.state <> 'succeeded' and (r.request ->> 'count'::text)::int8 = $3::int8
  and not exists (
      select from strata.history f
      where f.pack = r.pack and f.event in ('forced', 'adopted')
        and f.id > coalesce((select pg_catalog.min(b.id) from strata.history b where b.run = r.id and b.attempt >= (r.request ->> 'since'::text)::int), 0))
order by h.id
