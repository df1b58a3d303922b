//! `cargo xtask bench start`: how soon the installed wallet is there without a network, and what a visit costs.

use crate::process;
use crate::steps::Steps;
use crate::test;
use anyhow::Result;

/// Runs e2e/start.ts, which prints its figures beside those of an empty page from the same worker.
pub fn start() -> Result<()> {
    let mut steps = Steps::new(4);
    let mut playwright = test::playwright(&mut steps, "e2e/bench.config.ts")?;
    steps.next("Opening the wallet again and again");
    process::run(playwright.arg("e2e/start.ts"))
}
