-- dry_run_queue: a dry run that a worker is to take up.
-- $1 text pack   $2 text direction   $3 jsonb request   $4 text who asks
-- rows: id text
insert into strata.dry_run (pack, direction, request, requested_by)
values ($1::text, $2::text, $3::jsonb, $4::text)
returning id::text
