//! `cargo xtask test`: everything the project asserts, and a count for each runner.

use crate::api::{self, Profile};
use crate::engines::Engine;
use crate::postgres::{Commits, Postgres};
use crate::process;
use crate::project;
use crate::schema;
use crate::size;
use crate::steps::{Steps, say};
use crate::tools;
use crate::wallet;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where e2e/playwright.config.ts puts its findings.
const BROWSER_RESULTS: &str = "e2e/test-results/results.json";
/// Where e2e/webdriver.config.ts does.
const ENGINE_RESULTS: &str = "e2e/test-results/webdriver.json";

/// Names a server on which the API's tests make their databases; SQLite where it is not set.
const TEST_DATABASE_URL: &str = "LOYALTY_TEST_DATABASE_URL";

/// A kind of test, with the program that runs it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// Rules, API and tools: `cargo test`. The API's database is SQLite.
    Rust,
    /// The API's tests over HTTP once more, on PostgreSQL.
    Postgres,
    /// The API against its own `OpenAPI` document: Schemathesis.
    Schema,
    /// Journeys in a browser: Playwright.
    Browser,
    /// The main journeys in one engine.
    Engine(Engine),
    /// What a first visit downloads, against its limit.
    Size,
}

impl Runner {
    fn all() -> Vec<Self> {
        let before = [Self::Rust, Self::Postgres, Self::Schema, Self::Browser];
        before
            .into_iter()
            .chain(Engine::ALL.map(Self::Engine))
            .chain([Self::Size])
            .collect()
    }

    /// The runner that `--only` names.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "rust" => Ok(Self::Rust),
            "postgres" => Ok(Self::Postgres),
            "schema" => Ok(Self::Schema),
            "e2e" => Ok(Self::Browser),
            "size" => Ok(Self::Size),
            _ => bail!("--only takes rust, postgres, schema, e2e or size, not {name:?}."),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Postgres => "PostgreSQL",
            Self::Schema => "Schema",
            Self::Browser => "Browser",
            Self::Engine(engine) => engine.title(),
            Self::Size => "Size",
        }
    }

    fn steps(self) -> usize {
        match self {
            Self::Rust => 1,
            Self::Postgres => 2,
            Self::Schema => schema::STEPS,
            Self::Browser => 4,
            Self::Engine(_) => 5,
            Self::Size => size::STEPS,
        }
    }
}

/// What a runner reported.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub passed: u64,
    pub failed: u64,
    /// The runner itself did not succeed, which can happen without a failed test: when something does not compile.
    pub is_broken: bool,
    /// What this machine lacks, so that nothing was run.
    pub lacks: Option<String>,
}

/// Runs the tests of the chosen runners, or of all, and says whether everything passed. `arguments` go to the runner.
pub fn test(chosen: &[Runner], arguments: &[OsString]) -> Result<bool> {
    let runners = if chosen.is_empty() {
        Runner::all()
    } else {
        chosen.to_vec()
    };
    let mut steps = Steps::new(runners.iter().map(|runner| runner.steps()).sum());
    let mut closing = Vec::new();
    let mut all_passed = true;
    let mut until = 0;
    for runner in runners {
        until += runner.steps();
        let outcome = match runner {
            Runner::Rust => rust(&mut steps, arguments)?,
            Runner::Postgres => postgres(&mut steps, arguments)?,
            Runner::Schema => schema(&mut steps, arguments)?,
            Runner::Browser => browser(&mut steps, arguments)?,
            Runner::Engine(engine) => main_journeys(&mut steps, engine, arguments)?,
            Runner::Size => first_visit(&mut steps)?,
        };
        let title = runner.title();
        if let Some(lacks) = outcome.lacks {
            // On a build machine and for somebody who asked for it, nothing run is nothing passed.
            let is_needed = !chosen.is_empty() || std::env::var_os("CI").is_some();
            steps.finish(until);
            steps.detail(&format!("LEFT OUT: {lacks}"));
            closing.push(format!("{title}: LEFT OUT. {lacks}"));
            all_passed &= !is_needed;
            continue;
        }
        let Outcome { passed, failed, .. } = outcome;
        closing.push(format!("{title}: {passed} passed, {failed} failed"));
        if outcome.is_broken && failed == 0 {
            closing.push(format!(
                "{title} did not run to its end; its own message above says why."
            ));
        }
        all_passed &= failed == 0 && !outcome.is_broken;
    }
    say("");
    closing.iter().for_each(|line| say(line));
    Ok(all_passed)
}

fn rust(steps: &mut Steps, arguments: &[OsString]) -> Result<Outcome> {
    steps.next("Testing rules, contract, API and tools");
    let mut command = project::cargo();
    command
        .args(["test", "--workspace", "--no-fail-fast", "--locked"])
        .args(arguments)
        .env_remove(TEST_DATABASE_URL);
    libtest(&mut command)
}

fn postgres(steps: &mut Steps, arguments: &[OsString]) -> Result<Outcome> {
    steps.next("Looking for PostgreSQL");
    let mut command = project::cargo();
    command
        // Of all packages, as before it: for one alone their common dependencies would be compiled anew.
        .args(["test", "--workspace", "--no-fail-fast", "--locked"])
        .args(api_tests()?.iter().flat_map(|target| ["--test", target]))
        .args(arguments);
    let server = if std::env::var_os(TEST_DATABASE_URL).is_some() {
        None
    } else {
        match tools::postgres(steps) {
            Ok(programs) => Some(Postgres::start(&programs, Commits::Unsynced)?),
            Err(error) => return lacking(error),
        }
    };
    if let Some(server) = &server {
        command.env(TEST_DATABASE_URL, &server.url);
    }
    steps.next("Testing the API on PostgreSQL");
    libtest(&mut command)
}

/// The API's tests over HTTP: each folder is a target.
fn api_tests() -> Result<Vec<String>> {
    let folder = project::root().join("crates/api/tests");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let entry = entry?;
        if entry.path().join("main.rs").is_file() {
            targets.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    targets.sort();
    Ok(targets)
}

fn schema(steps: &mut Steps, arguments: &[OsString]) -> Result<Outcome> {
    steps.next("Looking for Schemathesis");
    match tools::schemathesis(steps) {
        Ok(program) => schema::run(steps, &program, arguments),
        Err(error) => lacking(error),
    }
}

/// What becomes of a runner for which this machine lacks something.
fn lacking(error: anyhow::Error) -> Result<Outcome> {
    if process::was_stopped() {
        return Err(error);
    }
    Ok(Outcome {
        lacks: Some(format!("{error:#}")),
        ..Outcome::default()
    })
}

/// Runs tests with cargo, which runs one target after the other, and counts them.
fn libtest(command: &mut Command) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let status = process::run_lines(command, |line| {
        say(line);
        if let Some((passed, failed)) = libtest_counts(line) {
            outcome.passed += passed;
            outcome.failed += failed;
        }
    })?;
    outcome.is_broken = !status.success();
    Ok(outcome)
}

fn first_visit(steps: &mut Steps) -> Result<Outcome> {
    let is_kept = size::size(steps)?;
    Ok(Outcome {
        passed: is_kept.into(),
        failed: (!is_kept).into(),
        ..Outcome::default()
    })
}

fn browser(steps: &mut Steps, arguments: &[OsString]) -> Result<Outcome> {
    let mut playwright = playwright(steps, "e2e/playwright.config.ts")?;
    steps.next("Testing journeys in Chromium");
    journeys(playwright.args(arguments), BROWSER_RESULTS)
}

/// Runs the main journeys in one engine.
fn main_journeys(steps: &mut Steps, engine: Engine, arguments: &[OsString]) -> Result<Outcome> {
    steps.next(&format!("Looking for {} and what drives it", engine.title()));
    let programs = match engine.programs(steps) {
        Ok(programs) => programs,
        Err(error) => return lacking(error),
    };
    let mut playwright = journeys_command(steps, "e2e/webdriver.config.ts")?;
    playwright
        .args(["--project", engine.name()])
        .args(arguments)
        .envs(programs);
    steps.next(&format!("Testing the main journeys in {}", engine.title()));
    journeys(&mut playwright, ENGINE_RESULTS)
}

/// Runs Playwright, and counts what it reports there.
fn journeys(playwright: &mut Command, results: &str) -> Result<Outcome> {
    let results = project::root().join(results);
    // What an earlier run found must never pass for this one's.
    let _ = fs::remove_file(&results);
    let status = process::status(playwright)?;
    let (passed, failed) = playwright_counts(&results)?;
    Ok(Outcome {
        passed,
        failed,
        is_broken: !status.success(),
        lacks: None,
    })
}

/// Playwright with what its fixtures need: the built wallet, the API's program and Chromium. Takes three steps.
pub fn playwright(steps: &mut Steps, config: &str) -> Result<Command> {
    let mut command = journeys_command(steps, config)?;
    command.env(tools::CHROMIUM.variable, tools::CHROMIUM.get(steps)?);
    Ok(command)
}

/// Playwright's runner with the built wallet and the API's program, whatever the browser is. Takes three steps.
fn journeys_command(steps: &mut Steps, config: &str) -> Result<Command> {
    let wallet = wallet::build(steps)?;
    steps.next("Building the API");
    let program = api::build(Profile::Test)?;
    let mut command = Command::new("node");
    command.args(["node_modules/@playwright/test/cli.js", "test", "--config", config]);
    command
        .env("LOYALTY_API_BIN", program)
        .env("LOYALTY_WALLET_DIR", wallet);
    command.current_dir(project::root());
    Ok(command)
}

/// Reads `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
fn libtest_counts(line: &str) -> Option<(u64, u64)> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |what: &str| {
        counts
            .split("; ")
            .find_map(|part| part.strip_suffix(what)?.trim().parse().ok())
    };
    Some((count(" passed")?, count(" failed")?))
}

/// Reads Playwright's report: `unexpected` is what failed, and `flaky` passed only when it was tried again.
fn playwright_counts(results: &Path) -> Result<(u64, u64)> {
    let report = fs::read_to_string(results).context("Playwright left no report")?;
    let report: serde_json::Value = serde_json::from_str(&report).context("Playwright's report is not JSON")?;
    let count = |what: &str| {
        report["stats"][what]
            .as_u64()
            .with_context(|| format!("Playwright's report does not count {what:?}"))
    };
    Ok((count("expected")? + count("flaky")?, count("unexpected")?))
}

#[cfg(test)]
mod tests {
    use super::libtest_counts;

    #[track_caller]
    fn check(line: &str, expected: Option<(u64, u64)>) {
        assert_eq!(libtest_counts(line), expected, "{line}");
    }

    #[test]
    fn only_summaries_count() {
        check(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            Some((12, 0)),
        );
        check(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            Some((3, 2)),
        );
        check("test earning::rounds_down ... ok", None);
        check("running 7 tests", None);
    }
}
