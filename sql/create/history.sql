-- history: what happened, in order, for ever. A row is written when a migration starts and another when it ends, each
-- in a transaction of its own or in the migration's last one, so that a failure or a crash cannot erase its own record.
create table strata.history (
    id          bigint      generated always as identity primary key,
    pack        text        not null,
    version     bigint      not null,
    name        text        not null,
    direction   text        not null check (direction in ('up', 'down', 'verify', 'finalize')),
    event       text        not null check (event in ('started', 'succeeded', 'failed', 'forced', 'adopted')),
    at          timestamptz not null default clock_timestamp(),
    by          text        not null default session_user,
    run         uuid,
    attempt     int,
    step        int,
    sqlstate    text,
    message     text,
    check ((event in ('failed', 'forced', 'adopted')) = (message is not null))
);
create index history_pack_version on strata.history (pack, version, id);

create function strata.history_is_append_only() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'strata.history is append-only: % refused', lower(tg_op)
        using errcode = '55000', hint = 'history is the audit trail; write a new row instead';
end
$$;
create trigger history_is_append_only before update or delete or truncate on strata.history
    for each statement execute function strata.history_is_append_only();
