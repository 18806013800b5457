//! `cargo xtask soak`: kills at random moments, for as long as one likes, on clusters of their own.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Failure, Result};
use crate::extension;
use crate::model;
use crate::run;
use crate::setup::Server;
use crate::whole::{binary, built, homes, victims};
use crate::workbench::TOGETHER;

/// What was asked for.
#[derive(Debug, PartialEq)]
pub struct Wish {
    minutes: u64,
    seed: Option<u64>,
}

impl Wish {
    /// `--minutes N`, ten without it; `--seed S`, of the clock without it.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut wish = Wish { minutes: 10, seed: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let number = || {
                let given = words.clone().next().map_or("", String::as_str);
                given
                    .parse::<u64>()
                    .map_err(|_| Failure::new(format!("{word} needs a number, not `{given}`")))
            };
            match word.as_str() {
                "--minutes" => wish.minutes = number()?,
                "--seed" => wish.seed = Some(number()?),
                other => return Err(Failure::new(format!("there is no option `{other}`"))),
            }
            words.next();
        }
        Ok(wish)
    }
}

/// Builds everything, makes the clusters, lets it run. Fails where something was not as it must be.
pub fn run(wish: &Wish) -> Result<()> {
    let server = Server::ensure()?;
    extension::install(&server.place, &server.pgrx, &server.postgres)?;
    run::loud(run::cargo().arg("build").args(TOGETHER).current_dir(&server.place.checkout))?;
    let victims = victims(&server)?;
    let seed = wish.seed.unwrap_or_else(clock);
    run::say(format!("soak: {} minutes from seed {seed}", wish.minutes));
    let url = |at: usize| victims[at].cluster.url("postgres");
    let mut command = Command::new(built(&server.place.checkout, "soak")?);
    command.arg(wish.minutes.to_string()).arg(seed.to_string()).current_dir(&server.place.checkout);
    command
        .env("STRATA_TEST_URL", url(0))
        .env("STRATA_TEST_BARE_URL", url(0))
        .env("STRATA_TEST_KILL", homes(&victims))
        .env("STRATA_TEST_PG", &server.postgres.bin)
        .env("STRATA_TEST_BIN", binary(&server.place.checkout)?)
        .env("STRATA_MODEL_DIR", model::ensure(&server.place)?);
    run::loud(&mut command)
}

/// Any number that is another one the next time.
fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Wish> {
        Wish::parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn minutes_and_seed_are_read_and_nothing_else_is() {
        assert_eq!(parse("").unwrap(), Wish { minutes: 10, seed: None });
        assert_eq!(parse("--seed 7 --minutes 1").unwrap(), Wish { minutes: 1, seed: Some(7) });
        assert!(parse("--minutes").unwrap_err().to_string().contains("needs a number"));
        assert!(parse("--hours 1").is_err());
    }
}
