-- run_event: what a run in the database told while it went on. What counts is in run, run_step and history.
create table strata.run_event (
    id          bigint      generated always as identity primary key,
    run         uuid        not null references strata.run on delete cascade,
    attempt     int         not null,
    at          timestamptz not null default clock_timestamp(),
    kind        text        not null,
    text        text        not null
);
create index run_event_run on strata.run_event (run, id);
