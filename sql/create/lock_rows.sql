-- lock_rows: locks rows of a source against writers, in key order, and answers those whose text still has the hash that
-- is given for them (sha256). Rows that somebody else holds are skipped, never waited for: an application's transaction
-- that waits for our job while we wait for its row would be a deadlock, and it might be the victim.
create function strata.lock_rows(s strata.source, ids uuid[], hashes bytea[]) returns uuid[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    held uuid[];
begin
    execute format(
        'select array_agg(l.id) from (
             select %6$s as id, sha256(convert_to(%2$s, ''UTF8'')) as hash
             from %3$I.%4$I r where %5$s order by r.%1$I for no key update skip locked
         ) l join unnest($1, $2) g(id, hash) on g.id = l.id and g.hash = l.hash',
        s.key_column, strata.text_expression(s.title_column, s.content_columns, 'r'), s.relation_schema, s.relation_name,
        strata.is_any_of(s, 'r', '$1'), strata.id_of(s, 'r'))
        into held using ids, hashes;
    return coalesce(held, '{}');
end
$$;
revoke execute on function strata.lock_rows from public;
