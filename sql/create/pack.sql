-- pack: the folders of migrations that this database has been told about.
create table strata.pack (
    name        text primary key check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    title       text        not null,
    manifest    jsonb       not null,
    variables   jsonb       not null default '{}',
    updated_at  timestamptz not null default clock_timestamp()
);
