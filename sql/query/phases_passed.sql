-- phases_passed: phases without migrations that a pack has behind it.
-- $1 text pack
-- rows: phase text
select p.phase::text from strata.phase_passed p where p.pack = $1::text
