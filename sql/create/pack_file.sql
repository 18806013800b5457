-- pack_file: the files of the packs that were pushed, as they are in the folder, pack.toml among them.
create table strata.pack_file (
    pack        text        not null references strata.pack on delete cascade,
    name        text        not null,
    text        text        not null,
    checksum    text        not null,
    pushed_at   timestamptz not null default clock_timestamp(),
    pushed_by   text        not null default session_user,
    primary key (pack, name)
);
