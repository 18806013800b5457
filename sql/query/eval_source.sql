-- eval_source: registers the table of eval_set. $1 text model   $2 text its provider   $3 int4 its dimensions
-- $4 text text search configuration   row: nothing to read
with model as materialized (
    select case when not exists (select from strata.model m where m.name = $1) then strata.add_model($1, $2, $3)::text end
)
select strata.add_source('strata_eval', 'strata_eval.document', 'id', 'tenant', 'title', array['content'], 'embedding', $1,
                         text_search_config => $4::text::regconfig, text_search_column => 'words')
from model
