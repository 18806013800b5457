-- sources: what is searched, and by which model.
-- rows: entity_type, model, provider, dimensions; all text
select s.entity_type, s.model, m.provider, m.dimensions::text
from strata.source s
join strata.model m on m.name = s.model
order by s.entity_type
