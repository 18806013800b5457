-- dry_run_report: where a dry run is, and what it has found, whoever asked for it; null where it has not ended. Raises 42704.
create function strata.dry_run_report(run uuid)
returns table (pack text, direction text, state text, sqlstate text, message text, report jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select d.pack, d.direction, d.state, d.sqlstate, d.message, d.report from strata.dry_run d where d.id = dry_run_report.run;
    if not found then
        raise exception 'dry run % does not exist', dry_run_report.run
            using errcode = '42704', hint = 'strata.start_run(..., dry_run => true) answers the id of one';
    end if;
end
$$;
revoke execute on function strata.dry_run_report(uuid) from public;
