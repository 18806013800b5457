-- drop_kept: removes what the contract of a pack kept.
-- $1 text pack
-- rows: removed text
select strata.drop_kept($1::text)::text
