-- models: the models that are known, and what sources do with them.
-- rows: name, provider, dimensions, searched (sources that are searched by it), beside (that are embedded with it and not searched
-- by it), queued, leased, dead (jobs), fault (why its provider is left alone; null: it is not); all text
select m.name, m.provider, m.dimensions::text,
       (select count(*) from strata.source s where s.model = m.name)::text,
       (select count(*) from strata.source_beside b where b.model = m.name)::text,
       j.queued::text, j.leased::text, j.dead::text,
       case when p.paused_until > clock_timestamp() then p.error end
from strata.model m
left join strata.model_state p on p.model = m.name
cross join lateral (
    select count(*) filter (where j.state = 'queued') as queued, count(*) filter (where j.state = 'leased') as leased,
           count(*) filter (where j.state = 'dead') as dead
    from strata.job j where j.model = m.name
) j
order by m.name
