//! Kills at barriers: of the background worker, and with [`super::outside`] of the command line while the server is in the
//! middle of what it was sent. Nothing in the product stops at a point; triggers of the test do: on every table that a run
//! writes, before and after, and around every statement of the pack that changes the schema.

use super::cells::Point;
use super::outside::strike;
use super::{Kind, Way, World};
use crate::victim::signal;
use crate::{Database, Strata};

/// `stop_at` is the number of the point at which a worker, or a client, stops, which it does at a lock that the test holds. The points
/// are counted by a sequence: what is rolled back counts too. `trace` keeps their names where nobody is killed. No point
/// but the first may give its transaction an id, which `drop index concurrently` would refuse: so the sequence caches, and
/// the beginning of that statement is not traced.
pub const BARRIERS: &str = "
    create schema kill;
    create sequence kill.points minvalue 0 start 0 cache 100000;
    create table kill.stop_at (point bigint, who text);
    create table kill.trace (point bigint, name text);
    create function kill.reached(name text) returns void language plpgsql as $$
    declare
        this bigint;
        at   bigint;
    begin
        select s.point into at
        from kill.stop_at s join pg_stat_get_activity(pg_backend_pid()) a on a.backend_type = s.who;
        if not found then
            return;
        end if;
        this := nextval('kill.points');
        if at = this then
            -- It waits here until it is killed, whatever the step says of locks.
            perform set_config('lock_timeout', '0', true);
            perform pg_advisory_xact_lock_shared(42, 42);
        elsif at = -1 and name <> 'ddl_command_start drop index' then
            insert into kill.trace values (this, name);
        end if;
    end $$;
    create function kill.row_point() returns trigger language plpgsql as $$
    begin
        perform kill.reached(concat_ws(' ', lower(tg_when), lower(tg_op), tg_table_name));
        return null;
    end $$;
    create function kill.ddl_point() returns event_trigger language plpgsql as $$
    begin
        perform kill.reached(concat_ws(' ', tg_event, lower(tg_tag)));
    end $$;
    create event trigger kill_ddl_start on ddl_command_start execute function kill.ddl_point();
    create event trigger kill_ddl_end on ddl_command_end execute function kill.ddl_point();
    do $$
    declare
        t text;
    begin
        foreach t in array array['strata.run', 'strata.run_step', 'strata.migration', 'strata.history',
                                 'strata.backfill_cursor', 'account'] loop
            execute format('create trigger kill_before before insert or update or delete on %s
                            for each statement execute function kill.row_point()', t);
            execute format('create trigger kill_after after insert or update or delete on %s
                            for each statement execute function kill.row_point()', t);
        end loop;
    end $$";

/// The points of a run that nobody disturbs.
pub fn points(world: &World, way: Way) -> Vec<Point> {
    let database = world.database(way);
    arm(&database, TRACE, WORKER);
    start(&database, way);
    until_done(&database);
    traced(&database, way)
}

/// What `arm` left traces of.
pub fn traced(database: &Database, way: Way) -> Vec<Point> {
    let names = database.rows(
        "select n::int8, coalesce(t.name, 'ddl_command_start drop index')
         from generate_series(0, (select max(point) from kill.trace)) n left join kill.trace t on t.point = n order by n",
        &[],
    );
    names.iter().map(|row| (way, row.get::<_, i64>(0) as usize, row.get(1))).collect()
}

/// Kills at a point. Then a worker outside takes the run over, or it is asked for once more; nothing else is done.
pub fn kill(world: &World, way: Way, point: usize, kind: Kind) {
    let database = world.database(way);
    let gate = Gate::at(&database, point, WORKER);
    start(&database, way);
    let pid = gate.held("not exists (select from strata.run where state in ('queued', 'running'))");
    match kind {
        // Of a worker, the runner is the backend: the operating system ends it as it ends any process.
        Kind::Runner => signal("TERM", pid),
        _ => strike(world, kind, pid),
    }
    if matches!(kind, Kind::Backend | Kind::Stop) {
        database.reconnect();
    }
    gate.open();
    until_no_worker(&database);
    take_up(&database, way, point as u64);
    world.assert_holds(&database, way);
}

/// Somebody waits at the gate.
const WAITING: &str = "pg_locks where locktype = 'advisory' and not granted and database = (
    select oid from pg_database where datname = current_database())";

/// What the server calls the session of a background worker.
const WORKER: &str = "strata run";

/// What it calls that of a client.
pub const CLIENT: &str = "client backend";

/// No point: their names are kept.
pub const TRACE: i64 = -1;

/// Says where such a session stops.
pub fn arm(database: &Database, point: i64, who: &str) {
    database.run(&format!("delete from kill.stop_at; insert into kill.stop_at values ({point}, '{who}')"));
}

/// A point at which the server stops until the gate is opened.
pub struct Gate<'d> {
    database: &'d Database,
    lock: postgres::Client,
}

impl Gate<'_> {
    /// Closed.
    pub fn at<'d>(database: &'d Database, point: usize, who: &str) -> Gate<'d> {
        arm(database, point as i64, who);
        let mut lock = database.connect();
        lock.batch_execute("select pg_advisory_lock(42, 42)").unwrap();
        Gate { database, lock }
    }

    /// Waits until somebody stands at it, or a condition says that nobody will; which process.
    pub fn held(&self, over: &str) -> i32 {
        self.database.until(&format!("select exists (select from {WAITING}) or {over}"));
        let pid = self.database.column::<i32>(&format!("select pid from {WAITING}"));
        let told = || self.database.column::<String>("select concat_ws(' ', state, message) from strata.run");
        *pid.first().unwrap_or_else(|| panic!("the run ended before the point: {:?}", told()))
    }

    /// Nobody stops any more.
    pub fn open(self) {
        self.database.run("delete from kill.stop_at");
        drop(self.lock);
    }
}

/// Asks for a run.
pub fn start(database: &Database, way: Way) {
    let target = if way == Way::Up { "" } else { ", target => 0" };
    database.run(&format!("select strata.start_run('pack'{target})"));
}

/// A dead run goes on: by a worker outside, or because it is asked for again. To its end.
pub fn take_up(database: &Database, way: Way, turn: u64) {
    match turn % 2 {
        0 => drop(Strata::on(database).run(&["worker", "--once"]).ok()),
        _ => start(database, way),
    }
    until_done(database);
}

fn until_done(database: &Database) {
    database.until("select not exists (select from strata.run where state in ('queued', 'running'))");
    until_no_worker(database);
    let failed: Vec<String> = database.column(
        "select concat_ws(' ', r.state, r.sqlstate, r.message, s.summary) from strata.run r
         left join strata.run_step s on s.run = r.id and s.state = 'failed' where r.state in ('failed', 'cancelled')",
    );
    assert!(failed.is_empty(), "{failed:?}");
}

/// Waits until every background worker has gone.
pub fn until_no_worker(database: &Database) {
    database.until(
        "select not exists (select from pg_stat_activity where backend_type = 'strata run' and datname = current_database())",
    );
}
