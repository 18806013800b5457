//! What the three checks accept of certificates made here.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::time::Duration;

/// Seconds of a day on which the certificates count: 2030-01-01.
const TODAY: u64 = 1_893_456_000;

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("good names");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    params
}

fn authority() -> Issuer {
    let mut params = params(&[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

fn server(names: &[&str], by: &Issuer) -> CertificateDer<'static> {
    let key = KeyPair::generate().expect("a key");
    params(names).signed_by(&key, by).expect("signed").der().clone()
}

fn itself(names: &[&str], is_ca: IsCa) -> CertificateDer<'static> {
    let mut params = params(names);
    params.is_ca = is_ca;
    params.self_signed(&KeyPair::generate().expect("a key")).expect("signed").der().clone()
}

fn verify(
    check: Check,
    roots: &[CertificateDer<'_>],
    shown: &CertificateDer<'_>,
    day: u64,
) -> Result<(), rustls::Error> {
    let roots = roots.iter().map(|root| root.clone().into_owned()).collect();
    let verifier = Verifier::new(check, roots, &crypto::ring::default_provider()).expect("usable roots");
    let name = ServerName::try_from("db.example").expect("a name");
    let now = UnixTime::since_unix_epoch(Duration::from_secs(day));
    verifier.verify_server_cert(shown, &[], &name, &[], now).map(|_| ())
}

#[test]
fn each_check_accepts_what_it_should() {
    let (ours, other) = (authority(), authority());
    let right = server(&["db.example"], &ours);
    let misnamed = server(&["else.example"], &ours);
    let foreign = server(&["db.example"], &other);
    let table = [
        (Check::Nothing, [true, true, true]),
        (Check::Chain, [true, true, false]),
        (Check::ChainAndName, [true, false, false]),
    ];
    for (check, expected) in table {
        let got = [&right, &misnamed, &foreign]
            .map(|shown| verify(check, &[ours.der().clone()], shown, TODAY).is_ok());
        assert_eq!(got, expected, "{check:?}");
    }
}

#[test]
fn a_self_signed_certificate_that_is_its_own_root_is_believed_in_its_time() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let own = itself(&["db.example"], is_ca);
        assert_eq!(verify(Check::Chain, std::slice::from_ref(&own), &own, TODAY), Ok(()));
        assert_eq!(verify(Check::ChainAndName, std::slice::from_ref(&own), &own, TODAY), Ok(()));
        let late = verify(Check::Chain, std::slice::from_ref(&own), &own, TODAY + 20 * 31_557_600);
        assert_eq!(late, Err(CertificateError::Expired.into()));
        let early = verify(Check::Chain, std::slice::from_ref(&own), &own, 0);
        assert_eq!(early, Err(CertificateError::NotValidYet.into()));
    }
    let own = itself(&["else.example"], IsCa::NoCa);
    assert!(
        verify(Check::ChainAndName, std::slice::from_ref(&own), &own, TODAY).is_err(),
        "the name still counts"
    );
}

#[test]
fn a_root_file_that_cannot_be_used_is_named() {
    let path = std::env::temp_dir().join(format!("strata-roots-{}", std::process::id()));
    let refused = || roots(&Roots::File(path.clone())).expect_err("refused").message().to_owned();
    assert!(refused().contains("No such file"), "{}", refused());
    std::fs::write(&path, "no certificate\n").expect("written");
    assert_eq!(refused(), format!("sslrootcert {}: no certificate in it", path.display()));
    std::fs::remove_file(&path).expect("removed");
}
