//! Turning a run by hand: the loop between core and a session, with the operator's hand on the brake and, while a statement
//! takes its time, an eye on who is in its way.

use crate::args::Args;
use crate::lookout::Lookout;
use crate::session::Session;
use std::future::Future;
use std::pin::pin;
use strata_core::Error;
use strata_core::run::{Event, Next, Report, Run};
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

/// Turns the run to its end. The first interrupt lets the version at work end; the second cancels its statement.
pub async fn drive(
    sessions: Sessions<'_>,
    run: &mut Run,
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
                watch.hear(run);
                run.replied(reply);
            }
            Next::Wait(time) => {
                watch.over(tokio::time::sleep(time), run, tell).await;
                watch.hear(run);
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
    fn hear(&self, run: &mut Run) {
        if self.brake.pulled > 0 {
            run.stop();
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

/// Counts the interrupts of the operator.
struct Brake {
    signals: Option<(Signal, Signal)>,
    pulled: u32,
}

impl Brake {
    fn new() -> Self {
        let signals = signal(SignalKind::interrupt()).and_then(|i| Ok((i, signal(SignalKind::terminate())?)));
        Brake { signals: signals.ok(), pulled: 0 }
    }

    /// Ends when the operator has pulled once more.
    async fn pull(&mut self) {
        match &mut self.signals {
            Some((interrupt, terminate)) => {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            }
            None => std::future::pending().await,
        }
        self.pulled += 1;
    }
}
