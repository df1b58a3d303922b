//! `cargo xtask dev`: as `serve`, quickly built, and built again whenever a file changes.

use crate::api::{self, Profile, Server};
use crate::process;
use crate::project;
use crate::serve::{self, Options};
use crate::steps::{Steps, say};
use crate::tools;
use crate::wallet;
use anyhow::{Result, bail};
use std::fs;
use std::process::Child;
use std::thread;
use std::time::{Duration, SystemTime};

/// What the API is made of; Trunk.toml says what the wallet is.
const API_SOURCES: [&str; 3] = ["crates/api", "crates/contract", "crates/rules"];

/// Serves a development build, and keeps it fresh until it is told to end.
pub fn dev(options: &Options) -> Result<()> {
    serve::check_free(&options.host, options.port)?;
    let database_url = options.database_url()?;
    let wallet = project::root().join("target/dev-wallet");

    let mut steps = Steps::new(4);
    steps.next("Looking for the tools that build the wallet");
    let tools = tools::for_wallet(&steps)?;
    steps.next("Building the wallet, unoptimised");
    process::run(wallet::trunk(&tools).args(["build", "--dist"]).arg(&wallet))?;
    steps.next("Building the API, unoptimised");
    let built = newest_change()?;
    let program = api::build(Profile::Dev)?;
    steps.next("Starting both");
    let start = || {
        let mut command = api::serve_demo(&program, &wallet, &database_url);
        command
            .args(["--host", &options.host, "--port", &options.port.to_string()])
            .args(&options.api_arguments);
        Server::start(&mut command)
    };
    let Some(server) = start()? else {
        bail!("The API did not start; the line above says why.");
    };
    say(&serve::welcome(&server.address, steps.seconds()));
    say("  Reload the page to see a change once it is built.");

    // Whatever ends this, neither of the two is left behind.
    let mut server = Some(server);
    let outcome = process::spawn(wallet::trunk(&tools).args(["watch", "--dist"]).arg(&wallet)).and_then(|mut trunk| {
        let outcome = keep_fresh(&mut trunk, &mut server, start, built);
        let stopped = process::stop(&mut trunk);
        outcome.and(stopped)
    });
    let stopped = server.map_or(Ok(()), Server::stop);
    outcome.and(stopped)?;
    say("Stopped.");
    Ok(())
}

/// Builds and starts the API anew whenever a file of it changes, until everything is asked to stop.
fn keep_fresh(
    trunk: &mut Child,
    server: &mut Option<Server>,
    start: impl Fn() -> Result<Option<Server>>,
    mut built: SystemTime,
) -> Result<()> {
    while !process::is_stopping() {
        if let Some(status) = trunk.try_wait()? {
            if process::was_stopped() {
                break;
            }
            bail!("Trunk ended by itself ({status}).");
        }
        let changed = newest_change()?;
        if changed > built {
            built = changed;
            say("A file of the API changed.");
            // One that does not build leaves the old one running.
            if let Err(error) = api::build(Profile::Dev) {
                say(&format!("{error:#}"));
            } else {
                if let Some(running) = server.take() {
                    running.stop()?;
                }
                *server = start()?;
                let outcome = if server.is_some() {
                    "runs again"
                } else {
                    "did not start; the line above says why"
                };
                say(&format!("The API {outcome}."));
            }
        }
        thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// When a file of the API was last written.
fn newest_change() -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for source in API_SOURCES {
        for file in wallet::files(&project::root().join(source))? {
            // A file that an editor replaces may be gone for a moment.
            if let Ok(changed) = fs::metadata(file).and_then(|found| found.modified()) {
                newest = newest.max(changed);
            }
        }
    }
    Ok(newest)
}
