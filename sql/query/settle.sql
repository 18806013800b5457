-- settle: the end of a run that died behind its last version, before it could say so. The lock of the pack is held, so
-- a run that is still called running has lost its executor; nothing of the pack is left to do in its direction.
-- $1 text pack   $2 bool it was asked for so many versions, and has moved them
update strata.run r
set state = 'succeeded', finished_at = clock_timestamp()
where r.pack = $1::text and r.state = 'running'
  and ($2::bool or not exists (
      select from strata.migration m
      where m.pack = r.pack and m.state <> case r.direction when 'up' then 'applied' else 'pending' end))
