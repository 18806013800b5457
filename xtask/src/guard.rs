//! Throwaway clusters that end with us, whatever ends us: each has a guard process that waits for our end of a pipe.
//!
//! A `Drop` alone does not run on ctrl-c or SIGKILL. The guard is this program again, in a process group of its own,
//! reading a pipe that only we hold: when we are gone, it stops the server and removes the folder. What is left when
//! even the guard was killed (a power cut) is found by its unlocked lock file and removed at the next start.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::cluster::{self, Cluster, Kind};
use crate::error::{Context, Failure, Result};
use crate::installation::Installation;
use crate::place::{self, Place};
use crate::run;

/// A running cluster that is stopped and removed when this value or this process ends.
pub struct Guarded {
    /// The cluster.
    pub cluster: Cluster,
    guard: Child,
    _lock: File,
}

impl Guarded {
    /// Makes and starts a cluster that nobody will miss.
    pub fn start(place: &Place, name: &str, postgres: &Installation, kind: Kind) -> Result<Self> {
        let (folder, lock) = claim(place, name, postgres)?;
        let guard = spawn(&folder)?;
        let mut cluster = Cluster::create(&folder.join("cluster"), postgres, kind)?;
        cluster.start()?;
        Ok(Self { cluster, guard, _lock: lock })
    }
}

impl Guarded {
    /// The folder that is removed in the end.
    pub fn folder(&self) -> Result<PathBuf> {
        let home = self.cluster.home();
        home.parent().map(Path::to_path_buf).ok_or_else(|| Failure::new("a cluster has no folder around it"))
    }

    /// The guard ends this process too, as long as its command line names the folder.
    pub fn also_ends(&self, pid: u32) -> Result<()> {
        let path = self.folder()?.join(ALSO);
        let mut list = fs::read_to_string(&path).unwrap_or_default();
        list += &format!("{pid}\n");
        fs::write(&path, list).context(|| format!("write {}", path.display()))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        if let Err(reason) = self.guard.wait() {
            run::say(format!("cannot wait for the guard of a test cluster: {reason}"));
        }
    }
}

/// The list of further processes.
const ALSO: &str = "processes";

fn folder(place: &Place) -> PathBuf {
    place.own.join("clusters")
}

/// A new folder that is locked as long as we live, and names the PostgreSQL that can stop its server.
fn claim(place: &Place, name: &str, postgres: &Installation) -> Result<(PathBuf, File)> {
    let _alone = place.own_lock("clusters")?;
    sweep(place)?;
    let folder = folder(place).join(format!("{name}-{}", std::process::id()));
    place::public_dir(&folder)?;
    place::write_if_changed(&folder.join("pg_config"), postgres.pg_config().as_os_str().as_encoded_bytes())?;
    let lock = File::create(folder.join("lock")).context(|| format!("lock {}", folder.display()))?;
    lock.lock().context(|| format!("lock {}", folder.display()))?;
    Ok((folder, lock))
}

fn spawn(folder: &Path) -> Result<Child> {
    let mut command = Command::new(this_program()?);
    command.arg("guard").arg(folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context(|| "start the guard of a test cluster".into())
}

/// Linux has a name for it that works after a new build has replaced the file.
fn this_program() -> Result<PathBuf> {
    let link = Path::new("/proc/self/exe");
    if link.exists() {
        return Ok(link.into());
    }
    std::env::current_exe().context(|| "find this program".into())
}

/// The guard's whole life: wait for the end of whoever started us, then clean up after them.
pub fn watch(folder: &Path) -> Result<()> {
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing).context(|| "wait for the test".into())?;
    remove(folder)
}

/// Stops the server of a throwaway folder and removes the folder.
fn remove(folder: &Path) -> Result<()> {
    end_others(folder)?;
    let home = folder.join("cluster");
    let pg_config = fs::read_to_string(folder.join("pg_config")).unwrap_or_default();
    if let Ok(postgres) = Installation::ask(Path::new(&pg_config)) {
        cluster::discard(&home, &postgres)?;
    }
    match cluster::postmaster(&home.join("data")) {
        Some(pid) => Err(Failure::new(format!("the server {pid} of {} does not stop", folder.display()))),
        None => place::remove_dir(folder),
    }
}

/// Ends the processes of the list. A process that merely has the number of a dead one does not name the folder.
fn end_others(folder: &Path) -> Result<()> {
    let list = fs::read_to_string(folder.join(ALSO)).unwrap_or_default();
    for pid in list.lines().filter_map(|line| line.parse::<u32>().ok()) {
        if cluster::command_line(pid).is_some_and(|line| line.contains(&folder.display().to_string())) {
            run::read(Command::new("kill").args(["-KILL", &pid.to_string()]))?;
        }
    }
    Ok(())
}

/// Removes what runs that were killed have left. A folder whose lock is held belongs to a run that lives.
fn sweep(place: &Place) -> Result<()> {
    let Ok(listing) = fs::read_dir(folder(place)) else { return Ok(()) };
    for entry in listing.filter_map(|entry| Some(entry.ok()?.path())) {
        let Ok(lock) = File::open(entry.join("lock")) else { continue };
        if lock.try_lock().is_ok() {
            run::say(format!("removing a test cluster that an earlier run left: {}", entry.display()));
            remove(&entry)?;
        }
    }
    Ok(())
}
