//! `cargo xtask bench ledger`: how fast the ledger is on both databases, beside bare transactions.

use crate::api;
use crate::postgres::{Commits, Postgres};
use crate::process;
use crate::project;
use crate::steps::{Steps, say};
use crate::tools;
use anyhow::Result;
use std::fs;
use std::process::Command;

/// Builds the benchmark as a shop builds the server, and runs it on SQLite and on a PostgreSQL server of its own.
pub fn ledger() -> Result<()> {
    let mut steps = Steps::new(3);
    steps.next("Building the API and the benchmark");
    process::run(bench().arg("--no-run"))?;

    steps.next("SQLite");
    // In the checkout: elsewhere may be memory, for which no commit waits.
    let target = project::root().join("target");
    fs::create_dir_all(&target)?;
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(target)?;
    let url = api::sqlite_url(&folder.path().join("ledger.db"));
    process::run(bench().args(["--", &url]))?;

    steps.next("PostgreSQL");
    let programs = tools::postgres(&steps)?;
    let server = Postgres::start(&programs, Commits::Durable)?;
    process::run(bench().args(["--", &server.url]).arg(programs.join("pgbench")))?;
    say("Each commit waited for the disc. The bare transactions are sqlx's on SQLite, and pgbench's on PostgreSQL.");
    Ok(())
}

fn bench() -> Command {
    let mut command = project::cargo();
    command.args([
        "bench",
        "--quiet",
        "--package",
        "loyalty-api",
        "--bench",
        "ledger",
        "--locked",
    ]);
    command
}
