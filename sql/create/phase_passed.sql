-- phase_passed: phases without migrations whose gate was met, so that they are not asked again. A way down below them
-- forgets them; a phase with migrations is told by these.
create table strata.phase_passed (
    pack       text        not null references strata.pack on delete cascade,
    phase      int         not null,
    passed_at  timestamptz not null default clock_timestamp(),
    run        uuid,
    primary key (pack, phase)
);
