//! Where the programs of PostgreSQL are, and as whom they run: its server refuses to run as root.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

/// The user that Debian's package makes, used where the tests run as root.
const SERVER_USER: &str = "postgres";

/// The programs of one version, and whom they run as.
pub(crate) struct Programs {
    folder: PathBuf,
    user: Option<(u32, u32)>,
}

impl Programs {
    /// The programs in `PATH`, or the newest that Debian's packages installed.
    pub(crate) fn find() -> Result<Self, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let in_path = std::env::split_paths(&path).find(|folder| has_server(folder));
        let folder = in_path.or_else(newest_of_debian).ok_or_else(|| {
            "there is no PostgreSQL server here (initdb and postgres are neither in PATH nor in \
             /usr/lib/postgresql/*/bin); run once: apt-get install postgresql"
                .to_owned()
        })?;
        // Links to two or three of them may be anywhere; the others are where those lead.
        let real = folder.join("postgres").canonicalize().ok();
        let folder = real.as_deref().and_then(Path::parent).map_or(folder.clone(), Path::to_path_buf);
        let user = if rustix::process::getuid().is_root() { Some(server_user()?) } else { None };
        Ok(Self { folder, user })
    }

    /// A program that is to run as the server's user. Clients are not always beside the server.
    pub(crate) fn command(&self, name: &str) -> Command {
        let beside = self.folder.join(name);
        let mut command = if beside.is_file() { Command::new(beside) } else { Command::new(name) };
        command.env_remove("PGDATA").env_remove("PGPORT").env_remove("PGHOST").env_remove("PGDATABASE");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives a folder to the server's user.
    pub(crate) fn give(&self, folder: &Path) -> Result<(), String> {
        let Some((user, group)) = self.user else { return Ok(()) };
        std::os::unix::fs::chown(folder, Some(user), Some(group))
            .map_err(|error| format!("cannot give {} to {SERVER_USER}: {error}", folder.display()))
    }

    /// Where they are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn has_server(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

fn newest_of_debian() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut found: Vec<(u32, PathBuf)> =
        versions.filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin")))).collect();
    found.retain(|(_, folder)| has_server(folder));
    found.into_iter().max().map(|(_, folder)| folder)
}

/// User and group of the account that the server runs as.
fn server_user() -> Result<(u32, u32), String> {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(SERVER_USER);
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        is_it.then_some((user, group))
    });
    found.ok_or_else(|| {
        format!("PostgreSQL does not run as root and there is no user {SERVER_USER}; run: apt-get install postgresql")
    })
}
