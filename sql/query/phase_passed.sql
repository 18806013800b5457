-- phase_passed: a phase without migrations is behind the pack.
-- $1 text run   $2 int8 attempt   $3 int8 phase
insert into strata.phase_passed (pack, phase, run)
select r.pack, $3::int8::int, r.id from strata.run r
where r.id = $1::text::uuid and r.attempt = $2::int8 and r.state = 'running'
on conflict (pack, phase) do nothing
