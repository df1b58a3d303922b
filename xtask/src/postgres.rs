//! A PostgreSQL server of the tests' own: made empty, answering on this machine alone, and gone with the tests.

use crate::process;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::User;
use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Its administrator, as whom the tests sign in.
const ADMINISTRATOR: &str = "tests";

/// How long it may take to answer; on a busy machine seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a commit waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Commits {
    /// Nothing: what tests made need not outlast them, not even when the machine fails.
    Unsynced,
    /// The disc, as in a shop.
    Durable,
}

/// A folder in memory, on Linux: each test copies a database, which makes hundreds of files and removes them again.
const MEMORY: &str = "/dev/shm";
/// What has to be free there, in KiB; a run takes less than half of it.
const ROOM: u64 = 2 * 1024 * 1024;

/// A running server, which ends when this is dropped.
pub struct Postgres {
    child: Child,
    /// The database in which others are made.
    pub url: String,
    /// Dropped last, when nothing writes to it any more.
    _folder: TempDir,
}

impl Postgres {
    /// Makes a server with PostgreSQL's own programs, which are in that folder, and waits until it answers.
    pub fn start(programs: &Path, commits: Commits) -> Result<Self> {
        // Not in the checkout, which may lie where only root can enter.
        let place = match commits {
            Commits::Unsynced if has_room(Path::new(MEMORY)) => PathBuf::from(MEMORY),
            _ => env::temp_dir(),
        };
        let folder = tempfile::Builder::new().prefix("loyalty-postgres-").tempdir_in(place)?;
        let user = unprivileged()?;
        let hand_over = |path: &Path| match &user {
            Some(user) => chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())),
            None => Ok(()),
        };
        hand_over(folder.path())?;
        let command = |name: &str| {
            let mut command = Command::new(programs.join(name));
            // A server listens to more variables than these tests mean to set.
            command.env_clear().env("LC_ALL", "C").current_dir(folder.path());
            if let Some(user) = &user {
                command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
            }
            command
        };

        let password = secret()?;
        let password_file = folder.path().join("password");
        fs::write(&password_file, &password)?;
        hand_over(&password_file)?;
        let made = command("initdb")
            .args(["--pgdata", "data", "--encoding", "UTF8", "--locale", "C", "--no-sync"])
            .args(["--username", ADMINISTRATOR, "--pwfile", "password"])
            // Whoever else is on this machine reaches the port, so it asks for the password; not in the costlier way
            // of a network, where somebody might listen.
            .args(["--auth", "password"])
            .output()
            .context("initdb cannot be started")?;
        fs::remove_file(password_file)?;
        if !made.status.success() && process::was_stopped() {
            bail!("stopped");
        }
        ensure!(
            made.status.success(),
            "initdb failed: {}",
            String::from_utf8_lossy(&made.stderr).trim()
        );

        let port = free_port()?;
        let log = folder.path().join("log");
        let log_file = File::create(&log)?;
        let mut server = command("postgres");
        server.args(["-D", "data", "-p", &port]).stderr(log_file);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            // Several tests at once, each with the connections of a server and its own.
            "max_connections=300",
        ] {
            server.args(["-c", setting]);
        }
        if commits == Commits::Unsynced {
            for setting in [
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "wal_level=minimal",
                "max_wal_senders=0",
                // What is kept of the log grows until then, in memory where there is room.
                "max_wal_size=256MB",
                // A test's database lives for a second: nothing in it is worth tidying up or compiling a query for.
                "autovacuum=off",
                "jit=off",
            ] {
                server.args(["-c", setting]);
            }
        }
        let mut server = Self {
            child: process::spawn(&mut server)?,
            url: format!("postgres://{ADMINISTRATOR}:{password}@127.0.0.1:{port}/postgres"),
            _folder: folder,
        };
        server.wait_until_ready(programs, &port, &log)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, programs: &Path, port: &str, log: &Path) -> Result<()> {
        let started = Instant::now();
        let mut question = Command::new(programs.join("pg_isready"));
        question.args(["-q", "-h", "127.0.0.1", "-p", port]);
        while process::ask(&mut question).is_none() {
            let has_ended = self.child.try_wait()?.is_some();
            if has_ended && process::was_stopped() {
                bail!("stopped");
            }
            if has_ended || started.elapsed() > PATIENCE {
                let told = fs::read_to_string(log).unwrap_or_default();
                bail!("PostgreSQL did not start: {}", told.trim());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The gentler SIGTERM would wait for every client to leave by itself.
        let _ = process::stop_with(&mut self.child, Signal::SIGINT);
    }
}

/// Whether there is such a folder with room for the tests' databases.
fn has_room(folder: &Path) -> bool {
    let listing = process::ask(Command::new("df").arg("-Pk").arg(folder)).unwrap_or_default();
    // "Filesystem 1024-blocks Used Available …", and the same of this folder below it.
    let available = listing.lines().nth(1).and_then(|line| line.split_whitespace().nth(3));
    available
        .and_then(|free| free.parse().ok())
        .is_some_and(|free: u64| free >= ROOM)
}

/// Whom to run as in place of root, which PostgreSQL refuses; nobody else when this is not root.
fn unprivileged() -> Result<Option<User>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some(user));
        }
    }
    bail!("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody.")
}

/// A port that is free now, and most likely a moment later.
fn free_port() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port().to_string())
}

/// A password that nobody can guess.
fn secret() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
