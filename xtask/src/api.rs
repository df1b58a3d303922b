//! The reference API: building it, and running it beside the commands that need it.

use crate::process;
use crate::project;
use crate::steps::say;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How a build of the API is made.
#[derive(Clone, Copy)]
pub enum Profile {
    /// For people: fast enough for anything, compiled in reasonable time.
    Server,
    /// For those who change it: compiled quickly.
    Dev,
    /// The same for those who test it, with what `cargo test` compiled before.
    Test,
}

/// Builds the API, which takes a moment when nothing changed, and says where its program is.
pub fn build(profile: Profile) -> Result<PathBuf> {
    let mut command = project::cargo();
    command.args([
        "build",
        "--bin",
        "loyalty-api",
        "--message-format",
        "json-render-diagnostics",
    ]);
    match profile {
        Profile::Server => command.args(["--package", "loyalty-api", "--profile", "server"]),
        Profile::Dev => command.args(["--package", "loyalty-api"]),
        // Of all packages, and with a test: for other features most of what it depends on would be compiled anew.
        Profile::Test => command.args(["--workspace", "--test", "contention"]),
    };
    let mut program = None;
    let status = process::run_lines(&mut command, |line| {
        let message: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let is_program = message["target"]["kind"][0] == "bin";
        if let (true, Some(path)) = (is_program, message["executable"].as_str()) {
            program = Some(PathBuf::from(path));
        }
    })?;
    if !status.success() {
        bail!("the API does not build (see above)");
    }
    program.context("cargo did not say where it put the API's program")
}

/// A running API, which has said where it listens.
pub struct Server {
    child: Child,
    /// Where it listens, such as `http://127.0.0.1:8080`.
    pub address: String,
}

impl Server {
    /// Starts the API and waits until it answers. `None` when it ended before, having said why itself.
    pub fn start(command: &mut Command) -> Result<Option<Self>> {
        let mut child = process::spawn(command.stdout(Stdio::piped()))?;
        let (tell, told) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    match line.strip_prefix("listening on ") {
                        // The receiver is gone once it knows the address, and needs it only once.
                        Some(address) => drop(tell.send(address.trim().to_owned())),
                        None => say(&line),
                    }
                }
            });
        }
        // The sender is dropped when the program ends, and with it this wait.
        let Ok(address) = told.recv() else {
            if !child.wait()?.success() && process::was_stopped() {
                bail!("stopped");
            }
            return Ok(None);
        };
        let mut server = Self { child, address };
        while !server.is_ready() {
            if server.child.try_wait()?.is_some() {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(server))
    }

    /// Waits until the server ends.
    pub fn wait(mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Ends the server, in its own time if that is short.
    pub fn stop(mut self) -> Result<()> {
        process::stop(&mut self.child)
    }

    /// Whether `/readyz` answers 200: the database is migrated and seeded.
    fn is_ready(&self) -> bool {
        let socket = self.address.trim_start_matches("http://");
        let ask = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect(socket)?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(stream, "GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            Ok(answer.ends_with(b" 200"))
        };
        ask().unwrap_or(false)
    }
}

/// The arguments with which a program serves the sample and a built wallet.
pub fn serve_demo(program: &Path, wallet: &Path, database_url: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args(["serve", "--demo", "--database-url", database_url, "--wallet-dir"])
        .arg(wallet);
    command
}

/// The URL of a SQLite file that is made when it is not there yet.
pub fn sqlite_url(file: &Path) -> String {
    let path = file
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    format!("sqlite://{path}?mode=rwc")
}
