-- run_step: the smallest restartable unit. Its intent is committed before it runs, its outcome after it.
create table strata.run_step (
    run          uuid        not null references strata.run on delete cascade,
    version      bigint      not null,
    number       int         not null check (number > 0),
    steps        int         not null check (steps >= number),
    kind         text        not null check (kind in ('transaction', 'alone', 'verify')),
    summary      text        not null,
    checksum     text        not null,
    state        text        not null check (state in ('running', 'done', 'failed')),
    attempt      int         not null,
    started_at   timestamptz not null default clock_timestamp(),
    finished_at  timestamptz,
    sqlstate     text,
    message      text,
    detail       text,
    hint         text,
    context      text,
    primary key (run, version, number),
    check ((state = 'running') = (finished_at is null))
);
