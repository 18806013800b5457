//! As whom servers run: PostgreSQL refuses root, so root lends it to an unprivileged user.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::error::{Context, Failure, Result};
use crate::run;

/// The user of a server process.
#[derive(Clone, Debug, PartialEq)]
pub enum Runner {
    /// Whoever runs us.
    Myself,
    /// Somebody without privileges, because we are root.
    Other {
        /// As in the password file.
        name: String,
        /// Numeric user.
        uid: u32,
        /// Numeric group.
        gid: u32,
    },
}

impl Runner {
    /// `postgres` when root and it exists, `nobody` when root, else the user we are.
    pub fn choose() -> Result<Self> {
        if !is_root()? {
            return Ok(Self::Myself);
        }
        let table = fs::read_to_string("/etc/passwd").context(|| "read /etc/passwd".into())?;
        ["postgres", "nobody"].iter().find_map(|name| in_table(&table, name)).ok_or_else(|| {
            Failure::new("root cannot run a PostgreSQL server and there is no user `postgres` or `nobody`")
                .hint("create one: useradd --system postgres")
        })
    }

    /// The child will run as this user, in a folder that it may enter.
    pub fn apply(&self, command: &mut Command) {
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid).current_dir("/").env_remove("HOME");
        }
    }

    /// Gives a file or folder to this user.
    pub fn own(&self, path: &Path) -> Result<()> {
        match self {
            Self::Myself => Ok(()),
            Self::Other { uid, gid, .. } => chown(path, Some(*uid), Some(*gid)),
        }
        .context(|| format!("give {} to the servers' user", path.display()))
    }

    /// Their name, when it is not our own.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Myself => None,
            Self::Other { name, .. } => Some(name),
        }
    }
}

/// One user of a password file.
fn in_table(table: &str, name: &str) -> Option<Runner> {
    let line = table.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Runner::Other { name: name.into(), uid, gid })
}

/// Whether we are root. Asked once.
pub fn is_root() -> Result<bool> {
    static ROOT: OnceLock<bool> = OnceLock::new();
    if let Some(known) = ROOT.get() {
        return Ok(*known);
    }
    let uid = run::read(Command::new("id").arg("-u"))?;
    Ok(*ROOT.get_or_init(|| uid.trim() == "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_whole_name() {
        let table = "postgresql:x:1:2::/:/bin/sh\npostgres:x:101:104:admin:/var/lib/postgresql:/bin/bash\n";
        let found = in_table(table, "postgres");
        assert_eq!(found, Some(Runner::Other { name: "postgres".into(), uid: 101, gid: 104 }));
        assert_eq!(in_table(table, "nobody"), None);
    }
}
