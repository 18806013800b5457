-- steps: how far the versions that stand half-way have come, in whichever run: what a version has behind it since it was
-- last at rest. A step that one run finished stays finished for the next.
-- $1 text run, whose pack and direction are meant
-- rows: version text, number text, checksum text, state text
select distinct on (s.version, s.number) s.version::text, s.number::text, s.checksum, s.state
from strata.run_step s
join strata.run r on r.id = s.run
join strata.run mine on mine.id = $1::text::uuid and mine.pack = r.pack and mine.direction = r.direction
join strata.migration m on m.pack = r.pack and m.version = s.version and m.state in ('applying', 'reverting')
where s.started_at > coalesce((
    select max(h.at) from strata.history h
    where h.pack = m.pack and h.version = m.version and h.event in ('succeeded', 'forced', 'adopted')), '-infinity')
order by s.version, s.number, (s.state = 'done') desc, s.started_at desc
