-- lock_rows: locks rows of a source against writers, in key order, and answers where those lie whose text still has the hash that
-- is given for them (sha256): a place for each id, null for the others. Rows that somebody else holds are skipped, never waited
-- for: an application's transaction that waits for our job while we wait for its row would be a deadlock, and it might be the
-- victim. A row stays where it is as long as we hold it and do not write it; a place in a partitioned table needs the key beside it.
create function strata.lock_rows(s strata.source, ids uuid[], hashes bytea[]) returns tid[]
language plpgsql set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
begin
    return coalesce(strata.places_by_plan(format(
        'select array_agg(l.place order by g.n)
         from (select unnest($1) as id, unnest($2) as hash, generate_series(1, cardinality($1)) as n) g
         left join (
             select %6$s as id, r.ctid as place, sha256(convert_to(%2$s, ''UTF8'')) as hash
             from %3$I.%4$I r where %5$s order by r.%1$I for no key update skip locked
         ) l on l.id = g.id and l.hash = g.hash',
        s.key_column, strata.text_expression(s.title_column, s.content_columns, 'r'), s.relation_schema, s.relation_name,
        strata.is_any_of(s, 'r', '$1'), strata.id_of(s, 'r')), ids, hashes), '{}');
end
$$;
revoke execute on function strata.lock_rows from public;
