-- run: one request to move a pack to a version. `attempt` fences executors: only the newest may write; zero is a request
-- that nobody has taken up. An executor lives as long as the session that it names and that holds the lock of the pack.
create table strata.run (
    id            uuid        primary key default gen_random_uuid(),
    pack          text        not null references strata.pack on delete cascade,
    direction     text        not null check (direction in ('up', 'down')),
    state         text        not null
                  check (state in ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled')),
    attempt       int         not null default 1 check (attempt >= 0),
    request       jsonb       not null default '{}',
    requested_by  text        not null default session_user,
    requested_at  timestamptz not null default clock_timestamp(),
    finished_at   timestamptz,
    sqlstate      text,
    message       text,
    executor_pid      int,
    executor_started  timestamptz,
    heartbeat_at      timestamptz,
    cancel_asked_at   timestamptz,
    cancel_asked_by   text,
    check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)),
    check ((state = 'failed') = (message is not null))
);
-- One live run a pack: the second request joins the first or is refused, it never runs beside it.
create unique index run_live on strata.run (pack) where state in ('queued', 'running', 'waiting');
create index run_pack_requested_at on strata.run (pack, requested_at desc);
