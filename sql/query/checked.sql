-- checked: how the verification of a version ended that was made again before a gate.
-- $1 text run   $2 int8 attempt   $3 int8 version   $4 text sqlstate or null   $5 text message or null: it passed
insert into strata.history (pack, version, name, direction, event, run, attempt, sqlstate, message)
select r.pack, m.version, m.name, 'verify', case when $5::text is null then 'succeeded' else 'failed' end, r.id,
       $2::int8::int, $4::text, $5::text
from strata.run r join strata.migration m on m.pack = r.pack and m.version = $3::int8
where r.id = $1::text::uuid and r.attempt = $2::int8
