-- request_key: requests for runs that may be delivered more than once, by the key that their sender gave them.
create table strata.request_key (
    key    text        primary key check (length(key) between 1 and 255),
    asked  jsonb       not null,
    run    uuid        references strata.run on delete cascade,
    trial  uuid        references strata.dry_run on delete cascade,
    at     timestamptz not null default clock_timestamp(),
    check (num_nonnulls(run, trial) = 1)
);
create index request_key_at on strata.request_key (at);
-- A run that is removed takes its keys along.
create index request_key_run on strata.request_key (run);
create index request_key_trial on strata.request_key (trial);

-- recall_request: the run that was asked for under this key, null: none yet. Whoever asks second waits for the end of the
-- first one's transaction. Keys are forgotten after a week. Raises 22023 where the key was another request's.
create function strata.recall_request(key text, asked jsonb) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    known strata.request_key;
begin
    if length(key) not between 1 and 255 then
        raise exception 'a request key has 1 to 255 characters, not %', length(key) using errcode = '22023';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('strata/request/' || key, 0));
    delete from strata.request_key k where k.at < clock_timestamp() - interval '7 days';
    select * into known from strata.request_key k where k.key = recall_request.key;
    if known.asked <> recall_request.asked then
        raise exception 'key "%" was given to another request', key
            using errcode = '22023', hint = 'a request that is repeated must be the same; another one needs another key';
    end if;
    return coalesce(known.run, known.trial);
end
$$;
revoke execute on function strata.recall_request(text, jsonb) from public;

-- remember_request: the run, or the dry run, that was asked for under this key.
create function strata.remember_request(key text, asked jsonb, run uuid) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    insert into strata.request_key (key, asked, run, trial)
    select key, asked, case when d.id is null then remember_request.run end, d.id
    from (select) one left join strata.dry_run d on d.id = remember_request.run
$$;
revoke execute on function strata.remember_request(text, jsonb, uuid) from public;
