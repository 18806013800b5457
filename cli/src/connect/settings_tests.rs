//! What is read from which place, and what is refused.

use super::super::encryption::SslMode;
use super::*;
use strata_core::Kind;

/// Reads with these variables, as user `os`, with a server's socket at these paths.
fn read_with(url: Option<&str>, vars: &[(&str, &str)], files: &[&str]) -> Result<Settings, Error> {
    let var =
        |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let exists = |path: &Path| files.iter().any(|file| Path::new(file) == path);
    Settings::read(url, &Surroundings { var: &var, os_user: &|| Some("os".into()), exists: &exists })
}

fn read(url: Option<&str>, vars: &[(&str, &str)]) -> Settings {
    read_with(url, vars, &[]).expect("good settings")
}

fn shown(settings: &Settings) -> String {
    let targets: Vec<String> = settings.targets.iter().map(Target::to_string).collect();
    format!("{}/{} as {}", targets.join(","), settings.database, settings.user)
}

fn message(url: &str) -> String {
    let error = read_with(Some(url), &[], &[]).expect_err("refused");
    assert_eq!(error.kind(), Kind::BadArgument);
    error.message().to_owned()
}

#[test]
fn the_flag_counts_before_database_url_and_both_before_the_variables() {
    let vars = [("DATABASE_URL", "postgres://u@second"), ("PGHOST", "third"), ("PGUSER", "env")];
    assert_eq!(shown(&read(Some("postgres://a@first/d"), &vars)), "first:5432/d as a");
    assert_eq!(shown(&read(None, &vars)), "second:5432/u as u");
    assert_eq!(shown(&read(None, &vars[1..])), "third:5432/env as env");
    assert_eq!(shown(&read(None, &[("DATABASE_URL", "")])), "localhost:5432/os as os");
}

#[test]
fn variables_fill_what_a_url_leaves_out() {
    let vars = [
        ("PGHOST", "no"),
        ("PGPORT", "6000"),
        ("PGUSER", "ann"),
        ("PGPASSWORD", "secret"),
        ("PGDATABASE", "app"),
        ("PGSSLMODE", "require"),
        ("PGAPPNAME", "night"),
        ("PGCONNECT_TIMEOUT", "3"),
        ("PGOPTIONS", "-c lock_timeout=1s"),
    ];
    let settings = read(Some("postgres://h"), &vars);
    assert_eq!(shown(&settings), "h:6000/app as ann");
    assert_eq!(settings.password.map(|p| (p.secret, p.origin)), Some(("secret".into(), "PGPASSWORD".into())));
    assert_eq!(settings.encryption.mode, SslMode::Require);
    assert_eq!(
        (settings.application_name.as_str(), settings.timeout),
        ("night", Some(Duration::from_secs(3)))
    );
    assert_eq!(settings.options.as_deref(), Some("-c lock_timeout=1s"));
    let own = read(Some("postgres://u:p@h:1/d?sslmode=disable&application_name=x&connect_timeout=0"), &vars);
    assert_eq!((shown(&own).as_str(), own.timeout), ("h:1/d as u", None));
    assert_eq!((own.encryption.mode, own.application_name.as_str()), (SslMode::Disable, "x"));
}

#[test]
fn the_defaults_are_libpqs_apart_from_name_and_timeout() {
    let settings = read(None, &[("HOME", "/home/os")]);
    assert_eq!(shown(&settings), "localhost:5432/os as os");
    assert_eq!(
        (settings.application_name.as_str(), settings.timeout),
        ("strata", Some(Duration::from_secs(10)))
    );
    assert_eq!(settings.encryption.mode, SslMode::Prefer);
    assert_eq!(settings.passfile, Some(Passfile { path: "/home/os/.pgpass".into(), named: false }));
    let named = read(None, &[("PGPASSFILE", "/p"), ("HOME", "/home/os")]);
    assert_eq!(named.passfile, Some(Passfile { path: "/p".into(), named: true }));
}

#[test]
fn without_a_host_the_socket_of_the_port_counts() {
    let socket = |files: &[&str]| shown(&read_with(Some("port=6543"), &[], files).expect("good"));
    assert_eq!(socket(&["/var/run/postgresql/.s.PGSQL.6543"]), "/var/run/postgresql:6543/os as os");
    assert_eq!(socket(&["/tmp/.s.PGSQL.6543"]), "/tmp:6543/os as os");
    assert_eq!(socket(&["/tmp/.s.PGSQL.5432"]), "localhost:6543/os as os");
}

#[test]
fn hosts_addresses_and_ports_go_together() {
    assert_eq!(shown(&read(Some("postgres://a:1,b,[::1]:3/d"), &[])), "a:1,b:5432,[::1]:3/d as os");
    assert_eq!(shown(&read(Some("host=a,b port=7"), &[])), "a:7,b:7/os as os");
    let pinned = read(Some("host=db hostaddr=10.0.0.1"), &[]);
    assert_eq!((pinned.targets[0].host.as_str(), pinned.targets[0].address), ("db", "10.0.0.1".parse().ok()));
    assert_eq!(shown(&read(Some("hostaddr=10.0.0.1"), &[])), "10.0.0.1:5432/os as os");
    assert_eq!(message("host=a,b port=1,2,3"), "--database: 3 ports do not go with 2 hosts");
    assert_eq!(message("host=a,b hostaddr=10.0.0.1"), "--database: 2 hosts do not go with 1 addresses");
}

#[test]
fn what_cannot_be_used_is_named() {
    assert_eq!(message("port=0"), "--database: port \"0\" is not a number from 1 to 65535");
    assert_eq!(
        message("postgres:///d?port=70000"),
        "--database: port \"70000\" is not a number from 1 to 65535"
    );
    assert_eq!(
        message("postgres://h:70000/d"),
        "--database: the port of host \"h\" is not a number from 1 to 65535"
    );
    assert_eq!(message("connect_timeout=soon"), "--database: connect_timeout \"soon\" is no whole number");
    assert_eq!(message("hostaddr=h"), "--database: hostaddr \"h\" is no IP address");
    assert_eq!(
        message("gssencmode=require"),
        "--database: gssencmode \"require\" is not one of prefer, disable"
    );
    assert_eq!(message("host=@abstract"), "host: no host may hold an @");
    let error = read_with(None, &[("PGPORT", "x")], &[]).expect_err("refused");
    assert_eq!(error.message(), "PGPORT: port \"x\" is not a number from 1 to 65535");
}

#[test]
fn a_service_is_refused_only_where_it_would_count() {
    let vars = [("PGSERVICE", "prod")];
    let error = read_with(None, &vars, &[]).expect_err("refused");
    assert_eq!(error.message(), "PGSERVICE: service \"prod\" is not looked up");
    assert_eq!(shown(&read(Some("postgres://h"), &vars)), "h:5432/os as os");
}

#[test]
fn settings_never_show_the_password() {
    let settings = read(Some("postgres://u:secret@h"), &[]);
    assert!(!format!("{settings:?}").contains("secret"));
}

#[test]
fn tcp_is_kept_alive_as_told() {
    let keepalive =
        read(Some("keepalives=0 keepalives_idle=5 keepalives_count=2 tcp_user_timeout=1500"), &[]).keepalive;
    let expected = Keepalive {
        on: false,
        idle: Some(Duration::from_secs(5)),
        interval: None,
        count: Some(2),
        user_timeout: Some(Duration::from_millis(1500)),
    };
    assert_eq!(keepalive, expected);
}

#[test]
fn a_search_path_of_the_url_is_a_setting_of_the_session() {
    let options = |url| read(Some(url), &[]).options;
    assert_eq!(options("postgres://h/d?search_path=shop").as_deref(), Some("-c search_path=shop"));
    let both = "postgres://h/d?search_path=shop,%20public&options=-c%20work_mem%3D1MB";
    assert_eq!(options(both).as_deref(), Some(r"-c work_mem=1MB -c search_path=shop,\ public"));
    assert_eq!(escaped(r#""$user", a\b"#), r#""$user",\ a\\b"#, "one option, whatever is in it");
}
