-- job: one entity whose embedding is missing or stale for one model. One row for an entity and a model, however often
-- its text changes. entity_id: its key where that is a uuid, else made of the key (strata.row_id), which is entity_key then. `fence` grows with every claim and every change of the text: who holds an older one has lost.
-- priority: higher first; 10 for what a user has just written, 0 for what a walk has found missing. lane: a hash of the
-- tenant; lanes take turns. session_pid, session_start: the session that a lease ends with; null: its time alone ends it.
create table strata.job (
    entity_type   text        not null,
    entity_id     uuid        not null,
    entity_key    text,
    model         text        not null,
    state         text        not null default 'queued' check (state in ('queued', 'leased', 'dead')),
    attempts      int         not null default 0 check (attempts >= 0),
    fence         bigint      not null default 1,
    worker        text,
    lease_until   timestamptz,
    session_pid   int,
    session_start timestamptz,
    not_before    timestamptz not null default clock_timestamp(),
    priority      int         not null default 0 check (priority in (0, 10)),
    lane          int         not null default 0,
    error         text,
    failing_since timestamptz,
    created_at    timestamptz not null default clock_timestamp(),
    updated_at    timestamptz not null default clock_timestamp(),
    primary key (entity_type, entity_id, model),
    check ((state = 'leased') = (worker is not null and lease_until is not null)),
    check (session_pid is null or state = 'leased')
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
-- No foreign key to strata.source: every writer of the application would lock that one row. drop_source clears instead.
create index job_ripe on strata.job (model, priority, lane, not_before) where state = 'queued';
create index job_lease on strata.job (lease_until) where state = 'leased';
create index job_dead on strata.job (entity_type) where state = 'dead';
