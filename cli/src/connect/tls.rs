//! TLS with rustls: which certificates of a server are believed.

use super::certificates;
use super::client_certificate::ClientCertificate;
use super::encryption::{Check, Encryption, Roots};
use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{self, CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::sync::Arc;
use strata_core::{Error, Kind};
use tokio_postgres_rustls::MakeRustlsConnect;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

/// What opens TLS connections as these settings ask for.
pub fn connector(encryption: &Encryption) -> Result<MakeRustlsConnect, Error> {
    let provider = Arc::new(crypto::ring::default_provider());
    let verifier = Verifier::new(encryption.check, roots(&encryption.roots)?, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Kind::CannotConnect, format!("TLS cannot be set up: {error}")))?;
    let verifier = Arc::new(verifier);
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match &encryption.client {
        None => builder.with_no_client_auth(),
        Some(client) => shown(builder, client)?,
    };
    if encryption.direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

/// With what is shown to a server that asks who we are.
fn shown(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    client: &ClientCertificate,
) -> Result<ClientConfig, Error> {
    let (certificates, key) = client.load()?;
    builder.with_client_auth_cert(certificates, key).map_err(|why| {
        let (certificate, key) = (client.certificate.display(), client.key.display());
        Error::new(Kind::BadArgument, format!("sslcert {certificate} does not go with sslkey {key}: {why}"))
            .hint("give the key that the certificate was made for")
    })
}

/// The certificates that are believed without anyone's signature.
fn roots(roots: &Roots) -> Result<Vec<CertificateDer<'static>>, Error> {
    match roots {
        Roots::None => Ok(Vec::new()),
        Roots::System => {
            let found = rustls_native_certs::load_native_certs().certs;
            let none =
                || Error::new(Kind::CannotConnect, "sslrootcert=system: the system has no root certificates");
            if found.is_empty() {
                Err(none().hint("install ca-certificates, or set SSL_CERT_FILE"))
            } else {
                Ok(found)
            }
        }
        Roots::File(path) => certificates::read(path).map_err(|why| {
            Error::new(Kind::BadArgument, format!("sslrootcert {}: {why}", path.display()))
                .hint("give a PEM file with the certificate of the authority that signed the server's")
        }),
    }
}

/// Checks as much of a server's certificate as sslmode asks for.
#[derive(Debug)]
struct Verifier {
    check: Check,
    roots: RootCertStore,
    /// The same certificates, for a server that shows one of them as its own.
    pinned: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn new(
        check: Check,
        pinned: Vec<CertificateDer<'static>>,
        provider: &CryptoProvider,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(pinned.iter().cloned());
        if usable == 0 && check != Check::Nothing {
            let message = "none of the root certificates can be used";
            return Err(Error::new(Kind::BadArgument, message).hint("check sslrootcert"));
        }
        Ok(Verifier { check, roots, pinned, algorithms: provider.signature_verification_algorithms })
    }

    /// A certificate that is itself among the roots needs no signature, only to be in its time: the usual set-up
    /// of one server with a self-signed certificate.
    fn chain(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        if self.pinned.contains(certificate) {
            return in_its_time(certificate, now);
        }
        let parsed = ParsedCertificate::try_from(certificate)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, self.algorithms.all)
    }
}

fn decode(certificate: &CertificateDer<'_>) -> Result<Certificate, rustls::Error> {
    Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

fn in_its_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let validity = decode(certificate)?.tbs_certificate.validity;
    match now.as_secs() {
        now if now < validity.not_before.to_unix_duration().as_secs() => {
            Err(CertificateError::NotValidYet.into())
        }
        now if now > validity.not_after.to_unix_duration().as_secs() => Err(CertificateError::Expired.into()),
        _ => Ok(()),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.check != Check::Nothing {
            self.chain(certificate, between, now)?;
        }
        if self.check == Check::ChainAndName {
            verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    /// In every mode, or a server could show a certificate whose key it does not have, and channel binding would
    /// prove nothing. By the bare key, because `openssl x509 -req` writes certificates of version 1, which rustls
    /// does not read.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = decode(certificate)?.tbs_certificate.subject_public_key_info;
        let key = key.to_der().map_err(|_| CertificateError::BadEncoding)?;
        let key = SubjectPublicKeyInfoDer::from(key);
        crypto::verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
