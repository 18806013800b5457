//! Everything that the other verbs lean on, in order, each part left alone when it is there already.

use crate::cargo_pgrx::CargoPgrx;
use crate::cluster::{Cluster, Stop};
use crate::error::Result;
use crate::extension;
use crate::installation::Installation;
use crate::model;
use crate::overlay::{self, Kind};
use crate::place::{self, Place};
use crate::postgres;
use crate::run;
use crate::source_build::Flavour;
use crate::system;
use crate::toolchain;

/// Folders of clusters that outlive their command, below the checkout's own folder.
pub const KEPT: [&str; 2] = ["dev", "demo"];

/// A machine on which the extension can be built and PostgreSQL can be run.
pub struct Server {
    /// Where things lie.
    pub place: Place,
    /// The PostgreSQL that was found or built. Nothing is ever written into it.
    pub original: Installation,
    /// Its moved copy with our extension.
    pub postgres: Installation,
    /// cargo-pgrx, with a moved copy of its own: what its tests install must not meet a running server.
    pub pgrx: CargoPgrx,
}

impl Server {
    /// Sets up PostgreSQL and the tools, without building anything of ours.
    pub fn ensure() -> Result<Self> {
        Self::ensure_in(Place::find()?, Flavour::Checked)
    }

    /// For benchmarks: PostgreSQL without assertions, and our own code as users get it.
    pub fn plain() -> Result<Self> {
        let place = Place::find()?;
        let own = place.own.join("bench");
        place::public_dir(&own)?;
        Self::ensure_in(Place { own, ..place }, Flavour::Plain)
    }

    fn ensure_in(place: Place, flavour: Flavour) -> Result<Self> {
        toolchain::ensure_component("rustfmt")?;
        system::ensure(system::FOR_EXTENSION)?;
        system::ensure_libclang()?;
        let original = postgres::choose_for(&place, flavour)?;
        run::say(format!("setup: PostgreSQL {} of {}", original.version, original.bin.display()));
        let postgres = moved_copy(&place, &original)?;
        let pgrx = CargoPgrx::ensure(&place, &copy_for_pgrx(&place, &original)?, &original)?;
        Ok(Self { place, original, postgres, pgrx })
    }

    /// The same with the extension built and installed.
    pub fn with_extension() -> Result<Self> {
        let server = Self::ensure()?;
        extension::install(&server.place, &server.pgrx, &server.postgres)?;
        Ok(server)
    }

    /// A moved copy that has neither pgvector nor our extension.
    pub fn bare(&self) -> Result<Installation> {
        let _alone = self.place.own_lock("overlay")?;
        overlay::ensure(&self.original, &self.place.own.join("pg-bare"), Kind::Bare)
    }
}

fn copy_for_pgrx(place: &Place, original: &Installation) -> Result<Installation> {
    let _alone = place.own_lock("overlay")?;
    overlay::ensure(original, &place.own.join("pg-pgrx"), Kind::Full)
}

/// Servers that run from a copy which is to be replaced are stopped first.
fn moved_copy(place: &Place, original: &Installation) -> Result<Installation> {
    let _alone = place.own_lock("overlay")?;
    let root = place.own.join("pg");
    if !overlay::is_current(original, &root)? {
        run::say(format!("setup: making this checkout's copy of PostgreSQL in {}", root.display()));
        for name in KEPT {
            if let Ok(Some(cluster)) = Cluster::open(&place.own.join(name), original) {
                cluster.stop(Stop::Fast)?;
            }
        }
    }
    overlay::ensure(original, &root, Kind::Full)
}

/// `cargo xtask setup`: everything that any verb needs from outside the repository.
pub fn all() -> Result<()> {
    // The model first: what needs a password for sudo should ask before the long builds.
    let model = model::ensure(&Place::find()?)?;
    Server::ensure()?;
    run::say(format!("setup: the model lies in {}", model.display()));
    run::say("setup: everything is here; next: cargo xtask demo, cargo xtask test, cargo xtask db");
    Ok(())
}
