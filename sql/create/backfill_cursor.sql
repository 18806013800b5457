-- backfill_cursor: how far each backfill has come. Written in the same transaction as the batch it tells of. Who walks is
-- named by process, session and statement: another statement of the same session is not the walk any more.
create table strata.backfill_cursor (
    job             text        primary key,
    run             uuid,
    checksum        text        not null,
    relation        text        not null,
    key             text        not null,
    cursor          text[],
    rows            bigint      not null default 0,
    walked          bigint      not null default 0,
    batches         bigint      not null default 0,
    total           bigint,
    batch           int,
    done            boolean     not null default false,
    pid             int,
    session_started timestamptz,
    call_started    timestamptz,
    claimed_walked  bigint      not null default 0,
    paused_for      text,
    sqlstate        text,
    message         text,
    started_at      timestamptz not null default clock_timestamp(),
    claimed_at      timestamptz not null default clock_timestamp(),
    updated_at      timestamptz not null default clock_timestamp()
);
