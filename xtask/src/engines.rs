//! Browser engines: the programs through which e2e/webdriver drives them.

use crate::steps::Steps;
use crate::tools::{self, Program};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Drives Firefox.
const GECKODRIVER: &str = "0.37.1";

/// An engine that people's browsers are built on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Chromium,
    Firefox,
    /// `WebKitGTK`, which shares its engine with Safari.
    Webkit,
}

impl Engine {
    /// All of them, the commonest first.
    pub const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::Webkit];

    /// The engines that `--browsers` names.
    pub fn named(name: &str) -> Result<Vec<Self>> {
        if name == "all" {
            return Ok(Self::ALL.to_vec());
        }
        match Self::ALL.into_iter().find(|engine| engine.name() == name) {
            Some(engine) => Ok(vec![engine]),
            None => bail!("--browsers takes chromium, firefox, webkit or all, not {name:?}."),
        }
    }

    /// What it is called in e2e/webdriver.config.ts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Webkit => "webkit",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::Webkit => "WebKit",
        }
    }

    /// Finds or installs what drives it, each program with the variable in which e2e/webdriver/engines.ts looks for it.
    pub fn programs(self, steps: &Steps) -> Result<Vec<(&'static str, PathBuf)>> {
        let found = |program: &Program| Ok((program.variable, program.get(steps)?));
        match self {
            Self::Chromium => [tools::CHROMIUM, CHROMEDRIVER].iter().map(found).collect(),
            Self::Firefox => Ok(vec![
                found(&FIREFOX)?,
                (
                    "GECKODRIVER",
                    tools::from_crates_io(steps, "geckodriver", "geckodriver", GECKODRIVER)?,
                ),
            ]),
            Self::Webkit => Ok(vec![
                found(&XVFB)?,
                found(&WEBKIT_DRIVER)?,
                ("MINIBROWSER", minibrowser()?),
            ]),
        }
    }
}

const CHROMEDRIVER: Program = Program {
    variable: "CHROMEDRIVER",
    title: "ChromeDriver",
    names: &["chromedriver"],
    package: "chromium-driver",
};

const FIREFOX: Program = Program {
    variable: "FIREFOX",
    title: "Firefox",
    names: &["firefox-esr", "firefox"],
    package: "firefox-esr",
};

const WEBKIT_DRIVER: Program = Program {
    variable: "WEBKIT_DRIVER",
    title: "WebKitGTK's WebDriver",
    names: &["WebKitWebDriver"],
    package: "webkit2gtk-driver",
};

const XVFB: Program = Program {
    variable: "XVFB",
    title: "Xvfb, a screen in memory,",
    names: &["Xvfb"],
    package: "xvfb",
};

/// `WebKitGTK`'s own small browser, which comes with the library and lies on no path: the newest.
fn minibrowser() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("MINIBROWSER") {
        return Ok(chosen.into());
    }
    let folders = |above: &Path| {
        fs::read_dir(above)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
    };
    ["/usr/lib", "/usr/libexec"]
        .iter()
        .flat_map(|above| folders(Path::new(above)).chain([PathBuf::from(above)]))
        .flat_map(|above| folders(&above))
        .filter(|folder| {
            folder
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("webkit"))
        })
        .map(|folder| folder.join("MiniBrowser"))
        .filter(|program| program.is_file())
        .max()
        .context(
            "WebKitGTK's MiniBrowser is missing: install it (on Debian it comes with webkit2gtk-driver), or name its \
             program in the environment variable MINIBROWSER.",
        )
}
