//! A connection to a server that is played here: what it says and what it is asked.

use super::*;
use strata_core::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Process 7, key 9, and ready.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x07\0\0\0\x09Z\0\0\0\x05I";
const NOTICE: &[u8] = b"N\0\0\0\x23SNOTICE\0VNOTICE\0C00000\0Mhello\0\0";
const FATAL: &[u8] = b"E\0\0\0\x22SFATAL\0VFATAL\0C57P01\0Mending\0\0";

async fn listen_here() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    (listener, format!("postgres://ann:secret@127.0.0.1:{port}/app?sslmode=disable"))
}

/// Accepts a connection and reads its first packet.
async fn accept(listener: &TcpListener) -> (TcpStream, Vec<u8>) {
    let (mut stream, _) = listener.accept().await.expect("a client");
    let length = stream.read_u32().await.expect("a length");
    let mut packet = vec![0; length as usize - 4];
    stream.read_exact(&mut packet).await.expect("a packet");
    (stream, packet)
}

#[tokio::test]
async fn notices_arrive_and_last_the_error_that_ended_the_connection() {
    let (listener, url) = listen_here().await;
    let server = async {
        let (mut stream, startup) = accept(&listener).await;
        stream.write_all(&[WELCOME, NOTICE, FATAL].concat()).await.expect("said");
        String::from_utf8_lossy(&startup).replace('\0', " ")
    };
    let (startup, connection) = tokio::join!(server, connect(Some(&url), None, None));
    let mut connection = connection.unwrap_or_else(|error| panic!("{error}"));
    assert!(startup.contains("application_name strata"), "{startup}");
    assert_eq!(connection.address, format!("{}/app as ann", listener.local_addr().expect("bound")));
    let notice = connection.notices.recv().await.expect("a notice");
    assert_eq!((notice.severity(), notice.message()), ("NOTICE", "hello"));
    assert_eq!(connection.notices.recv().await.expect("the end").code().code(), "57P01");
    assert!(connection.notices.recv().await.is_none(), "the connection has ended");
}

#[tokio::test]
async fn a_cancellation_names_process_and_key() {
    let (listener, url) = listen_here().await;
    let server = async {
        let (mut stream, _) = accept(&listener).await;
        stream.write_all(WELCOME).await.expect("said");
        stream
    };
    let (_stream, connection) = tokio::join!(server, connect(Some(&url), None, None));
    let connection = connection.unwrap_or_else(|error| panic!("{error}"));
    let ((_, packet), ()) = tokio::join!(accept(&listener), connection.cancel());
    assert_eq!(packet, [4, 210, 22, 46, 0, 0, 0, 7, 0, 0, 0, 9], "code 80877102, process 7, key 9");
}

#[tokio::test]
async fn every_refusal_has_its_kind_and_keeps_the_password() {
    for (code, kind) in [
        ("28P01", Kind::NotAuthorized),
        ("28000", Kind::NotAuthorized),
        ("3D000", Kind::NoDatabase),
        ("42501", Kind::Forbidden),
        ("42704", Kind::BadArgument),
        ("53300", Kind::CannotConnect),
        ("57P03", Kind::CannotConnect),
        ("XX000", Kind::CannotConnect),
    ] {
        let (listener, url) = listen_here().await;
        let server = async {
            let (mut stream, _) = accept(&listener).await;
            let fields = format!("SFATAL\0VFATAL\0C{code}\0Msaid\nso\0\0");
            let length = u32::try_from(fields.len() + 4).expect("short").to_be_bytes();
            stream.write_all(&[b"E", &length[..], fields.as_bytes()].concat()).await.expect("said");
        };
        let ((), connection) = tokio::join!(server, connect(Some(&url), None, None));
        let error = connection.err().expect("refused");
        assert_eq!(error.kind(), kind, "{code}: {error}");
        assert!(error.get_hint().is_some() && !error.message().contains('\n'), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_without_an_answer_is_given_up() {
    let (listener, url) = listen_here().await;
    let error = connect(Some(&format!("{url}&connect_timeout=1")), None, None).await.err().expect("given up");
    let place = listener.local_addr().expect("bound");
    assert_eq!(error.message(), format!("cannot connect to {place}: no answer within 1 s"));
}

#[tokio::test]
async fn the_next_host_is_tried_when_one_cannot_be_reached() {
    let (listener, _) = listen_here().await;
    let port = listener.local_addr().expect("bound").port();
    let server = async {
        let (mut stream, _) = accept(&listener).await;
        stream.write_all(WELCOME).await.expect("said");
        stream
    };
    let url = format!("postgres://u@127.0.0.1:1,127.0.0.1:{port}/d?sslmode=disable");
    let (_stream, connection) = tokio::join!(server, connect(Some(&url), None, None));
    assert_eq!(
        connection.unwrap_or_else(|error| panic!("{error}")).address,
        format!("127.0.0.1:{port}/d as u")
    );
    let error = connect(Some("postgres://u@127.0.0.1:1,127.0.0.1:2/d"), None, None)
        .await
        .err()
        .expect("nobody is there");
    let said = "cannot connect to 127.0.0.1:1: connection refused; cannot connect to 127.0.0.1:2: connection refused";
    assert_eq!(error.message(), said);
}

#[tokio::test]
async fn what_does_not_speak_the_protocol_is_told_apart() {
    for said in [b"Z\0\0\0\x05I".as_slice(), b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let (listener, url) = listen_here().await;
        let server = async {
            let (mut stream, _) = accept(&listener).await;
            stream.write_all(said).await.expect("said");
        };
        let ((), connection) = tokio::join!(server, connect(Some(&url), None, None));
        let error = connection.err().expect("refused");
        assert!(
            error.message().ends_with("what answers there does not speak PostgreSQL's protocol"),
            "{error}"
        );
    }
}
