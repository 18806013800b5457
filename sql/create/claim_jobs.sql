-- claim_jobs: leases up to `max` jobs to a worker, most urgent first, and hands over what is to be embedded. Nobody else
-- gets them until the lease is over; then they are free again, and the fence of the late worker is worthless. Commit
-- before the provider is asked: no transaction is to stay open meanwhile. No row: there is nothing to do now.
-- while_connected: the lease also ends with the session that claims, for a worker that keeps its own.
-- models: only of these; null: of all.
-- max: 1 to 10000; lease: more than zero. content_hash: sha256 of the content, to be handed back with the vector.
-- chunk_tokens, chunk_overlap: the content is to be embedded in parts (strata.set_chunking); null: as a whole.
-- Rows without text and rows that are gone are settled on the way. A source whose table or column is gone holds up
-- nobody: its jobs die with the message, as does a row whose text cannot be read. Nor does a table that somebody holds, as an
-- ALTER TABLE does: what we have locked is locked for the writers of other tables too, so its jobs go back for five seconds;
-- those of a table that the caller may not read, for a minute. Raises 22023.
create function strata.claim_jobs(
    worker text, max int default 100, lease interval default '5 minutes', while_connected boolean default false,
    models text[] default null
)
returns table (
    entity_type text, entity_id uuid, model text, fence bigint, content text, content_hash bytea, attempts int,
    chunk_tokens int, chunk_overlap int
)
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
#variable_conflict use_column
declare
    batch    strata.job[];
    held     text[] := '{}';
    waited   int := 0;
    kind     text;
    ids      uuid[];
    handed   int := 0;
    returned int;
begin
    if coalesce(worker, '') = '' then
        raise exception 'a worker must have a name' using errcode = '22023';
    elsif max is null or max not between 1 and 10000 then
        raise exception 'max must be between 1 and 10000 jobs, not %', coalesce(max::text, 'null') using errcode = '22023';
    elsif lease is null or lease <= interval '0' then
        raise exception 'lease must be longer than zero, not %', coalesce(lease::text, 'null') using errcode = '22023';
    end if;
    while handed = 0 loop
        -- What lies behind so many jobs of a table that is held, the next claim sees.
        exit when waited > 20;
        batch := strata.lease_jobs(worker, max, lease, coalesce(while_connected, false), models);
        exit when batch is null;
        waited := waited + cardinality(held);
        for kind, ids in select b.entity_type, array_agg(b.entity_id) from unnest(batch) b group by 1 order by 1 loop
            if kind = any (held) then
                perform strata.put_back(batch, kind);
                continue;
            end if;
            begin
                perform strata.settle_textless(kind, ids);
                return query
                select b.entity_type, b.entity_id, b.model, b.fence, t.content, sha256(convert_to(t.content, 'UTF8')), b.attempts,
                       case when stored.models @> array[b.model] then stored.tokens end, stored.overlap
                from unnest(batch) b join strata.source_text(kind, ids) t on t.id = b.entity_id
                cross join strata.chunking_of(kind) stored
                where b.entity_type = kind and t.content <> '';
                get diagnostics returned = row_count;
                handed := handed + returned;
            exception
                when undefined_table or undefined_column or undefined_object or invalid_schema_name then
                    perform strata.bury_jobs(kind, ids, sqlerrm);
                when lock_not_available then
                    held := held || kind;
                    perform strata.put_back(batch, kind);
                when insufficient_privilege then
                    perform strata.put_back(batch, kind, '1 minute', sqlerrm);
                when program_limit_exceeded or internal_error or character_not_in_repertoire or untranslatable_character then
                    perform strata.put_back(batch, kind, case when strata.bury_unreadable(kind, ids) > 0 then interval '0' else '5 seconds' end);
            end;
        end loop;
    end loop;
end
$$;
revoke execute on function strata.claim_jobs from public;

-- bury_jobs: leased jobs of a source that can not be embedded, as it is: dead, with the reason.
create function strata.bury_jobs(entity_type text, ids uuid[], error text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
    update strata.job j
    set state = 'dead', worker = null, lease_until = null, session_pid = null, session_start = null,
        error = left(bury_jobs.error, 2000), updated_at = clock_timestamp()
    where j.entity_type = bury_jobs.entity_type and j.entity_id = any (ids) and j.state = 'leased'
$$;
revoke execute on function strata.bury_jobs from public;

-- put_back: leased jobs of a source, such as one whose table somebody holds: they are free again after `wait`, and nothing was tried.
-- told: what they say of it meanwhile.
create function strata.put_back(batch strata.job[], kind text, wait interval default '5 seconds', told text default null) returns void
language sql set search_path = pg_catalog, pg_temp as $$
    update strata.job j
    set state = 'queued', worker = null, lease_until = null, session_pid = null, session_start = null,
        not_before = clock_timestamp() + wait, error = coalesce(left(told, 2000), j.error), updated_at = clock_timestamp()
    from unnest(batch) b
    where b.entity_type = kind and j.state = 'leased'
      and (j.entity_type, j.entity_id, j.model, j.fence) = (b.entity_type, b.entity_id, b.model, b.fence)
$$;
revoke execute on function strata.put_back from public;

-- bury_unreadable: of leased jobs of a source, those whose row has a text that the server cannot put together, such as one of
-- more than 256 MB: each row for itself shows which. Answers how many.
create function strata.bury_unreadable(entity_type text, ids uuid[]) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    one    uuid;
    buried int := 0;
begin
    foreach one in array ids loop
        begin
            perform sha256(convert_to(t.content, 'UTF8')) from strata.source_text(entity_type, array[one]) t;
        exception when program_limit_exceeded or internal_error or character_not_in_repertoire or untranslatable_character then
            perform strata.bury_jobs(entity_type, array[one], format('its text cannot be read: %s', sqlerrm));
            buried := buried + 1;
        end;
    end loop;
    return buried;
end
$$;
revoke execute on function strata.bury_unreadable from public;
