//! A bad day: edits, kills, a provider that fails, poison. Nothing is lost, nothing is stale, and the dead are the poison.

use std::time::Duration;
use strata_tests::chaos::{self, Day};

#[test]
fn nothing_is_lost_and_nothing_is_stale_whoever_is_killed_and_whatever_fails() {
    let day = Day {
        rows: 900,
        poison: 300,
        latency: Duration::from_millis(100),
        kill: Duration::from_millis(700),
        faults: 25,
    };
    let evening = chaos::live(day);
    assert_eq!((evening.lost, evening.stale, evening.right), (0, 0, 897), "{evening:?}");
    assert_eq!((evening.dead, evening.wrongly_dead, evening.poison), (3, 0, 3), "{evening:?}");
    assert!(evening.kills > 0 && evening.edits > 0 && evening.faults > 0, "it was no bad day: {evening:?}");
    // Each kill may cost the call that was under way, and each edit that of its row.
    let most = 900 + evening.edits + 10 * evening.kills + 10 * 3;
    assert!(evening.texts <= most, "{evening:?}");
}
