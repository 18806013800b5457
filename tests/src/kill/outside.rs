//! Kills of the command line and of its session.

use super::cells::Point;
use super::inside::{self, Gate};
use super::{Kind, Way, World};
use crate::proxy::{Moment, Proxy};

/// The statements of a run that nobody disturbs.
pub fn points(world: &World, way: Way) -> Vec<Point> {
    let database = world.database(way);
    let proxy = Proxy::start(world.victim.port(), None);
    world.strata(&database, proxy.port()).run(way.words()).ok();
    proxy.seen().into_iter().enumerate().map(|(at, name)| (way, at, name)).collect()
}

/// Kills at a statement; then the same command again, which must be enough.
pub fn kill(world: &World, way: Way, point: (usize, Moment), kind: Kind) {
    let database = world.database(way);
    let proxy = Proxy::start(world.victim.port(), Some(point));
    let run = world.strata(&database, proxy.port()).start(way.words());
    let pid = proxy.held();
    match kind {
        Kind::Runner => run.kill(),
        _ => {
            strike(world, kind, pid);
            proxy.cut();
            let ended = run.end();
            // What it was told before the line was cut can be the end of all it had to do.
            let told = point.1 == Moment::During && ended.code == Some(0);
            assert!(told || ended.code == Some(10), "{ended:?}");
        }
    }
    proxy.cut();
    if matches!(kind, Kind::Backend | Kind::Stop) {
        database.reconnect();
    }
    world.strata(&database, world.victim.port()).run(way.words()).ok();
    world.assert_holds(&database, way);
}

/// The points at which a barrier can hold the server while it does what the command line sent.
pub fn barriers(world: &World, way: Way) -> Vec<Point> {
    let database = world.database(way);
    inside::arm(&database, inside::TRACE, inside::CLIENT);
    world.strata(&database, world.victim.port()).run(way.words()).ok();
    inside::traced(&database, way)
}

/// Kills while the server is in the middle of it; then the same command again, which must be enough. A server whose client
/// is gone may go on to the end of what it was sent, or find out on the way.
pub fn kill_at_barrier(world: &World, way: Way, point: usize, kind: Kind) {
    let database = world.database(way);
    let gate = Gate::at(&database, point, inside::CLIENT);
    let run = world.strata(&database, world.victim.port()).start(way.words());
    let pid = gate.held("false");
    match kind {
        Kind::Runner => run.kill(),
        _ => {
            strike(world, kind, pid);
            let ended = run.end();
            assert!(ended.code == Some(10), "{ended:?}");
        }
    }
    if matches!(kind, Kind::Backend | Kind::Stop) {
        database.reconnect();
    }
    gate.open();
    world.strata(&database, world.victim.port()).run(way.words()).ok();
    world.assert_holds(&database, way);
}

/// Strikes the session of an executor.
pub fn strike(world: &World, kind: Kind, pid: i32) {
    match kind {
        Kind::Backend => assert!(world.victim.kill_process(pid), "session {pid}"),
        Kind::Stop => world.victim.crash(),
        Kind::Runner | Kind::Terminate => {
            let ended = "select pg_terminate_backend($1, 60000)";
            assert!(
                world.victim.connect().query_one(ended, &[&pid]).unwrap().get::<_, bool>(0),
                "session {pid}"
            );
        }
    }
}
