//! The built wallet: `dist`, optimised, with every file compressed beforehand.

use crate::process;
use crate::project;
use crate::split;
use crate::steps::Steps;
use crate::tools;
use crate::worker;
use anyhow::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Everything the built wallet is made of, in the checkout.
const SOURCES: [&str; 16] = [
    "src",
    "crates/contract",
    "crates/rules",
    "locales",
    "style",
    "public",
    "index.html",
    "build.rs",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "package-lock.json",
    "xtask/src/split.rs",
    "xtask/src/wallet.rs",
    "xtask/src/worker.rs",
];

/// Kinds of file that shrink when compressed; pictures and fonts already are.
const COMPRESSIBLE: [&str; 9] = ["html", "css", "js", "wasm", "svg", "json", "webmanifest", "txt", "xml"];

/// Builds the wallet for serving, unless nothing it is made of changed since. Takes two steps.
pub fn build(steps: &mut Steps) -> Result<PathBuf> {
    let dist = project::dist();
    let stamp = dist.join(".made-of");
    steps.next("Looking for the tools that build the wallet");
    let tools = tools::for_wallet(steps)?;
    let made_of = fingerprint()?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == made_of) {
        steps.next("The wallet is built and nothing changed");
        return Ok(dist);
    }
    steps.next("Building the wallet, optimised for size");
    // What is interrupted from here on must not pass as built, even when the sources go back to what they were.
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    process::run(trunk(&tools).args(["build", "--release", "--features", "split"]))?;
    steps.detail("splitting it, and making its files smaller, once for every request");
    split::split(&tools, &dist)?;
    minify_scripts(&dist)?;
    worker::fill_in(&dist)?;
    compress(&dist)?;
    fs::write(stamp, made_of)?;
    Ok(dist)
}

/// Trunk, with wasm-bindgen and wasm-opt where it finds them.
pub fn trunk(tools: &tools::WalletTools) -> Command {
    let mut command = Command::new(&tools.trunk);
    command.current_dir(project::root()).env("PATH", &tools.path);
    if std::env::var_os("RUST_LOG").is_none() {
        // Scripts are made smaller below; Trunk's warning that it cannot would only worry people.
        command.env("RUST_LOG", "error,trunk=info,trunk::processing::minify=error");
    }
    // Everybody else takes any value of NO_COLOR; Trunk takes `true` and refuses the rest.
    if std::env::var_os("NO_COLOR").is_some() {
        command.env("NO_COLOR", "true");
    }
    command
}

/// Trunk's own minifier stumbles over the script that wasm-bindgen writes (`export { … as default }`). The service worker
/// stays as it is written, for whoever wants to know what their browser keeps.
fn minify_scripts(dist: &Path) -> Result<()> {
    let scripts = files(dist)?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "js") && !file.ends_with(worker::NAME));
    let mut esbuild = Command::new(tools::npm_bin().join("esbuild"));
    esbuild
        .args([
            "--minify",
            "--charset=utf8",
            "--allow-overwrite",
            "--log-level=warning",
            "--outdir=.",
        ])
        .args(scripts);
    process::run(esbuild.current_dir(dist))
}

/// Every file below a folder, sorted, hidden ones left out.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden {
            continue;
        } else if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// One line that changes whenever the wallet would be built differently: contents count, dates do not.
fn fingerprint() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    tools::versions()?.hash(&mut hasher);
    for source in SOURCES {
        let path = project::root().join(source);
        let all = if path.is_dir() { files(&path)? } else { vec![path] };
        for file in all {
            file.strip_prefix(project::root())?.hash(&mut hasher);
            fs::read(&file).ok().hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}

/// Writes `.br` and `.gz` beside each file that gets smaller by it, for the server to send as they are.
fn compress(dist: &Path) -> Result<()> {
    let all: Vec<_> = files(dist)?.into_iter().filter(|file| is_compressible(file)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(file) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            compress_file(file).with_context(|| format!("{} cannot be compressed", file.display()))?;
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

fn compress_file(file: &Path) -> Result<()> {
    let plain = fs::read(file)?;

    let mut brotli = Vec::new();
    let options = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: plain.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut plain.as_slice(), &mut brotli, &options)?;

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&plain)?;
    let gzip = gzip.finish()?;

    for (suffix, packed) in [(".br", brotli), (".gz", gzip)] {
        if packed.len() < plain.len() {
            fs::write(with_suffix(file, suffix), packed)?;
        }
    }
    Ok(())
}

/// A file's name with something behind it: `app.js` and `.br` give `app.js.br`.
pub fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn is_compressible(file: &Path) -> bool {
    file.extension()
        .is_some_and(|kind| COMPRESSIBLE.iter().any(|known| kind == *known))
}
