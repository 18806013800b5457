-- migrations: what the database knows of a pack.
-- $1 text pack
-- rows: version text, name text, state text, checksum text, untouched text ('true': its way up was begun and nothing of
-- it was ever committed), open text ('true': a run of the pack is called running), finalized
-- text ('true': what it kept was removed since it was last applied), ascending by version
select m.version::text, m.name, m.state, m.checksum,
       (m.state = 'applying' and not exists (
           select from strata.run_step s join strata.run r on r.id = s.run
           where r.pack = m.pack and r.direction = 'up' and s.version = m.version and (s.state = 'done' or s.kind = 'alone')
             and s.started_at > coalesce((
                 select max(h.at) from strata.history h
                 where h.pack = m.pack and h.version = m.version and h.event in ('succeeded', 'forced', 'adopted')), '-infinity')
       ))::text,
       (exists (select from strata.run r where r.pack = m.pack and r.state = 'running'))::text,
       (exists (
           select from strata.history f
           where f.pack = m.pack and f.version = m.version and f.direction = 'finalize' and f.id > coalesce((
               select max(h.id) from strata.history h
               where h.pack = m.pack and h.version = m.version and h.direction = 'up' and h.event = 'started'), 0)
       ))::text
from strata.migration m
where m.pack = $1::text
order by m.version
