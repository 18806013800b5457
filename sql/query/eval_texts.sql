-- eval_texts: the documents of a labelled set as they are embedded, in order. rows: id uuid, content text
select t.id, t.content
from strata.source_text('strata_eval', array(select d.id from strata_eval.document d)) t
order by t.id
