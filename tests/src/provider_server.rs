//! A provider of embeddings over HTTP that behaves as badly as it is told to: OpenAI's answer and Ollama's. Written on a bare
//! socket, because no library of HTTP lets its user break off in the middle.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Components of its vectors, unless a request or a behaviour says otherwise.
pub const DIMENSIONS: usize = 8;

/// Longest that a request is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it does with one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Behaviour {
    /// A vector a text.
    Good,
    /// The same, last text first, with their indexes.
    Reversed,
    /// This status, with `retry-after` where it is not empty.
    Status(u16, &'static str),
    /// No answer until it is released.
    Stall,
    /// It hangs up without a word.
    Close,
    /// It hangs up in the middle of the vectors.
    Truncate,
    /// One vector less than texts.
    Short,
    /// The first vector twice, the last never.
    Twice,
    /// Vectors of another dimension.
    Dimensions(usize),
    /// A component that is null, as some servers write what is not a number.
    Null,
    /// A component written NaN, which is no JSON.
    NotANumber,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// The value of `authorization`, empty without one.
    pub key: String,
    /// The body.
    pub body: Value,
    /// The texts in it.
    pub texts: Vec<String>,
    /// What it did.
    pub behaviour: Behaviour,
}

type Script = dyn Fn(usize, &[String]) -> Behaviour + Send + Sync;

struct Shared {
    script: Box<Script>,
    latency: Duration,
    asked: Mutex<Vec<Asked>>,
    released: Mutex<bool>,
    changed: Condvar,
}

/// A listening provider.
pub struct ProviderServer {
    port: u16,
    shared: Arc<Shared>,
}

impl ProviderServer {
    /// Answers well, every time.
    pub fn good() -> Self {
        Self::start(Duration::ZERO, |_, _| Behaviour::Good)
    }

    /// Behaves as the script says of a request's number, counted from 0, and its texts; every answer takes so long.
    pub fn start(
        latency: Duration,
        script: impl Fn(usize, &[String]) -> Behaviour + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, released) = (Mutex::default(), Mutex::default());
        let shared =
            Arc::new(Shared { script: Box::new(script), latency, asked, released, changed: Condvar::new() });
        let mine = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&mine);
                // A client that hangs up has ended its connection.
                std::thread::spawn(move || drop(shared.serve(client)));
            }
        });
        ProviderServer { port, shared }
    }

    /// As `OPENAI_BASE_URL`, or `OLLAMA_HOST`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until it has been asked so often.
    pub fn until(&self, requests: usize) {
        let began = Instant::now();
        while self.asked().len() < requests {
            assert!(began.elapsed() < PATIENCE, "the provider was asked {} times", self.asked().len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Lets stalled requests go: they are answered well.
    pub fn release(&self) {
        *self.shared.released.lock().unwrap() = true;
        self.shared.changed.notify_all();
    }
}

/// The vector of a text: another one for every other text.
pub fn vector_of(text: &str, dimensions: usize) -> Vec<f32> {
    let mut seed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // Few digits, so that what is written as text is what is read.
        (seed % 2000) as f32 / 1000.0 - 0.9995
    };
    std::iter::repeat_with(next).take(dimensions).collect()
}

impl Shared {
    fn serve(&self, client: TcpStream) -> Result<()> {
        client.set_nodelay(true)?;
        let mut writer = client.try_clone()?;
        let mut reader = BufReader::new(client);
        while let Some((path, key, body)) = request(&mut reader)? {
            if !self.answer(&mut writer, path, key, body)? {
                return writer.shutdown(std::net::Shutdown::Both);
            }
        }
        Ok(())
    }

    /// False: the line is cut.
    fn answer(&self, writer: &mut TcpStream, path: String, key: String, body: Value) -> Result<bool> {
        let texts: Vec<String> =
            body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
        let behaviour = {
            let mut asked = self.asked.lock().unwrap();
            let behaviour = (self.script)(asked.len(), &texts);
            let (texts, behaviour) = (texts.clone(), behaviour.clone());
            asked.push(Asked { path: path.clone(), key: key.clone(), body: body.clone(), texts, behaviour });
            asked.last().unwrap().behaviour.clone()
        };
        std::thread::sleep(self.latency);
        let dimensions = body["dimensions"].as_u64().map_or(DIMENSIONS, |dimensions| dimensions as usize);
        let vectors =
            |dimensions| -> Vec<Vec<f32>> { texts.iter().map(|text| vector_of(text, dimensions)).collect() };
        let body = match behaviour {
            Behaviour::Close => return Ok(false),
            Behaviour::Status(status, wait) => {
                // What a careless server says.
                let message = format!("no, not with the key {}", key.trim_start_matches("Bearer "));
                let body = json!({"error": {"message": message, "type": "refused"}}).to_string();
                let wait = if wait.is_empty() { String::new() } else { format!("retry-after: {wait}\r\n") };
                send(writer, &format!("{status} Refused"), &wait, &body, body.len())?;
                return Ok(true);
            }
            Behaviour::Stall => {
                let mut released = self.released.lock().unwrap();
                while !*released {
                    released = self.changed.wait(released).unwrap();
                }
                written(&path, vectors(dimensions), false)
            }
            Behaviour::Good | Behaviour::Truncate => written(&path, vectors(dimensions), false),
            Behaviour::Reversed => written(&path, vectors(dimensions), true),
            Behaviour::Short => written(&path, vectors(dimensions).split_off(1), false),
            Behaviour::Twice => {
                written(&path, vectors(dimensions), false).replace("\"index\":1,", "\"index\":0,")
            }
            Behaviour::Dimensions(other) => written(&path, vectors(other), false),
            Behaviour::Null => spoilt(&written(&path, vectors(dimensions), false)),
            Behaviour::NotANumber => {
                spoilt(&written(&path, vectors(dimensions), false)).replace("null", "NaN")
            }
        };
        let length = body.len();
        let body = if behaviour == Behaviour::Truncate { &body[..length / 2] } else { &body };
        send(writer, "200 OK", "", body, length)?;
        Ok(behaviour != Behaviour::Truncate)
    }
}

fn written(path: &str, vectors: Vec<Vec<f32>>, reversed: bool) -> String {
    if path == "/api/embed" {
        return json!({"embeddings": vectors}).to_string();
    }
    let items = vectors.iter().enumerate();
    let mut items: Vec<Value> =
        items.map(|(at, vector)| json!({"object": "embedding", "index": at, "embedding": vector})).collect();
    if reversed {
        items.reverse();
    }
    json!({"object": "list", "data": items}).to_string()
}

/// With null for the first number.
fn spoilt(body: &str) -> String {
    let mut body: Value = serde_json::from_str(body).unwrap();
    body["data"][0]["embedding"][0] = Value::Null;
    body.to_string()
}

fn send(writer: &mut TcpStream, status: &str, more: &str, body: &str, length: usize) -> Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{more}\r\n"
    );
    writer.write_all(head.as_bytes())?;
    writer.write_all(body.as_bytes())
}

/// Path, key and body of the next request; none: the client is done.
fn request(reader: &mut impl BufRead) -> Result<Option<(String, String, Value)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut key, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim().split_once(": ") {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => key = value.to_owned(),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((path, key, serde_json::from_slice(&body).unwrap())))
}
