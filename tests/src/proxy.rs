//! A line between the command line and a server that counts the statements which pass, and holds one of them back: so
//! that a test kills at exactly that point, with nothing in the shipped program that knows of it.

use std::collections::HashMap;
use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Longest that a client may take to get to the point that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// When a statement is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The server has not heard of it. What came before it is done, and the client knows: "after" the one before.
    Before,
    /// The server has got it and is at work, or is done; the client does not know.
    During,
}

/// A listening line.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    seen: Vec<String>,
    hold: Option<(usize, Moment)>,
    /// Process of the session that is held.
    held: Option<i32>,
    released: bool,
    clients: Vec<TcpStream>,
}

impl Proxy {
    /// Listens, in front of the server at this port. Without a point to hold it only counts.
    pub fn start(server: u16, hold: Option<(usize, Moment)>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Mutex::new(State { hold, ..State::default() });
        let shared = Arc::new(Shared { server, state, changed: Condvar::new() });
        let mine = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&mine);
                // A client that hangs up has ended its session.
                std::thread::spawn(move || drop(Line::open(client, shared).and_then(Line::serve)));
            }
        });
        Proxy { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The statements that passed or were held, in order: the name of one of ours, the text of any other.
    pub fn seen(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().seen.clone()
    }

    /// Waits until the point is reached, and names the process of the session.
    pub fn held(&self) -> i32 {
        let began = Instant::now();
        let mut state = self.shared.state.lock().unwrap();
        while state.held.is_none() {
            assert!(began.elapsed() < PATIENCE, "the client never came to {:?}", state.hold);
            state = self.shared.changed.wait_timeout(state, PATIENCE).unwrap().0;
        }
        state.held.unwrap()
    }

    /// Cuts the line that is held.
    pub fn cut(&self) {
        self.shared.state.lock().unwrap().released = true;
        self.shared.changed.notify_all();
    }
}

impl Proxy {
    /// Cuts every line there is, as a cable would.
    pub fn sever(&self) {
        for client in self.shared.state.lock().unwrap().clients.drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

/// One session.
struct Line {
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    /// What each prepared statement says, by its name; then the one that was bound last.
    prepared: HashMap<Vec<u8>, String>,
    bound: String,
    pid: Arc<Mutex<i32>>,
}

impl Line {
    /// Startup: encryption is declined, the rest is the server's.
    fn open(mut client: TcpStream, shared: Arc<Shared>) -> Result<Line> {
        const SSL: [u8; 4] = 80_877_103_u32.to_be_bytes();
        const GSS: [u8; 4] = 80_877_104_u32.to_be_bytes();
        client.set_nodelay(true)?;
        shared.state.lock().unwrap().clients.push(client.try_clone()?);
        let mut startup = body(&mut client)?;
        while startup[..4] == SSL || startup[..4] == GSS {
            client.write_all(b"N")?;
            startup = body(&mut client)?;
        }
        let mut server = TcpStream::connect(("127.0.0.1", shared.server))?;
        server.set_nodelay(true)?;
        server.write_all(&framed(None, &startup))?;
        let (prepared, bound, pid) = (HashMap::new(), String::new(), Arc::default());
        Ok(Line { client, server, shared, prepared, bound, pid })
    }

    /// What the client says, until it or the server ends.
    fn serve(mut self) -> Result<()> {
        let (mut from, mut to) = (self.server.try_clone()?, self.client.try_clone()?);
        let pid = Arc::clone(&self.pid);
        std::thread::spawn(move || {
            let _ = answers(&mut from, &mut to, &pid);
            let _ = to.shutdown(Shutdown::Both);
        });
        let ended = self.questions();
        let _ = self.server.shutdown(Shutdown::Both);
        let _ = self.client.shutdown(Shutdown::Both);
        ended
    }

    fn questions(&mut self) -> Result<()> {
        let mut at_work = false;
        loop {
            let mut kind = [0];
            self.client.read_exact(&mut kind)?;
            let body = body(&mut self.client)?;
            let moment = self.statement(kind[0], &body).and_then(|name| self.shared.count(name));
            if moment == Some(Moment::Before) {
                self.shared.hold(*self.pid.lock().unwrap());
                return Ok(());
            }
            at_work |= moment.is_some();
            self.server.write_all(&framed(Some(kind[0]), &body))?;
            // The server does not answer a bound statement before its Sync.
            if at_work && matches!(kind[0], b'Q' | b'S') {
                self.shared.hold(*self.pid.lock().unwrap());
                return Ok(());
            }
        }
    }

    /// The statement that this message makes the server run, if it does.
    fn statement(&mut self, kind: u8, body: &[u8]) -> Option<String> {
        let mut words = body.split(|byte| *byte == 0);
        match kind {
            b'P' => {
                let name = words.next()?.to_vec();
                self.prepared.insert(name, called(words.next()?));
                None
            }
            b'B' => {
                self.bound = self.prepared.get(words.nth(1)?).cloned().unwrap_or_default();
                None
            }
            b'E' => Some(self.bound.clone()),
            b'Q' => Some(called(words.next()?)),
            _ => None,
        }
    }
}

impl Shared {
    /// Counts a statement, and says whether it is the one to hold.
    fn count(&self, name: String) -> Option<Moment> {
        let mut state = self.state.lock().unwrap();
        state.seen.push(name);
        let number = state.seen.len() - 1;
        state.hold.filter(|(at, _)| *at == number).map(|(_, moment)| moment)
    }

    /// Until the line is cut.
    fn hold(&self, pid: i32) {
        let mut state = self.state.lock().unwrap();
        state.held = Some(pid);
        self.changed.notify_all();
        while !state.released {
            state = self.changed.wait(state).unwrap();
        }
    }
}

/// What the server says, passed on; its process id is kept.
fn answers(from: &mut TcpStream, to: &mut TcpStream, pid: &Mutex<i32>) -> Result<()> {
    loop {
        let mut kind = [0];
        from.read_exact(&mut kind)?;
        let body = body(from)?;
        if kind[0] == b'K' {
            *pid.lock().unwrap() = i32::from_be_bytes([body[0], body[1], body[2], body[3]]);
        }
        to.write_all(&framed(Some(kind[0]), &body))?;
    }
}

/// The name in the first line of one of our statements, else the first line of the text; of several that are sent as one
/// message, each.
fn called(sql: &[u8]) -> String {
    let text = String::from_utf8_lossy(sql);
    text.split("\n;\n").map(name).collect::<Vec<_>>().join(TOGETHER)
}

/// Between the names of statements that are sent as one message.
pub const TOGETHER: &str = " + ";

fn name(text: &str) -> &str {
    let line = text.trim().lines().next().unwrap_or_default();
    line.strip_prefix("-- ").and_then(|rest| rest.split_once(':')).map_or(line, |(name, _)| name)
}

fn body(from: &mut TcpStream) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut body = vec![0; (u32::from_be_bytes(length) as usize).saturating_sub(4)];
    from.read_exact(&mut body)?;
    Ok(body)
}

fn framed(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
    let mut message: Vec<u8> = kind.into_iter().collect();
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}
