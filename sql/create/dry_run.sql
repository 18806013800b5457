-- dry_run: a dry run that was asked for in the database, and what it found. Not a run: none goes on with it, none is taken over
-- by another, and nothing of it is left but this row.
create table strata.dry_run (
    id                uuid        primary key default gen_random_uuid(),
    pack              text        not null references strata.pack on delete cascade,
    direction         text        not null check (direction in ('up', 'down')),
    state             text        not null default 'queued'
                      check (state in ('queued', 'running', 'passed', 'failed', 'incomplete')),
    request           jsonb       not null,
    requested_by      text        not null,
    requested_at      timestamptz not null default clock_timestamp(),
    finished_at       timestamptz,
    sqlstate          text,
    message           text,
    report            jsonb,
    executor_pid      int,
    executor_started  timestamptz,
    check ((state in ('passed', 'failed', 'incomplete')) = (finished_at is not null))
);
create index dry_run_pack_requested_at on strata.dry_run (pack, requested_at desc);
comment on table strata.dry_run is 'Dry runs that were asked for with strata.start_run(..., dry_run => true), and what they found.';
comment on column strata.dry_run.report is 'Every step with what came of it, what it locks and how long it took; as strata up --dry-run --json prints it.';
