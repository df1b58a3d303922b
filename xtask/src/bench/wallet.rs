//! `cargo xtask bench wallet`: how soon the wallet answers on a slow phone, by the browser's own trace.

use crate::process;
use crate::steps::Steps;
use crate::test;
use anyhow::Result;

/// Runs e2e/bench.ts, which prints its figures beside those of a bare page.
pub fn wallet() -> Result<()> {
    let mut steps = Steps::new(4);
    let mut playwright = test::playwright(&mut steps, "e2e/bench.config.ts")?;
    steps.next("Tapping and scrolling");
    process::run(playwright.arg("e2e/bench.ts"))
}
