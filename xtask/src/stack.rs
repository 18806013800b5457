//! `cargo xtask stack`: what a Supabase project is made of, on this machine: PostgreSQL, PostgREST, the gateway before it,
//! and the Edge Function under the Deno of Supabase's runtime. It ends with us, whatever ends us.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::{self, Kind};
use crate::edge::{self, Built};
use crate::error::{Context, Failure, Result};
use crate::guard::Guarded;
use crate::npm::Tools;
use crate::place::Place;
use crate::run;
use crate::setup::Server;

/// The database of the project.
const DATABASE: &str = "postgres";

/// Longest that a part takes until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running project.
pub struct Stack {
    /// Its database server.
    pub guarded: Guarded,
    /// Deno, PostgREST, supabase-js.
    pub tools: Tools,
    /// The function that runs.
    pub built: Built,
    /// Keys and settings.
    folder: PathBuf,
    /// What runs a function as Supabase's runtime does.
    runner: PathBuf,
    /// Where the gateway listens.
    port: u16,
    parts: Parts,
}

/// Processes that end with this value.
struct Parts(Vec<(&'static str, Child)>);

impl Drop for Parts {
    fn drop(&mut self) {
        for (name, child) in &mut self.0 {
            if let Err(reason) = child.kill().and_then(|()| child.wait()) {
                run::say(format!("cannot end {name}: {reason}"));
            }
        }
    }
}

/// Starts one, says how it is reached, and waits.
pub fn run(words: &[String]) -> Result<()> {
    let json = run::wants_json("stack", words)?;
    let server = Server::with_extension()?;
    let mut stack = Stack::start(&server, &[])?;
    println!("{}", if json { stack.json()? } else { stack.text()? });
    run::say("stack: running; ctrl-c ends it and removes its data");
    stack.wait()
}

impl Stack {
    /// Builds the function and starts everything. The extension must be installed. `secrets` are the function's, beside
    /// what the platform gives it and what is in our own environment.
    pub fn start(server: &Server, secrets: &[(&str, String)]) -> Result<Stack> {
        let place = &server.place;
        let tools = Tools::ensure(place)?;
        let built = edge::build(place)?;
        let guarded = Guarded::start(place, "stack", &server.postgres, Kind::Throwaway)?;
        let folder = private(&guarded.folder()?.join("stack"))?;
        let mut keys = tools.deno();
        let script = place.checkout.join("edge/stack/keys.ts");
        run::read(keys.args(["run", "--quiet", "--allow-write"]).arg(script).arg(&folder))?;
        prepare(&guarded, &folder, &place.checkout)?;
        let (port, rest, admin, function) =
            (cluster::free_port()?, cluster::free_port()?, cluster::free_port()?, cluster::free_port()?);
        let runner = place.checkout.join("edge/stack/function.ts");
        let mut stack = Stack { guarded, tools, built, folder, runner, port, parts: Parts(Vec::new()) };
        stack.postgrest(place, rest, admin)?;
        stack.function(place, function, secrets)?;
        stack.gateway(place, rest, function)?;
        until(admin, "/ready", "PostgREST")?;
        until(function, "/strata/health", "the Edge Function")?;
        until(port, "/functions/v1/strata/health", "the gateway")?;
        Ok(stack)
    }

    /// Where the project is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The key that opens everything.
    pub fn secret_key(&self) -> Result<String> {
        let keys = self.read("keys.json")?;
        let key = keys.split("\"secret\":\"").nth(1).and_then(|rest| rest.split('"').next());
        key.map(str::to_owned).ok_or_else(|| Failure::new("keys.json has no secret key"))
    }

    /// Where its database is.
    pub fn database(&self) -> String {
        self.guarded.cluster.url(DATABASE)
    }

    /// Everything that a client needs, as one object.
    pub fn json(&self) -> Result<String> {
        let keys = self.read("keys.json")?;
        let pids: Vec<String> =
            self.parts.0.iter().map(|(name, child)| format!("\"{name}\":{}", child.id())).collect();
        let function = format!(
            "{{\"runner\":\"{}\",\"cold\":\"{}\",\"deno\":\"{}\",\"module\":\"file://{}\",\"environment\":\"{}\"}}",
            self.runner.display(),
            self.runner.with_file_name("cold.ts").display(),
            self.tools.deno().get_program().display(),
            self.built.function().join("index.ts").display(),
            self.folder.join("environment").display()
        );
        let wasm = format!("{{\"raw\":{},\"gzip\":{}}}", self.built.raw, self.built.gzip);
        let (url, database, pids) = (self.url(), self.database(), pids.join(","));
        Ok(format!(
            "{{\"url\":\"{url}\",\"database\":\"{database}\",\"keys\":{keys},\"function\":{function},\"wasm\":{wasm},\"pids\":{{{pids}}}}}"
        ))
    }

    fn text(&self) -> Result<String> {
        let (url, database, keys) = (self.url(), self.database(), self.read("environment")?);
        Ok(format!(
            "function    {url}/functions/v1/strata\nAPI         {url}/rest/v1\ndatabase    {database}\n\nSUPABASE_URL='{url}'\n{}",
            keys.trim_end()
        ))
    }

    fn read(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        fs::read_to_string(&path).context(|| format!("read {}", path.display()))
    }

    fn postgrest(&mut self, place: &Place, port: u16, admin: u16) -> Result<()> {
        let config = self.folder.join("postgrest.conf");
        let database = self.guarded.cluster.url_of("authenticator", &self.read("authenticator")?, DATABASE);
        let text = format!(
            "db-uri = \"{database}\"\ndb-schemas = \"public,strata\"\ndb-extra-search-path = \"public\"\n\
             db-anon-role = \"anon\"\ndb-pool = 20\njwt-secret = \"@{}\"\nserver-host = \"127.0.0.1\"\n\
             server-port = {port}\nadmin-server-port = {admin}\nlog-level = \"warn\"\n",
            self.folder.join("jwks.json").display()
        );
        fs::write(&config, text).context(|| format!("write {}", config.display()))?;
        let mut command = Command::new(self.tools.postgrest());
        command.arg(&config);
        self.spawn(place, "postgrest", &mut command)
    }

    fn function(&mut self, place: &Place, port: u16, secrets: &[(&str, String)]) -> Result<()> {
        let module = self.built.function().join("index.ts");
        let mut command = self.tools.deno();
        command
            .args(["run", "--quiet", "--no-prompt", "--allow-net", "--allow-env", "--allow-read"])
            .arg(format!("--env-file={}", self.folder.join("environment").display()))
            .arg(&self.runner)
            .arg(format!("file://{}", module.display()))
            .arg(port.to_string())
            .arg(&self.folder)
            .env("SUPABASE_URL", self.url())
            .envs(secrets.iter().map(|(name, value)| (name, value)));
        self.spawn(place, "function", &mut command)
    }

    fn gateway(&mut self, place: &Place, rest: u16, function: u16) -> Result<()> {
        let mut command = self.tools.deno();
        command
            .args(["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env", "--allow-read"])
            .arg(place.checkout.join("edge/stack/gateway.ts"))
            .arg(&self.folder)
            .env("STACK_PORT", self.port.to_string())
            .env("STACK_REST", format!("http://127.0.0.1:{rest}"))
            .env("STACK_FUNCTIONS", format!("http://127.0.0.1:{function}"));
        self.spawn(place, "gateway", &mut command)
    }

    /// Starts a part; the guard is told of it before anything else can happen.
    fn spawn(&mut self, place: &Place, name: &'static str, command: &mut Command) -> Result<()> {
        let path = place.log(name)?;
        let log = fs::File::create(&path).context(|| format!("create {}", path.display()))?;
        let twin = log.try_clone().context(|| format!("open {}", path.display()))?;
        let child = command.stdin(Stdio::null()).stdout(log).stderr(twin).spawn();
        let child = child.context(|| format!("start {name}"))?;
        self.guarded.also_ends(child.id())?;
        self.parts.0.push((name, child));
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        loop {
            for (name, child) in &mut self.parts.0 {
                if let Some(status) = child.try_wait().context(|| format!("wait for {name}"))? {
                    return Err(Failure::new(format!("{name} has ended ({status})")));
                }
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// What Supabase's database has from the beginning, and strata in it.
fn prepare(guarded: &Guarded, folder: &Path, checkout: &Path) -> Result<()> {
    let cluster = &guarded.cluster;
    for file in ["migrations/aurum/app/supabase.sql", "edge/stack/roles.sql"] {
        run::read(cluster.psql(DATABASE).arg("-f").arg(checkout.join(file)))?;
    }
    let password = cluster::random_password()?;
    let path = folder.join("authenticator");
    fs::write(&path, &password).context(|| format!("write {}", path.display()))?;
    cluster.ask(DATABASE, &format!("alter role authenticator password '{password}'"))?;
    cluster.ask(DATABASE, "create extension strata cascade")?;
    cluster.ask(DATABASE, "select strata.grant_http('service_role')").map(drop)
}

/// A new folder that nobody else can look into: it holds keys.
fn private(folder: &Path) -> Result<PathBuf> {
    let made =
        fs::create_dir(folder).and_then(|()| fs::set_permissions(folder, Permissions::from_mode(0o700)));
    made.context(|| format!("make the folder {}", folder.display()))?;
    Ok(folder.into())
}

/// Waits until a part answers with success.
fn until(port: u16, path: &str, name: &str) -> Result<()> {
    let began = Instant::now();
    while !answers(port, path) {
        if began.elapsed() > PATIENCE {
            return Err(Failure::new(format!("{name} does not answer on port {port}")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
