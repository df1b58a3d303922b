//! `cargo xtask serve`: wallet and API on one address, with the sample programme.

use crate::api::{self, Profile, Server};
use crate::process;
use crate::project;
use crate::steps::{Steps, say};
use crate::wallet;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::PathBuf;

/// What `serve` can be asked for.
pub struct Options {
    pub host: String,
    pub port: u16,
    /// Instead of a SQLite file in the data folder.
    pub database_url: Option<String>,
    pub data_dir: PathBuf,
    /// Handed to `loyalty-api serve` as they are.
    pub api_arguments: Vec<std::ffi::OsString>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            database_url: None,
            data_dir: project::root().join("data"),
            api_arguments: Vec::new(),
        }
    }
}

impl Options {
    /// The database that was asked for, or the file in the data folder, which is made if need be.
    pub fn database_url(&self) -> Result<String> {
        if let Some(url) = &self.database_url {
            return Ok(url.clone());
        }
        let folder = &self.data_dir;
        fs::create_dir_all(folder).with_context(|| format!("The data folder {} cannot be made", folder.display()))?;
        Ok(api::sqlite_url(&fs::canonicalize(folder)?.join("loyalty.db")))
    }
}

/// Who can sign in to the sample, and what is special about them.
const MEMBERS: [(&str, &str); 6] = [
    ("linh", "silver, some points pending, some about to expire"),
    ("amir", "joined today, nothing yet"),
    ("olga", "below zero after a return"),
    ("siti", "gold, six years of entries"),
    ("pavel", "membership paused"),
    ("reza", "looked after in person"),
];

/// Builds what changed, serves it, and ends when it is told to.
pub fn serve(options: &Options) -> Result<()> {
    // Minutes of building would be a poor way to find out that the address is taken.
    check_free(&options.host, options.port)?;
    let database_url = options.database_url()?;

    let mut steps = Steps::new(4);
    let wallet = wallet::build(&mut steps)?;
    steps.next("Building the API");
    let program = api::build(Profile::Server)?;
    steps.next("Starting the API (an empty database gets the sample programme first)");
    let mut command = api::serve_demo(&program, &wallet, &database_url);
    command
        .args(["--host", &options.host, "--port", &options.port.to_string()])
        .args(&options.api_arguments);
    let Some(server) = Server::start(&mut command)? else {
        bail!("The API did not start; the line above says why.");
    };

    say(&welcome(&server.address, steps.seconds()));
    let status = server.wait()?;
    if status.success() || process::was_stopped() {
        say("Stopped.");
        return Ok(());
    }
    bail!("The API ended by itself ({status}).");
}

/// Fails, in one sentence, if nothing can listen there.
pub fn check_free(host: &str, port: u16) -> Result<()> {
    match TcpListener::bind((host, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("Port {port} on {host} is already in use: stop what uses it, or choose another one with --port.")
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("Port {port} needs rights that you do not have here: choose one from 1024 up with --port.")
        }
        Err(error) => bail!("{host}:{port} is no address to listen on here: {error}."),
    }
}

/// What to tell a person once it runs.
pub fn welcome(address: &str, seconds: u64) -> String {
    let members: String = MEMBERS
        .iter()
        .map(|(name, note)| format!("    {:<28}{note}\n", format!("{name}@brightleaf.example")))
        .collect();
    format!(
        "\nReady after {seconds} s: {address}\n\n  \
         Sign in with one of these addresses; the code appears on the screen, since this is a sample:\n\
         {members}\n  Ctrl-C stops it."
    )
}
