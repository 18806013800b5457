-- finalize_signed: whether the clean-up of a pack is signed; no row where it has no contract phase.
-- $1 text pack
-- rows: state text, detail text
select c.state, c.detail from strata.checklist($1::text) c where c.item = 'finalize'
