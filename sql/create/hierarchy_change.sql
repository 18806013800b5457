-- hierarchy_change: what has changed in the hierarchy since its last refresh. Appended to, never updated: a mark that
-- is shared between writers could be taken by a refresh that does not see the second of them. id null: all of the kind.
create table strata.hierarchy_change (
    mark            bigint generated always as identity primary key,
    relation_schema text   not null default 'public',
    kind            text   not null check (kind in ('task', 'project', 'area', 'pillar')),
    id              uuid
);
