//! `cargo xtask size`: the bytes of a first visit to the home screen, and the limit they must keep.

use crate::project;
use crate::split;
use crate::steps::{Steps, say};
use crate::wallet;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// 150 kB, compressed, everything counted but pictures.
const LIMIT: u64 = 150_000;

const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "webp", "avif", "ico"];

/// How many steps [`size`] takes.
pub const STEPS: usize = 2;

/// Builds the wallet and says, file by file, what a first visit downloads; false when that is too much.
pub fn size(steps: &mut Steps) -> Result<bool> {
    wallet::build(steps)?;
    let dist = project::dist();
    let mut counted = first_visit(&dist)?;
    counted.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));

    let total: u64 = counted.iter().map(|(_, bytes)| bytes).sum();
    let lines = counted
        .iter()
        .map(|(file, bytes)| (file.strip_prefix(&dist).unwrap_or(file).display().to_string(), *bytes));
    say("\nA first visit to the home screen, compressed with brotli:");
    for (name, bytes) in lines.chain([("total".to_owned(), total), ("limit".to_owned(), LIMIT)]) {
        say(&format!("{bytes:>9}  {name}"));
    }
    let (language, behind) = behind_first(&dist)?;
    say(&format!(
        "\nOnce the first screen is there, those behind it are fetched too: {behind} bytes, of texts at most {language}."
    ));
    if total > LIMIT {
        say(&format!("That is {} bytes too many.", total - LIMIT));
    }
    Ok(total <= LIMIT)
}

/// Every file that the first visit needs, and its bytes on the wire.
fn first_visit(dist: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut needed = Vec::new();
    let mut largest_language: Option<(PathBuf, u64)> = None;
    for file in wallet::files(dist)? {
        let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if PICTURES.contains(&kind) || ["br", "gz"].contains(&kind) || split::is_behind(&file) {
            continue;
        }
        let bytes = sent(&file)?;
        if file.starts_with(dist.join("locales")) {
            // A member reads one language; the largest stands for whichever it is.
            if largest_language.as_ref().is_none_or(|(_, most)| bytes > *most) {
                largest_language = Some((file, bytes));
            }
        } else {
            needed.push((file, bytes));
        }
    }
    needed.extend(largest_language);
    Ok(needed)
}

/// What the screens behind the first one add: the largest language's texts, and everything.
fn behind_first(dist: &Path) -> Result<(u64, u64)> {
    let (mut language, mut rest) = (0, 0);
    for file in wallet::files(dist)?.iter().filter(|file| split::is_behind(file)) {
        if file.starts_with(dist.join("locales")) {
            language = language.max(sent(file)?);
        } else {
            rest += sent(file)?;
        }
    }
    Ok((language, language + rest))
}

/// A file's bytes on the wire.
fn sent(file: &Path) -> Result<u64> {
    let compressed = wallet::with_suffix(file, ".br");
    let sent = if compressed.is_file() { &compressed } else { file };
    Ok(fs::metadata(sent)?.len())
}
