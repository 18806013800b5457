//! A client of HTTP that does nothing but ask: one connection that stays, one packet a request, so that what is measured is
//! the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection.
pub struct Client {
    host: String,
    reader: BufReader<TcpStream>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its text.
    pub body: String,
}

/// Header lines.
pub type Lines<'l> = [(&'l str, String)];

impl Client {
    /// To `host:port`.
    pub fn to(host: &str) -> Client {
        let stream = TcpStream::connect(host).expect("the gateway listens");
        stream.set_nodelay(true).expect("a socket");
        Client { host: host.to_owned(), reader: BufReader::new(stream) }
    }

    /// Reads a page.
    pub fn get(&mut self, path: &str, lines: &Lines<'_>) -> Answer {
        self.ask("GET", path, lines, "")
    }

    /// Sends JSON.
    pub fn post(&mut self, path: &str, lines: &Lines<'_>, json: &str) -> Answer {
        self.ask("POST", path, lines, json)
    }

    fn ask(&mut self, method: &str, path: &str, lines: &Lines<'_>, body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host);
        for (name, value) in lines {
            text += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        text += &format!("\r\n{body}");
        self.reader.get_mut().write_all(text.as_bytes()).expect("the connection stays");
        self.answer()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("the connection stays");
        line.trim_end().to_owned()
    }

    fn answer(&mut self) -> Answer {
        let status = self.line().split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut length = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            match line.split_once(": ") {
                None => break,
                Some(("content-length", value)) => length = value.parse().expect("a length"),
                Some(("transfer-encoding", value)) => panic!("{value} is not read here"),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).expect("the whole body");
        Answer { status, body: String::from_utf8(body).expect("UTF-8") }
    }
}
