//! A certificate that the client shows to the server: sslcert and sslkey, as libpq means them.

use super::parameters::{Parameters, refused};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use strata_core::{Error, Kind};

/// Two PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and behind it those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key, without a password.
    pub key: PathBuf,
}

impl ClientCertificate {
    /// As given, else the usual files; none where there are none. `usual` finds a file of `~/.postgresql` that exists.
    pub fn read(given: &Parameters, usual: &dyn Fn(&str) -> Option<PathBuf>) -> Result<Option<Self>, Error> {
        let named = |name| given.text(name).map(PathBuf::from);
        let Some(certificate) = named("sslcert").or_else(|| usual("postgresql.crt")) else { return Ok(None) };
        let Some(key) = named("sslkey").or_else(|| usual("postgresql.key")) else {
            let origin = given.get("sslcert").map_or("sslcert", |value| value.origin);
            let what = format!(
                "sslcert {} needs a key, and there is no ~/.postgresql/postgresql.key",
                certificate.display()
            );
            return Err(refused(origin, what).hint("give sslkey=FILE"));
        };
        Ok(Some(ClientCertificate { certificate, key }))
    }

    /// What the files hold.
    pub fn load(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
        let certificates = super::certificates::read(&self.certificate).map_err(|why| {
            let message = format!("sslcert {}: {why}", self.certificate.display());
            Error::new(Kind::BadArgument, message).hint("give a PEM file with the client's certificate")
        })?;
        Ok((certificates, self.load_key()?))
    }

    fn load_key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        let shown = self.key.display();
        let refused = |why: String| Error::new(Kind::BadArgument, format!("sslkey {shown}: {why}"));
        if others_may_read(&self.key).map_err(|error| refused(error.to_string()))? {
            return Err(refused("others may read it".into()).hint(format!("run \"chmod 0600 {shown}\"")));
        }
        let text = fs::read(&self.key).map_err(|error| refused(error.to_string()))?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
            refused("no private key in it that can be read without a password".into())
                .hint(format!("openssl pkey -in {shown} -out FILE writes one"))
        })
    }
}

/// A key of root's may also be read by a group.
fn others_may_read(key: &Path) -> std::io::Result<bool> {
    let about = fs::metadata(key)?;
    let others = if about.uid() == 0 { 0o037 } else { 0o077 };
    Ok(about.permissions().mode() & others != 0)
}
