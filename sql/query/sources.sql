-- sources: what is searched, and by which model.
-- rows: entity_type, model, provider, dimensions, whether its words are searched, whether its rows
-- are embedded here; all text
select s.entity_type, s.model, m.provider, m.dimensions::text, (s.text_search_config is not null)::text, s.queued::text
from strata.source s
join strata.model m on m.name = s.model
order by s.entity_type
