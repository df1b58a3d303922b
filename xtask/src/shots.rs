//! `cargo xtask shots`: a picture of every screen, to look at.

use crate::process;
use crate::project;
use crate::steps::{Steps, say};
use crate::test;
use anyhow::Result;

/// Takes the pictures of e2e/shots.ts into `shots`, or only the README's into `docs`.
pub fn shots(readme: bool) -> Result<()> {
    let mut steps = Steps::new(4);
    let mut playwright = test::playwright(&mut steps, "e2e/shots.config.ts")?;
    let (project, folder) = if readme {
        ("readme", "docs")
    } else {
        ("screens", "shots")
    };
    steps.next("Taking pictures");
    process::run(playwright.args(["--project", project]))?;
    say(&format!(
        "The pictures are in {}.",
        project::root().join(folder).display()
    ));
    Ok(())
}
