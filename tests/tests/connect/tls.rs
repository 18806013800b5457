//! sslmode against a server of its own that has TLS.

use super::{Folder, SECRET, WRONG, variable, version};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `crypt` gets in only over TLS, `clear` only without, `shown` by a certificate.
const HBA: &str = "local all all trust\nhostssl all shown all cert\nhostssl all crypt all scram-sha-256\nhostnossl all clear all scram-sha-256\n";

/// A cluster with TLS, whose certificate is for localhost. It ends with the test.
struct Server {
    folder: Folder,
    port: u16,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(name: &str) -> Self {
        let (folder, port) = (Folder::new(name), free_port());
        let data = folder.0.join("data");
        give(&folder.0);
        let initdb = program("initdb")
            .args(["-U", "strata", "-A", "trust", "--no-sync", "--locale=C", "-D"])
            .arg(&data)
            .output();
        assert!(initdb.expect("initdb runs").status.success());
        certificates(&folder);
        let settings = format!(
            "port = {port}\nlisten_addresses = 'localhost'\nunix_socket_directories = '{0}'\nfsync = off\nssl = on\nssl_ca_file = '{0}/ours.crt'\n",
            folder.0.display()
        );
        owned(&folder, "data/postgresql.auto.conf", &settings);
        owned(&folder, "data/pg_hba.conf", HBA);
        let process = program("postgres").arg("-D").arg(&data).spawn().expect("postgres runs");
        let server = Server { folder, port, process };
        server.wait();
        server.sql(&format!(
            "create role crypt login password '{SECRET}'; create role clear login password '{SECRET}';
             create role shown login"
        ));
        server
    }

    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.psql("select 1") {
            assert!(Instant::now() < until, "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn sql(&self, text: &str) {
        assert!(self.psql(text), "{text}");
    }

    fn psql(&self, text: &str) -> bool {
        let mut psql = program("psql");
        psql.args(["-X", "-q", "-U", "strata", "-d", "postgres", "-p", &self.port.to_string(), "-c", text]);
        psql.arg("-h").arg(&self.folder.0).status().expect("psql runs").success()
    }

    /// Path of a file beside the cluster.
    fn file(&self, name: &str) -> String {
        self.folder.0.join(name).display().to_string()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

/// A program of PostgreSQL's, silent and never as root, which servers refuse.
fn program(name: &str) -> Command {
    let mut command = Command::new(Path::new(&variable("STRATA_TEST_PG")).join(name));
    command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((uid, gid)) = servant() {
        command.uid(uid).gid(gid);
    }
    command
}

/// The user that servers run as when we are root.
fn servant() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self").is_ok_and(|me| me.uid() != 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the list of users");
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    ids("postgres").or_else(|| ids("nobody"))
}

fn give(path: &Path) {
    if let Some((uid, gid)) = servant() {
        chown(path, Some(uid), Some(gid)).expect("given away");
    }
}

fn owned(folder: &Folder, name: &str, text: &str) -> PathBuf {
    let path = folder.file(name, text, 0o600);
    give(&path);
    path
}

/// Two authorities, and the server's certificate, signed by the first.
fn certificates(folder: &Folder) {
    let [ours, other] = [(); 2].map(|()| authority());
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    owned(folder, "data/server.key", &key.serialize_pem());
    owned(folder, "data/server.crt", &params.signed_by(&key, &ours).expect("signed").pem());
    folder.file("ours.crt", &ours.pem(), 0o644);
    folder.file("other.crt", &other.pem(), 0o644);
    client(folder, "client", &ours);
    client(folder, "stranger", &other);
}

/// A certificate for the role `shown`, and its key.
fn client(folder: &Folder, name: &str, by: &CertifiedIssuer<'static, KeyPair>) {
    let (key, mut params) = (KeyPair::generate().expect("a key"), CertificateParams::default());
    params.distinguished_name.push(DnType::CommonName, "shown");
    folder.file(&format!("{name}.crt"), &params.signed_by(&key, by).expect("signed").pem(), 0o644);
    folder.file(&format!("{name}.key"), &key.serialize_pem(), 0o600);
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

#[test]
fn every_sslmode_means_what_it_means_to_libpq() {
    let server = Server::start("tls");
    let (ours, other) = (server.file("ours.crt"), server.file("other.crt"));
    let at = |login: &str, host: &str, rest: &str, variables: &[(&str, &str)]| {
        let url = format!("postgres://{login}@{host}:{}/postgres?{rest}", server.port);
        version(Some(&url), &server.folder.0, variables)
    };
    let (crypt, clear) = (format!("crypt:{SECRET}"), format!("clear:{SECRET}"));
    let wrong = format!("crypt:{WRONG}");
    let table = [
        (&crypt, "127.0.0.1", "sslmode=disable".to_owned(), 20, "pg_hba.conf"),
        (&crypt, "127.0.0.1", "sslmode=allow".into(), 0, ""),
        (&clear, "127.0.0.1", "sslmode=allow".into(), 0, ""),
        (&crypt, "127.0.0.1", "sslmode=prefer".into(), 0, ""),
        (&clear, "127.0.0.1", "sslmode=prefer".into(), 0, ""),
        (&wrong, "127.0.0.1", "sslmode=prefer".into(), 20, "password authentication failed"),
        (&wrong, "127.0.0.1", "sslmode=allow".into(), 20, "password authentication failed"),
        (&crypt, "127.0.0.1", "sslmode=require".into(), 0, ""),
        (&crypt, "127.0.0.1", "sslmode=require&channel_binding=require".into(), 0, ""),
        (&clear, "127.0.0.1", "sslmode=require".into(), 20, "pg_hba.conf"),
        (&crypt, "127.0.0.1", format!("sslmode=require&sslrootcert={other}"), 10, "signed by an authority"),
        (&crypt, "127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ours}"), 0, ""),
        (&crypt, "127.0.0.1", format!("sslmode=verify-ca&sslrootcert={other}"), 10, "signed by an authority"),
        (&crypt, "localhost", format!("sslmode=verify-full&sslrootcert={ours}"), 0, ""),
        (&crypt, "127.0.0.1", format!("sslmode=verify-full&sslrootcert={ours}"), 10, "is for another host"),
        (
            &crypt,
            "localhost",
            format!("sslmode=verify-full&sslrootcert={other}"),
            10,
            "signed by an authority",
        ),
        (&crypt, "localhost", "sslmode=verify-full&sslrootcert=/absent".into(), 2, "sslrootcert /absent"),
    ];
    for (login, host, rest, code, said) in table {
        at(login, host, &rest, &[]).must(code, said);
    }
    let store = [("SSL_CERT_FILE", ours.as_str())];
    at(&crypt, "localhost", "sslrootcert=system", &store).must(0, "");
    at(&crypt, "127.0.0.1", "sslrootcert=system", &store).must(10, "is for another host");
    at(&crypt, "localhost", "", &[("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", &ours)]).must(0, "");
    fs::create_dir(server.folder.0.join(".postgresql")).expect("a folder");
    fs::copy(&other, server.folder.0.join(".postgresql/root.crt")).expect("copied");
    at(&crypt, "localhost", "sslmode=require", &[]).must(10, "signed by an authority");
}

#[test]
fn a_socket_needs_neither_a_host_name_nor_tls() {
    let server = Server::start("socket");
    let folder = server.file("").replace('/', "%2F");
    let url = format!("postgres://strata@{folder}:{}/postgres?sslmode=require", server.port);
    version(Some(&url), &server.folder.0, &[]).must(0, "");
}

#[test]
fn a_certificate_of_the_client_is_shown_and_what_is_wrong_with_its_files_is_said() {
    let server = Server::start("client-certificate");
    let (folder, file) = (&server.folder, |name: &str| server.file(name));
    let at = |rest: &str, variables: &[(&str, &str)]| {
        let url = format!("postgres://shown@127.0.0.1:{}/postgres?sslmode=require{rest}", server.port);
        version(Some(&url), &folder.0, variables)
    };
    let with = |certificate: &str, key: &str| at(&format!("&sslcert={certificate}&sslkey={key}"), &[]);
    let (certificate, key) = (file("client.crt"), file("client.key"));
    with(&certificate, &key).must(0, "");
    at("", &[("PGSSLCERT", &certificate), ("PGSSLKEY", &key)]).must(0, "");
    at("", &[]).must(20, "requires a valid client certificate");
    at(&format!("&sslcert={certificate}"), &[]).must(2, "needs a key");
    with(&file("stranger.crt"), &file("stranger.key")).must(20, "refuses the certificate");
    with("/absent.crt", &key).must(2, "sslcert /absent.crt: ");
    with(&key, &key).must(2, "no certificate in it");
    with(&certificate, "/absent.key").must(2, "sslkey /absent.key: ");
    with(&certificate, &certificate).must(2, "others may read it");
    with(&certificate, &file("stranger.key")).must(2, "does not go with sslkey");
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let locked = folder.file("locked.key", locked, 0o600).display().to_string();
    with(&certificate, &locked).must(2, "without a password");
    fs::create_dir(folder.0.join(".postgresql")).expect("a folder");
    for name in ["crt", "key"] {
        let usual = folder.0.join(format!(".postgresql/postgresql.{name}"));
        fs::copy(file(&format!("client.{name}")), usual).expect("copied");
    }
    at("", &[]).must(0, "");
}
