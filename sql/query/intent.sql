-- intent: the transaction in which a version began to move, since it was last at rest.
-- $1 text run   $2 int8 attempt   $3 int8 version
-- rows: transaction text; none where its history does not tell
select h.xmin::text
from strata.run r
join strata.history h on h.pack = r.pack and h.version = $3::int8 and h.event = 'started'
where r.id = $1::text::uuid and r.attempt = $2::int8
  and h.at > coalesce((
      select max(x.at) from strata.history x
      where x.pack = h.pack and x.version = h.version and x.event in ('succeeded', 'forced', 'adopted')), '-infinity')
order by h.id
limit 1
