-- left: what the queue still holds of some models.
-- $1 text[] models   $2 text worker that asks
-- rows: ripe int8 (could be claimed now), later int8 (wait for their time), held int8 (by workers whose session lives),
-- lent int8 (by others, until their lease is over), lent_until text (the last of them), dead int8, next float8 (seconds
-- until the first of those that wait may be claimed; null: none waits), stopped int8 (their model's budget is used up)
select count(*) filter (where j.state = 'queued' and c.to_model is null and greatest(j.not_before, m.paused_until) <= clock_timestamp()),
       count(*) filter (where j.state = 'queued' and c.to_model is null and greatest(j.not_before, m.paused_until) > clock_timestamp()),
       count(*) filter (where j.state = 'leased' and j.session_pid is not null),
       count(*) filter (where j.state = 'leased' and j.session_pid is null and j.worker <> $2::text),
       to_char(max(j.lease_until) filter (where j.state = 'leased' and j.session_pid is null), 'HH24:MI:SS'),
       count(*) filter (where j.state = 'dead'),
       extract(epoch from min(greatest(j.not_before, m.paused_until)) filter (where j.state = 'queued' and c.to_model is null) - clock_timestamp())::float8,
       count(*) filter (where j.state = 'queued' and c.to_model is not null)
from strata.job j
join strata.model_state m on m.model = j.model
left join strata.model_change c on c.to_model = j.model and c.stopped and c.state = 'filling'
where j.model = any ($1::text[])
