-- migration: every version of every pack, applied or not. The files stay with the caller; their checksums are here.
create table strata.migration (
    pack        text   not null references strata.pack on delete cascade,
    version     bigint not null check (version >= 0),
    name        text   not null,
    phase       int    not null,
    state       text   not null default 'pending'
                check (state in ('pending', 'applying', 'applied', 'reverting')),
    checksum    text   not null,
    files       text   not null default '',
    applied_at  timestamptz,
    entry       jsonb,
    primary key (pack, version),
    check ((state in ('applied', 'reverting')) = (applied_at is not null))
);
