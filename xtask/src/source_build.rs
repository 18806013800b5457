//! PostgreSQL 17 and pgvector, compiled into the cache: whole or not at all, never changed after.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::error::{Context, Failure, Result};
use crate::installation::Installation;
use crate::place::{self, Place};
use crate::run;
use crate::sources::{Source, Tarball};
use crate::system;

/// The server that the tests run on where the system has none.
pub const POSTGRES: Source = Source {
    package: "postgresql-17",
    version: "17.11",
    sha256: "dd27f2b3c59e73ed14aa3324901242bf69a032a6347805f274e6260322d42979",
    url: "https://ftp.postgresql.org/pub/source/v17.11/postgresql-17.11.tar.bz2",
};

const PGVECTOR: Source = Source {
    package: "pgvector",
    version: "0.8.0",
    sha256: "867a2c328d4928a5a9d6f052cd3bc78c7d60228a9b914ad32aa3db88e9de27b0",
    url: "https://github.com/pgvector/pgvector/archive/refs/tags/v0.8.0.tar.gz",
};

const CHECKS: &str = "--enable-cassert";

const CONFIGURE: &[&str] = &[
    "--with-openssl",
    "--with-icu",
    "--with-libxml",
    "--with-lz4",
    "--with-zstd",
    CHECKS,
    "--enable-debug",
    "CFLAGS=-O2",
];

/// What a build is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Tests: assertions have caught real bugs; -O2 keeps the tests quick all the same.
    Checked,
    /// Benchmarks: as a distribution builds it.
    Plain,
}

impl Flavour {
    fn configure(self) -> Vec<&'static str> {
        CONFIGURE.iter().copied().filter(|word| self == Self::Checked || *word != CHECKS).collect()
    }

    fn folder(self, version: &str) -> String {
        match self {
            Self::Checked => format!("{version}-assert"),
            Self::Plain => version.to_owned(),
        }
    }

    fn recipe(self) -> String {
        format!("{}\npgvector {}\n", self.configure().join(" "), PGVECTOR.version)
    }
}

/// Names the recipe that a finished build followed; the last file that is written.
const MARKER: &str = "strata-recipe";

/// A finished build of this recipe.
pub fn built(place: &Place, flavour: Flavour) -> Option<Installation> {
    let folders = fs::read_dir(place.cache.join("postgres")).ok()?;
    let prefixes = folders.filter_map(|entry| Some(entry.ok()?.path()));
    let finished =
        |prefix: &PathBuf| fs::read_to_string(prefix.join(MARKER)).is_ok_and(|text| text == flavour.recipe());
    prefixes.filter(finished).find_map(|prefix| Installation::ask(&prefix.join("bin/pg_config")).ok())
}

/// Fetches, compiles and puts in place. Two runs at once make one build.
pub fn build(place: &Place, flavour: Flavour) -> Result<Installation> {
    let _alone = place.lock("postgres")?;
    if let Some(done) = built(place, flavour) {
        return Ok(done);
    }
    run::say(
        "setup: no PostgreSQL 15 to 18 with pgvector here: building PostgreSQL 17 and pgvector (minutes, once)",
    );
    system::ensure(system::FOR_SOURCE_BUILD)?;
    let (postgres, pgvector) = (POSTGRES.fetch(place)?, PGVECTOR.fetch(place)?);
    let prefix = place.cache.join("postgres").join(flavour.folder(&postgres.version));
    let work = place.cache.join("postgres").join("unfinished");
    place::remove_dir(&work)?;
    place::public_dir(&work)?;
    let staged = Build { place, flavour, work: &work, prefix: &prefix }.run(&postgres, &pgvector)?;
    fs::write(staged.join(MARKER), flavour.recipe()).context(|| "mark the build".into())?;
    place::remove_dir(&prefix)?;
    fs::rename(&staged, &prefix).context(|| format!("put {} in place", prefix.display()))?;
    place::remove_dir(&work)?;
    built(place, flavour)
        .ok_or_else(|| Failure::new(format!("{} does not run after its build", prefix.display())))
}

struct Build<'a> {
    place: &'a Place,
    flavour: Flavour,
    /// Everything that is thrown away afterwards.
    work: &'a Path,
    /// Where it will live: compiled in as the run path of libpq.
    prefix: &'a Path,
}

impl Build<'_> {
    /// Compiles both; the folder that is to become the prefix.
    fn run(&self, postgres: &Tarball, pgvector: &Tarball) -> Result<PathBuf> {
        let (server, vector) = (self.unpack(postgres, "server")?, self.unpack(pgvector, "vector")?);
        let out = self.work.join("out");
        let destination = format!("DESTDIR={}", out.display());
        let jobs = format!("-j{}", thread::available_parallelism().map_or(2, usize::from));
        let prefix = format!("--prefix={}", self.prefix.display());
        self.step(
            &server,
            "configuring PostgreSQL",
            run::readable("./configure").arg("-q").arg(prefix).args(self.flavour.configure()),
        )?;
        self.step(&server, "compiling PostgreSQL", make().args([&jobs]))?;
        self.step(&server, "compiling PostgreSQL's contrib", make().args(["-C", "contrib", &jobs]))?;
        self.step(&server, "installing PostgreSQL", make().args(["install", &destination]))?;
        self.step(
            &server,
            "installing PostgreSQL's contrib",
            make().args(["-C", "contrib", "install", &destination]),
        )?;
        let relative = self.prefix.strip_prefix("/").unwrap_or(self.prefix);
        let staged = out.join(relative);
        // A moved pg_config names the moved folders, so pgvector lands beside the server without a DESTDIR.
        let pg_config = format!("PG_CONFIG={}", staged.join("bin/pg_config").display());
        // Its default is -march=native: a cache that moves to another machine must still run there.
        self.step(&vector, "compiling pgvector", make().args([&jobs, &pg_config, "OPTFLAGS="]))?;
        self.step(&vector, "installing pgvector", make().args(["install", &pg_config]))?;
        Ok(staged)
    }

    fn unpack(&self, tarball: &Tarball, name: &str) -> Result<PathBuf> {
        let folder = self.work.join(name);
        place::public_dir(&folder)?;
        run::read(
            Command::new("tar")
                .arg("xf")
                .arg(&tarball.path)
                .arg("-C")
                .arg(&folder)
                .arg("--strip-components=1"),
        )?;
        Ok(folder)
    }

    fn step(&self, folder: &Path, title: &str, command: &mut Command) -> Result<()> {
        let log = self.place.log(&title.replace(' ', "-").to_lowercase())?;
        // A make that started us must not lend its flags and job slots to this one.
        let clean = command.current_dir(folder).env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
        run::quiet(&format!("setup: {title}"), &log, clean)
    }
}

fn make() -> Command {
    let mut command = run::readable("make");
    command.arg("-s");
    command
}
