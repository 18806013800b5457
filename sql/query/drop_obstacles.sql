-- drop_obstacles: why the tables of the current schema are not to be dropped.
-- $1 text pack whose state goes with them
-- rows: what, and behind a colon what to do first; text
select format('%I.%I is searched: psql -c "select strata.drop_source(''%s'')"', s.relation_schema, s.relation_name, s.entity_type)
from strata.source s
where s.relation_schema = current_schema()
union all
select format('pack %s has applied versions: strata down --all --pack %s', m.pack, m.pack)
from strata.migration m
where m.pack <> $1::text and m.state <> 'pending'
group by m.pack
order by 1
