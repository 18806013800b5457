-- kept: what contract phases took away and still have: one row for the columns of a table, or for a table. `copy` is where:
-- a table of keys and values, or the table itself in a schema of its own. `definition`: the statements that make it as it
-- was. At most one live row for the same columns.
create table strata.kept (
    id          bigint      generated always as identity primary key,
    pack        text,
    version     bigint,
    relation    text        not null,
    columns     text[],
    keys        text[]      not null default '{}',
    copy        text        not null default '',
    definition  text[]      not null default '{}',
    state       text        not null check (state in ('copying', 'kept', 'restoring', 'restored', 'finalized')),
    cursor      jsonb,
    done        boolean     not null default false,
    rows        bigint,
    kept_at     timestamptz not null default clock_timestamp(),
    kept_by     text        not null default session_user,
    ended_at    timestamptz,
    ended_by    text,
    check ((state in ('restored', 'finalized')) = (ended_at is not null))
);
create unique index kept_live on strata.kept (relation, columns) nulls not distinct
    where state in ('copying', 'kept', 'restoring');
