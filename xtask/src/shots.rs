//! `cargo xtask shots`: a picture of every screen, to look at.

use crate::process;
use crate::project;
use crate::steps::{Steps, say};
use crate::test;
use anyhow::Result;

/// Which pictures of e2e/shots.ts are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shots {
    /// Every screen, to look at.
    Screens,
    /// The README's.
    Readme,
    /// The manifest's, for whoever is about to put the wallet on their home screen.
    Install,
}

/// Takes pictures into the folder that they are for.
pub fn shots(which: Shots) -> Result<()> {
    let mut steps = Steps::new(4);
    let mut playwright = test::playwright(&mut steps, "e2e/shots.config.ts")?;
    let (project, folder) = match which {
        Shots::Screens => ("screens", "shots"),
        Shots::Readme => ("readme", "docs"),
        Shots::Install => ("install", "public/screenshots"),
    };
    steps.next("Taking pictures");
    process::run(playwright.args(["--project", project]))?;
    say(&format!(
        "The pictures are in {}.",
        project::root().join(folder).display()
    ));
    Ok(())
}
