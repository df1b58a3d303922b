//! `cargo xtask bench lighthouse`: what Lighthouse thinks of the wallet on a phone.

use crate::process;
use crate::steps::Steps;
use crate::test;
use anyhow::Result;

/// Runs e2e/lighthouse.ts, which prints the scores and, where one is low, the reasons.
pub fn lighthouse() -> Result<()> {
    let mut steps = Steps::new(4);
    let mut playwright = test::playwright(&mut steps, "e2e/bench.config.ts")?;
    steps.next("Asking Lighthouse");
    process::run(playwright.arg("e2e/lighthouse.ts"))
}
