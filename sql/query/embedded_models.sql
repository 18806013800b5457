-- embedded_models: the models that rows are embedded with: those that sources are searched by, and those beside them.
-- rows: model, provider, dimensions; all text
select m.model, m.provider, m.dimensions::text from strata.embedded_models() m
