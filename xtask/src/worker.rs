//! Fills in the service worker: the files that it keeps, each with the hash of its content, and its version.

use crate::wallet;
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The worker, in `public` and in the built wallet.
pub const NAME: &str = "sw.js";

/// Kinds of file that the wallet cannot show a screen without. Pictures for the home screen are the system's business,
/// and the manifest is a different one for each shop.
const KEPT: [&str; 6] = ["html", "css", "js", "wasm", "svg", "json"];

/// What stands in `public/sw.js` for the build to fill in.
const BLANK: [&str; 2] = ["const VERSION = \"\";", "const FILES = {};"];

/// Fills in the worker of a built wallet. Nothing of it may change any more from here on.
pub fn fill_in(dist: &Path) -> Result<()> {
    let worker = dist.join(NAME);
    let text = fs::read_to_string(&worker).with_context(|| format!("there is no {}", worker.display()))?;
    fs::write(worker, filled(&text, &kept(dist)?)?)?;
    Ok(())
}

/// The address and the hash of each file that is kept.
fn kept(dist: &Path) -> Result<BTreeMap<String, String>> {
    let mut kept = BTreeMap::new();
    for file in wallet::files(dist)? {
        let path = file.strip_prefix(dist)?.to_string_lossy().replace('\\', "/");
        let is_kept = file
            .extension()
            .is_some_and(|kind| KEPT.iter().any(|known| kind == *known));
        // `config.json` is written by whoever hosts the wallet, and may change at any time.
        if !is_kept || path == NAME || path == "config.json" {
            continue;
        }
        // Some hosts send away from the page's own name to the folder that it is the index of.
        let path = if path == "index.html" { String::new() } else { path };
        kept.insert(format!("/{path}"), hash(&fs::read(&file)?));
    }
    ensure!(kept.contains_key("/"), "the built wallet has no page");
    Ok(kept)
}

fn filled(text: &str, kept: &BTreeMap<String, String>) -> Result<String> {
    for blank in BLANK {
        ensure!(
            text.matches(blank).count() == 1,
            "{NAME} does not say {blank:?} once, for the build to fill in"
        );
    }
    let files = serde_json::to_string_pretty(kept)?;
    // What the worker does is a part of its version, too: a cache belongs to one worker.
    let version = &hash(format!("{text}{files}").as_bytes())[..16];
    Ok(text
        .replace(BLANK[0], &format!("const VERSION = {version:?};"))
        .replace(BLANK[1], &format!("const FILES = {files};")))
}

fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_knows_every_file_by_its_content_and_changes_with_it() -> Result<()> {
        let text = include_str!("../../public/sw.js");
        let dist = tempfile::tempdir()?;
        for (name, content) in [
            ("index.html", "page"),
            ("boot.js", "abc"),
            ("boot.js.br", "packed"),
            (NAME, text),
            ("manifest.webmanifest", "{}"),
            ("icon-192.png", "picture"),
        ] {
            fs::write(dist.path().join(name), content)?;
        }
        fs::create_dir(dist.path().join("locales"))?;
        fs::write(dist.path().join("locales/en.json"), "{}")?;
        let found = kept(dist.path())?;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["/", "/boot.js", "/locales/en.json"]);
        // FIPS 180-2's example.
        assert_eq!(
            found["/boot.js"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );

        let first = filled(text, &found)?;
        assert!(first.contains("\"/boot.js\": \"ba7816bf8f01"), "{first}");
        fs::write(dist.path().join("locales/en.json"), "{ }")?;
        let second = filled(text, &kept(dist.path())?)?;
        let version = |text: &str| text.lines().find(|line| line.contains("VERSION =")).map(str::to_owned);
        assert_ne!(version(&first), version(&second));
        assert_ne!(version(&first), version(text));
        Ok(())
    }
}
