//! A small pack that has every sort of step there is, and the application that it is for.

use crate::Folder;

/// Rows of the application's table, and of each batch of the backfill.
pub const ROWS: i32 = 40;
const BATCH: i32 = 10;

/// The application. `seen` and `ledger` are for writers beside the run; nothing else in it changes by itself.
pub const APPLICATION: &str = "
    create table account (id int primary key, team text not null, touched int not null default 0,
                          seen int not null default 0);
    create table ledger (account int not null);
    insert into account select g, 'team ' || g % 7 from generate_series(1, 40) g";

/// The columns of `account` that writers write.
pub const OF_WRITERS: &[&str] = &["seen"];

/// Transactional steps with schema and data, concurrent index builds, a backfill, verifications, and all of it back.
pub fn folder() -> Folder {
    let fill = format!(
        "call strata.backfill('kill/team_id', 'account', 'id', $$update account a set team_id = t.id, touched = touched + 1
             from team t where t.name = a.team and a.id between $1::int and $2::int$$, {BATCH}, target => null)"
    );
    Folder::of(&[
        (
            "001_team.up.sql",
            "create table team (id int primary key, name text not null unique);
             insert into team select row_number() over (order by a.team), a.team from account a group by a.team;
             alter table account add column team_id int references team",
        ),
        (
            "001_team.verify.sql",
            "select 'teams' as check_name, '7' as expected, count(*)::text as actual, count(*) = 7 as ok from team",
        ),
        ("001_team.down.sql", "alter table account drop column team_id; drop table team"),
        (
            "002_index.up.sql",
            "create index concurrently account_team on account (team);
             create unique index concurrently team_name_lower on team (lower(name))",
        ),
        (
            "002_index.down.sql",
            "drop index concurrently team_name_lower; drop index concurrently if exists account_team",
        ),
        ("003_fill.up.sql", &fill),
        (
            "003_fill.verify.sql",
            "select 'without a team' as check_name, '0' as expected, count(*)::text as actual, count(*) = 0 as ok
             from account where team_id is null",
        ),
        ("003_fill.down.sql", "update account set team_id = null, touched = 0"),
        (
            "004_rule.up.sql",
            "alter table account add constraint account_has_team check (team_id is not null) not valid;
             create view team_size as select team_id, count(*) from account group by team_id;
             -- strata: new transaction
             alter table account validate constraint account_has_team",
        ),
        (
            "004_rule.down.sql",
            "drop view team_size; alter table account drop constraint account_has_team",
        ),
    ])
}

/// Versions of the pack.
pub const VERSIONS: i64 = 4;
