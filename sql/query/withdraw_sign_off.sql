-- withdraw_sign_off: takes a sign-off back.
-- $1 text pack   $2 text item   $3 text reason
-- rows: id text
select strata.withdraw_sign_off($1::text, $2::text, $3::text)::text
