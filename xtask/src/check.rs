//! `cargo xtask check`: what a reader should not have to look for.

use crate::process;
use crate::project;
use crate::steps::{Steps, say};
use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::process::Command;

/// Licences whose code may be part of what we publish under MIT or Apache-2.0.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A check: what it looks at, and the function that fails when it finds something.
type Check = (&'static str, fn() -> Result<()>);

const CHECKS: [Check; 7] = [
    ("Formatting", formatting),
    ("Clippy on rules, contract, API and tools", clippy_host),
    ("Clippy on the wallet, for WebAssembly", clippy_wallet),
    ("Stylesheet", stylesheet),
    ("Page", page),
    ("Licences of dependencies", licences),
    ("Nothing of one machine in the files", portable),
];

/// Runs every check, whatever the ones before found; false when one failed.
pub fn check() -> Result<bool> {
    let mut steps = Steps::new(CHECKS.len() + 1);
    steps.next("Looking for the tools");
    tools::rust_component(&steps, "fmt", "rustfmt")?;
    tools::rust_component(&steps, "clippy", "clippy")?;
    tools::wasm_target(&steps)?;
    tools::npm_packages(&steps)?;

    let mut failed = Vec::new();
    for (title, run) in CHECKS {
        steps.next(title);
        if let Err(error) = run() {
            if process::is_stopping() {
                return Err(error);
            }
            steps.detail(&format!("{error:#}"));
            failed.push(title);
        }
    }
    say(&format!(
        "\nChecks: {} passed, {} failed",
        CHECKS.len() - failed.len(),
        failed.len()
    ));
    failed.iter().for_each(|title| say(&format!("  failed: {title}")));
    Ok(failed.is_empty())
}

fn formatting() -> Result<()> {
    process::run(project::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy_host() -> Result<()> {
    let targets = [
        "clippy",
        "--workspace",
        "--exclude",
        "loyalty-wallet",
        "--all-targets",
        "--locked",
    ];
    process::run(project::cargo().args(targets).args(["--", "-D", "warnings"]))
}

fn clippy_wallet() -> Result<()> {
    let target = [
        "clippy",
        "--package",
        "loyalty-wallet",
        "--target",
        "wasm32-unknown-unknown",
        "--locked",
    ];
    process::run(project::cargo().args(target).args(["--", "-D", "warnings"]))
}

fn stylesheet() -> Result<()> {
    process::run(npm("stylelint").args(["--max-warnings=0", "style/**/*.css"]))
}

fn page() -> Result<()> {
    process::run(npm("html-validate").args(["--max-warnings=0", "index.html"]))
}

fn npm(command: &str) -> Command {
    let mut command = Command::new(tools::npm_bin().join(command));
    command.current_dir(project::root());
    command
}

/// Only crates are looked at: the npm packages build and test, and nothing of them is shipped.
fn licences() -> Result<()> {
    let allowed: Vec<spdx::Licensee> = LICENCES
        .iter()
        .map(|licence| spdx::Licensee::parse(licence))
        .collect::<Result<_, _>>()?;
    let listing = project::cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()?;
    ensure!(
        listing.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&listing.stderr).trim()
    );
    let metadata: serde_json::Value = serde_json::from_slice(&listing.stdout)?;

    let mut refused = Vec::new();
    for package in metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?
    {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        // Older crates write "MIT/Apache-2.0".
        let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX);
        let is_allowed = expression.is_ok_and(|expression| {
            expression.evaluate(|wanted| allowed.iter().any(|licence| licence.satisfies(wanted)))
        });
        if !is_allowed {
            refused.push(format!(
                "{name} ({})",
                if licence.is_empty() {
                    "no licence named"
                } else {
                    licence
                }
            ));
        }
    }
    ensure!(
        refused.is_empty(),
        "Not on the list of licences in xtask/src/check.rs: {}.",
        refused.join(", ")
    );
    Ok(())
}

/// Files that work here and nowhere else: a lock that names a registry's host, a path in somebody's home.
fn portable() -> Result<()> {
    let lock = fs::read_to_string(project::root().join("package-lock.json"))?;
    ensure!(
        !lock.contains("\"resolved\""),
        "package-lock.json names a registry: install with the .npmrc of this project."
    );

    let listing = process::ask(
        Command::new("git")
            .args(["ls-files", "-z"])
            .current_dir(project::root()),
    );
    let Some(listing) = listing else {
        // An unpacked archive has no history to ask for its files.
        return Ok(());
    };
    let mut found = Vec::new();
    for name in listing.split('\0').filter(|name| !name.is_empty()) {
        let Ok(text) = fs::read_to_string(project::root().join(name)) else {
            continue; // a picture, or deleted and not committed yet
        };
        for (number, line) in text.lines().enumerate() {
            if names_a_home(line) {
                found.push(format!("{name}:{}", number + 1));
            }
        }
    }
    if !found.is_empty() {
        bail!("A path in somebody's home folder: {}.", found.join(", "));
    }
    Ok(())
}

/// Whether a line holds a path into the home folder of one person.
fn names_a_home(line: &str) -> bool {
    let starts_a_path = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/}".contains(c));
    ["/home/", "/root/", "/Users/"].iter().any(|home| {
        line.match_indices(home).any(|(at, _)| {
            let next = line[at + home.len()..].chars().next();
            starts_a_path(at) && next.is_some_and(|c| c.is_alphanumeric() || "._".contains(c))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::names_a_home;

    #[test]
    fn a_home_is_a_path_of_its_own() {
        let home = |rest: &str| format!("see /{rest}");
        assert!(names_a_home(&home("home/ann/wallet")));
        assert!(names_a_home(&home("root/.cargo")));
        assert!(!names_a_home("GET /api/v1/home/status"));
        assert!(!names_a_home("the page at /home/ is the first"));
    }
}
