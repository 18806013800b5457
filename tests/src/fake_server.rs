//! A server that speaks just enough of Postgres' protocol to say what it is. For servers that a test cannot have: one
//! that is too old, one without the extension.

use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Columns of `sql/query/server.sql`: version number, pgvector, strata installed, strata available.
pub type Answer = [Option<&'static str>; 4];

/// A listening server.
pub struct FakeServer {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeServer {
    /// Listens, and answers the question for the server with this row.
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = Arc::clone(&heard);
                // A client that hangs up has ended its session.
                std::thread::spawn(move || drop(Talk { stream, answer, heard }.serve()));
            }
        });
        FakeServer { port, asked }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("postgres://somebody:{}@127.0.0.1:{}/app", Self::PASSWORD, self.port)
    }

    /// The password in its URL; it never asks for it.
    pub const PASSWORD: &'static str = "fake-server-secret";

    /// The statements that were sent to it.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One session.
struct Talk {
    stream: TcpStream,
    answer: Answer,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Talk {
    fn serve(mut self) -> Result<()> {
        // An answer is several small messages: each would wait for the acknowledgement of the one before.
        self.stream.set_nodelay(true)?;
        self.greet()?;
        loop {
            let mut kind = [0];
            self.stream.read_exact(&mut kind)?;
            let body = self.body()?;
            match kind[0] {
                b'P' => {
                    let sql = body.split(|byte| *byte == 0).nth(1).unwrap_or_default();
                    self.heard.lock().unwrap().push(String::from_utf8_lossy(sql).into_owned());
                    self.say(b'1', &[])?;
                }
                b'D' => self.describe(body[0])?,
                b'B' => self.say(b'2', &[])?,
                b'E' => {
                    self.say(b'D', &row(&self.answer))?;
                    self.say(b'C', b"SELECT 1\0")?;
                }
                b'C' => self.say(b'3', &[])?,
                b'S' => self.say(b'Z', b"I")?,
                b'Q' => {
                    self.heard
                        .lock()
                        .unwrap()
                        .push(String::from_utf8_lossy(&body).trim_end_matches('\0').to_owned());
                    self.say(b'C', b"SET\0")?;
                    self.say(b'Z', b"I")?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Startup: encryption is declined, anybody may come in.
    fn greet(&mut self) -> Result<()> {
        const SSL: [u8; 4] = 80_877_103_u32.to_be_bytes();
        const GSS: [u8; 4] = 80_877_104_u32.to_be_bytes();
        loop {
            let body = self.body()?;
            if body[..4] != SSL && body[..4] != GSS {
                break;
            }
            self.stream.write_all(b"N")?;
        }
        self.say(b'R', &0_u32.to_be_bytes())?;
        self.say(b'S', b"server_version\x0014.11\0")?;
        self.say(b'S', b"client_encoding\0UTF8\0")?;
        self.say(b'S', b"standard_conforming_strings\0on\0")?;
        self.say(b'K', &[0; 8])?;
        self.say(b'Z', b"I")
    }

    fn describe(&mut self, what: u8) -> Result<()> {
        if what == b'S' {
            self.say(b't', &0_u16.to_be_bytes())?;
        }
        let mut columns = (self.answer.len() as u16).to_be_bytes().to_vec();
        for name in ["version_num", "vector", "installed", "available"] {
            columns.extend(name.as_bytes());
            // No table, type text of variable length, text format.
            columns.extend([0, 0, 0, 0, 0, 0, 0]);
            columns.extend(25_u32.to_be_bytes());
            columns.extend([255, 255, 255, 255, 255, 255, 0, 0]);
        }
        self.say(b'T', &columns)
    }

    fn body(&mut self) -> Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    fn say(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        let mut message = vec![kind];
        message.extend((body.len() as u32 + 4).to_be_bytes());
        message.extend(body);
        self.stream.write_all(&message)
    }
}

fn row(cells: &Answer) -> Vec<u8> {
    let mut body = (cells.len() as u16).to_be_bytes().to_vec();
    for cell in cells {
        match cell {
            None => body.extend((-1_i32).to_be_bytes()),
            Some(text) => {
                body.extend((text.len() as u32).to_be_bytes());
                body.extend(text.as_bytes());
            }
        }
    }
    body
}
