//! `cargo xtask db`: a development cluster with the extension, kept between runs. Its URL is all that stdout gets.

use std::fs;

use crate::cluster::{self, Cluster, Kind, Stop};
use crate::error::{Failure, Result};
use crate::extension;
use crate::place::{self, Place};
use crate::postgres;
use crate::run;
use crate::setup::Server;

/// What to do with the development cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    /// Start it or find it running.
    Start,
    /// The same after removing what was there.
    Fresh,
    /// Stop it and keep its data.
    Stop,
    /// Start it with pgvector alone: the extension is not built, so it need not compile.
    WithoutExtension,
}

impl Wish {
    /// Reads the words after `db`.
    pub fn parse(words: &[String]) -> Result<Self> {
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Ok(Self::Start),
            ["--fresh"] => Ok(Self::Fresh),
            ["--stop"] => Ok(Self::Stop),
            ["--without-extension"] => Ok(Self::WithoutExtension),
            _ => Err(Failure::new(format!("db does not know `{}`", words.join(" ")))
                .hint("cargo xtask db [--fresh | --stop | --without-extension]")),
        }
    }
}

/// The database that is made for the person.
const DATABASE: &str = "strata";

/// Does it.
pub fn run(wish: Wish) -> Result<()> {
    match wish {
        Wish::Stop => stop(),
        Wish::WithoutExtension => print_url(Server::ensure()?, wish),
        Wish::Start | Wish::Fresh => print_url(Server::with_extension()?, wish),
    }
}

fn stop() -> Result<()> {
    let place = Place::find()?;
    let _alone = place.own_lock("db")?;
    let original = postgres::choose(&place)?;
    match Cluster::open(&place.own.join("dev"), &original)? {
        Some(cluster) if cluster.is_running() => cluster.stop(Stop::Fast),
        _ => {
            run::say("db: no development cluster is running");
            Ok(())
        }
    }
}

fn print_url(server: Server, wish: Wish) -> Result<()> {
    let _alone = server.place.own_lock("db")?;
    let cluster = started(&server, wish)?;
    if cluster.ask("postgres", &format!("select count(*) from pg_database where datname = '{DATABASE}'"))?
        == "0"
    {
        cluster.ask("postgres", &format!("create database {DATABASE}"))?;
    }
    if wish != Wish::WithoutExtension {
        create_extension(&server, &cluster)?;
    }
    println!("{}", cluster.url(DATABASE));
    Ok(())
}

fn started(server: &Server, wish: Wish) -> Result<Cluster> {
    let home = server.place.own.join("dev");
    if wish == Wish::Fresh {
        remove(server)?;
    }
    let mut cluster = match Cluster::open(&home, &server.postgres)? {
        Some(cluster) => cluster,
        None => {
            run::say(format!("db: making a development cluster in {}", home.display()));
            cluster::discard(&home, &server.postgres)?;
            Cluster::create(&home, &server.postgres, Kind::Durable)?
        }
    };
    if !cluster.is_running() {
        run::say("db: starting the development cluster");
        cluster.start()?;
    }
    Ok(cluster)
}

fn remove(server: &Server) -> Result<()> {
    let home = server.place.own.join("dev");
    run::say(format!("db: removing the development cluster in {}", home.display()));
    cluster::discard(&home, &server.postgres)
}

/// Creates the extension. One that is there is left alone, because dropping it would drop its tables.
fn create_extension(server: &Server, cluster: &Cluster) -> Result<()> {
    let script = extension::script(&server.postgres)
        .ok_or_else(|| Failure::new("the extension was built but its script is not there"))?;
    let now = place::file_sha256(&script)?;
    let note = server.place.own.join("dev-extension");
    if cluster.ask(DATABASE, "select count(*) from pg_extension where extname = 'strata'")? == "0" {
        cluster.ask(DATABASE, "set client_min_messages = warning; create extension strata cascade")?;
        return place::write_if_changed(&note, now.as_bytes());
    }
    if fs::read_to_string(&note).is_ok_and(|then| then != now) {
        run::say(
            "db: the extension's SQL has changed since it was created here; `cargo xtask db --fresh` begins anew",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_named() {
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(Wish::parse(&words("--fresh")).unwrap(), Wish::Fresh);
        let refusal = Wish::parse(&words("--fresh --now")).unwrap_err().to_string();
        assert!(refusal.contains("`--fresh --now`"), "{refusal}");
    }
}
