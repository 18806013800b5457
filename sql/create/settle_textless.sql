-- settle_textless: of some leased jobs of a source, ends those that need no provider: rows without text lose their
-- vector, rows that are gone lose their job. A row that another transaction holds is left for a later claim: its writer
-- may be waiting for the job that we hold.
create function strata.settle_textless(entity_type text, ids uuid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s       strata.source;
    present uuid[];
    bare    uuid[];
    settled uuid[];
begin
    select array_agg(t.id), array_agg(t.id) filter (where t.content = '') into present, bare
    from strata.source_text(entity_type, ids) t;
    delete from strata.job j
    where j.entity_type = settle_textless.entity_type and j.entity_id = any (ids)
      and j.entity_id <> all (coalesce(present, '{}'));
    if bare is null then
        return;
    end if;
    select * into s from strata.source x where x.entity_type = settle_textless.entity_type;
    settled := array(
        select g.id from unnest(bare, strata.lock_rows(s, bare, array_fill(sha256(''), array[cardinality(bare)]))) g(id, place)
        where g.place is not null);
    perform strata.store_vectors(s, settled, null);
    perform strata.store_vectors(strata.source_as(b.entity_type, b.model), settled, null)
    from strata.source_beside b where b.entity_type = settle_textless.entity_type;
    delete from strata.job j where j.entity_type = settle_textless.entity_type and j.entity_id = any (settled);
    update strata.job j
    set state = 'queued', worker = null, lease_until = null, session_pid = null, session_start = null,
        not_before = clock_timestamp() + interval '1 second'
    where j.entity_type = settle_textless.entity_type and j.entity_id = any (bare) and j.state = 'leased';
end
$$;
revoke execute on function strata.settle_textless from public;
