-- eval_search: one question of a labelled set. $1 vector embedding   $2 int4 rows   $3 text or null   $4 float8 its share
-- row: the ids found, best first, uuid[]
select array(select r.entity_id
             from strata.rag_search($1, '00000000-0000-0000-0000-000000000001', $2, entity_types => array['strata_eval'],
                                    query_text => $3, text_weight => $4) r)
