-- end_model_change: the sources of a change stay with the model that they are searched by.
-- $1 text the new model
-- rows: model text (that stays)
select strata.end_model_change($1::text)
