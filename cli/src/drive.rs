//! Turning a run by hand: the loop between core and a session, with the operator's hand on the brake.

use crate::session::Session;
use std::future::Future;
use std::pin::pin;
use strata_core::Error;
use strata_core::run::{Event, Next, Report, Run};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Turns the run to its end. The first interrupt lets the version at work end; the second cancels its statement.
pub async fn drive(session: &Session, run: &mut Run, tell: &mut dyn FnMut(Event)) -> Result<Report, Error> {
    let mut brake = Brake::new();
    loop {
        match run.turn() {
            Next::Run(statement) => {
                let reply = brake.watch(session, session.run(&statement), tell).await;
                session.notices().into_iter().for_each(|text| tell(Event::Notice { text }));
                if brake.pulled > 0 {
                    run.stop();
                }
                run.replied(reply);
            }
            Next::Wait(time) => {
                brake.watch(session, tokio::time::sleep(time), tell).await;
                if brake.pulled > 0 {
                    run.stop();
                }
            }
            Next::Tell(event) => tell(event),
            Next::Done(outcome) => return outcome,
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

    /// Lets `work` end, whatever the operator does; only the server may end it early.
    async fn watch<T>(
        &mut self,
        session: &Session,
        work: impl Future<Output = T>,
        tell: &mut dyn FnMut(Event),
    ) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = pulled(&mut self.signals) => {
                    self.pulled += 1;
                    tell(Event::Stopping { at_once: self.pulled > 1 });
                    if self.pulled > 1 {
                        session.cancel().await;
                    }
                }
            }
        }
    }
}

async fn pulled(signals: &mut Option<(Signal, Signal)>) {
    match signals {
        Some((interrupt, terminate)) => {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        }
        None => std::future::pending().await,
    }
}
