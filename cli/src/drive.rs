//! Turning a run by hand: the loop between core and a session, with the operator's hand on the brake and, while a statement
//! takes its time, an eye on who is in its way.

use crate::args::Args;
use crate::lookout::Lookout;
use crate::session::Session;
use std::future::Future;
use std::pin::pin;
use strata_core::run::{Event, Next, Report, Run};
use strata_core::{Error, Kind};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The session that works, and what opens another one.
pub struct Sessions<'s> {
    /// Runs the statements.
    pub work: &'s Session,
    /// Another one that is open already.
    pub second: Option<Session>,
    /// Where to connect once more.
    pub args: &'s Args,
}

/// What becomes of a run whose executor is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStop {
    /// It is cancelled: the operator wants it to stop.
    Cancel,
    /// Another executor goes on with it: the operator wants this one to stop.
    HandBack,
}

/// Turns the run to its end. The first interrupt lets the version at work end; the second cancels its statement, and where
/// the run is handed back leaves it as it is.
pub async fn drive(
    sessions: Sessions<'_>,
    run: &mut Run,
    on_stop: OnStop,
    tell: &mut dyn FnMut(Event),
) -> Result<Report, Error> {
    let session = sessions.work;
    let mut watch =
        Watch { session, brake: Brake::new(), lookout: Lookout::new(sessions.args, sessions.second) };
    loop {
        match run.turn() {
            Next::Run(statement) => {
                let reply = watch.over(session.run(&statement), run, tell).await;
                session.notices().into_iter().for_each(|text| tell(Event::Notice { text }));
                if watch.brake.pulled > 1 && on_stop == OnStop::HandBack {
                    return Err(Error::new(Kind::Interrupted, "stopped in the middle of a version"));
                }
                watch.hear(run, on_stop);
                run.replied(reply);
            }
            Next::Together(statements) => {
                let replies = watch.over(session.run_together(&statements), run, tell).await;
                session.notices().into_iter().for_each(|text| tell(Event::Notice { text }));
                if watch.brake.pulled > 1 && on_stop == OnStop::HandBack {
                    return Err(Error::new(Kind::Interrupted, "stopped in the middle of a version"));
                }
                watch.hear(run, on_stop);
                replies.into_iter().for_each(|reply| run.replied(reply));
            }
            Next::Wait(time) => {
                watch.over(tokio::time::sleep(time), run, tell).await;
                watch.hear(run, on_stop);
            }
            Next::Tell(event) => tell(event),
            Next::Done(outcome) => return outcome,
        }
    }
}

/// What goes on beside a statement.
struct Watch<'s> {
    session: &'s Session,
    brake: Brake,
    lookout: Lookout<'s>,
}

impl Watch<'_> {
    /// Before the reply: a statement that the operator has cancelled did not fail.
    fn hear(&self, run: &mut Run, on_stop: OnStop) {
        match (self.brake.pulled > 0, on_stop) {
            (false, _) => {}
            (true, OnStop::Cancel) => run.stop(),
            (true, OnStop::HandBack) => run.hand_back(),
        }
    }

    /// Lets `work` end, whatever the operator does; only the server may end it early.
    async fn over<T>(
        &mut self,
        work: impl Future<Output = T>,
        run: &mut Run,
        tell: &mut dyn FnMut(Event),
    ) -> T {
        let mut work = pin!(work);
        self.lookout.begin();
        loop {
            tokio::select! {
                done = &mut work => return done,
                text = self.session.heard() => tell(Event::Notice { text }),
                () = self.brake.pull() => {
                    tell(Event::Stopping { at_once: self.brake.pulled > 1 });
                    if self.brake.pulled > 1 {
                        self.session.cancel().await;
                    }
                }
                (rows, elapsed) = self.lookout.look(run) => {
                    run.looked(&rows, elapsed).into_iter().for_each(&mut *tell);
                }
            }
        }
    }
}

/// Waits until the operator wants this process to stop.
pub struct Stop(Option<(Signal, Signal)>);

impl Stop {
    /// Hears every signal from now on.
    pub fn listen() -> Self {
        let signals = signal(SignalKind::interrupt()).and_then(|i| Ok((i, signal(SignalKind::terminate())?)));
        Stop(signals.ok())
    }

    /// Ends when one has come.
    pub async fn asked(&mut self) {
        match &mut self.0 {
            Some((interrupt, terminate)) => {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            }
            None => std::future::pending().await,
        }
    }
}

/// Counts the interrupts of the operator.
struct Brake {
    stop: Stop,
    pulled: u32,
}

impl Brake {
    fn new() -> Self {
        Brake { stop: Stop::listen(), pulled: 0 }
    }

    /// Ends when the operator has pulled once more.
    async fn pull(&mut self) {
        self.stop.asked().await;
        self.pulled += 1;
    }
}
