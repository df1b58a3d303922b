//! Splits the wallet's program: one file with what a first visit needs, and one with the screens behind it.
//!
//! Trunk puts the whole program into the page; this replaces it. Where the second file begins is said in
//! src/pages/later.rs.

use crate::process;
use crate::project;
use crate::tools::{self, WalletTools};
use crate::wallet;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Map, Value};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use walrus::{FunctionBuilder, FunctionKind, Module};

/// What the second file is called by; the `module` of `wasm_split` in src/pages/later.rs.
const SCREENS: &str = "screens";

/// What a browser of the last five years knows, and wasm-opt may use.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// What is fetched once the first screen is there, without which it is the same: the last of them by the browser, for
/// whoever puts the wallet on their home screen.
const LATER: [&str; 5] = [
    "sw.js",
    "install.js",
    "snapshot.js",
    "code-key.js",
    "manifest.webmanifest",
];

/// Whether a file belongs to the screens behind the first one, so that no first visit waits for it.
pub fn is_behind(file: &Path) -> bool {
    LATER.iter().any(|name| file.ends_with(name))
        || file
            .file_stem()
            .is_some_and(|name| name.to_string_lossy().ends_with(&format!("-{SCREENS}")))
}

/// Puts the split program into `dist` in the place of Trunk's.
pub fn split(tools: &WalletTools, dist: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let made = |name: &str| folder.path().join(name);

    let whole = fs::read(whole_program()?)?;
    let main = made("main.wasm");
    let mut options = wasm_split_cli_support::Options::new(&whole);
    options.output_dir = folder.path();
    options.main_out_path = &main;
    options.main_module = "./program.js";
    wasm_split_cli_support::transform(options).map_err(|error| anyhow!("The wallet cannot be split: {error:#}"))?;
    let behind = made(&format!("split_{SCREENS}.wasm"));
    ensure!(behind.is_file(), "Splitting the wallet made no {}", behind.display());

    let tool = |name: &str| {
        let mut command = Command::new(name);
        command.env("PATH", &tools.path).current_dir(folder.path());
        command
    };
    let bindgen = [
        "--target",
        "web",
        "--no-typescript",
        "--keep-lld-exports",
        "--out-name",
        "program",
    ];
    process::run(tool("wasm-bindgen").args(bindgen).args(["--out-dir", "."]).arg(&main))?;
    // What both files call lies in the first.
    let mut first = Module::from_file(made("program_bg.wasm"))?;
    silence(&mut first)?;
    let script = fs::read_to_string(made("program.js"))?;
    fs::write(made("program.js"), shorten_names(&mut first, script))?;
    first.emit_wasm_file(made("program_bg.wasm"))?;
    for (from, to) in [
        (made("program_bg.wasm"), made("first.wasm")),
        (behind, made("behind.wasm")),
    ] {
        process::run(tool("wasm-opt").arg("-Oz").args(FEATURES).arg(from).arg("-o").arg(to))?;
    }
    // The script that loads the second file becomes a part of the first script: one request less.
    process::run(
        Command::new(tools::npm_bin().join("esbuild"))
            .args([
                "program.js",
                "--bundle",
                "--minify",
                "--format=esm",
                "--log-level=warning",
            ])
            .arg("--outfile=bundle.js")
            .current_dir(folder.path()),
    )?;

    // The three belong together, so they bear one hash: of what they hold.
    let (first, second) = (fs::read(made("first.wasm"))?, fs::read(made("behind.wasm"))?);
    let script = fs::read_to_string(made("bundle.js"))?;
    let name = format!("loyalty-wallet-{}", made_of(&(&first, &second, &script)));
    let loads = format!("split_{SCREENS}.wasm");
    ensure!(script.contains(&loads), "The wallet's script does not load {loads}");
    let script = script.replace(&loads, &format!("{name}-{SCREENS}.wasm"));

    split_texts(dist, &first)?;
    let (old_script, old_wasm) = trunks(dist)?;
    let page = dist.join("index.html");
    let text = fs::read_to_string(&page)?
        .replace(&file_name(&old_script), &format!("{name}.js"))
        .replace(&file_name(&old_wasm), &format!("{name}.wasm"));
    fs::remove_file(old_script)?;
    fs::remove_file(old_wasm)?;
    fs::write(dist.join(format!("{name}.js")), script)?;
    fs::write(dist.join(format!("{name}.wasm")), first)?;
    fs::write(dist.join(format!("{name}-{SCREENS}.wasm")), second)?;
    fs::write(page, draw_icons(dist, set_style_aside(dist, &text)?)?)?;
    Ok(())
}

/// Puts the icons of the shell into the page itself, so that the first picture waits for no other file.
fn draw_icons(dist: &Path, mut page: String) -> Result<String> {
    let sprite = fs::read_to_string(dist.join("icons.svg"))?;
    let used = "<use href=/icons.svg#";
    while let Some(start) = page.find(used) {
        let rest = &page[start + used.len()..];
        let end = rest.find('>').context("an icon does not end")?;
        let name = rest[..end].trim_end_matches(['/', ' ']).to_owned();
        let drawing = sprite
            .split_once(&format!("<symbol id=\"{name}\""))
            .and_then(|(_, symbol)| symbol.split_once('>')?.1.split_once("</symbol>"))
            .with_context(|| format!("icons.svg has no {name}"))?
            .0;
        // The style knows some of them by their address, to turn them where one reads from right to left.
        let drawn = format!("<g href=#{name}>{drawing}</g>");
        page.replace_range(start..start + used.len() + end + 1, &drawn);
    }
    ensure!(
        !page.contains("</use>"),
        "an icon of the page is closed by a tag of its own"
    );
    Ok(page)
}

/// Leaves the style of the screens behind the first one for `public/network.js` to fetch: the page with its address in
/// the place of a link.
fn set_style_aside(dist: &Path, page: &str) -> Result<String> {
    let style = made_by_trunk(dist, &format!("{SCREENS}-"), ".css")?;
    let name = file_name(&style);
    let behind = format!("wallet-{}-{SCREENS}.css", made_of(&fs::read(&style)?));
    fs::rename(&style, dist.join(&behind))?;
    let (before, after) = page
        .split_once(&name)
        .with_context(|| format!("the page does not link to {name}"))?;
    let (before, _) = before.rsplit_once("<link").context("a style is no link")?;
    let (_, after) = after.split_once('>').context("a link does not end")?;
    let page = [before, after].concat();
    ensure!(page.matches(" data-js=").count() == 1, "the page names no one program");
    Ok(page.replace(" data-js=", &format!(" data-css=/{behind} data-js=")))
}

/// What files bear in their names for what they hold.
fn made_of(content: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Functions that say why the program cannot go on, by the beginning of their names.
const LAST_WORDS: [&str; 13] = [
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "core::cell::lazy::panic_",
    "core::cell::panic_",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::slice::index::slice_",
    "core::str::slice_error_fail",
    "std::thread::local::panic_access_error",
];

/// Lets the program end without saying why where it cannot go on: nobody would read it, and putting it into words is
/// much of what everybody has to download. A build of Trunk's alone still says it.
fn silence(module: &mut Module) -> Result<()> {
    let silenced: Vec<_> = module
        .funcs
        .iter_local()
        .filter(|(id, _)| module.funcs.get(*id).name.as_deref().is_some_and(says_why))
        .map(|(id, function)| (id, function.ty()))
        .collect();
    ensure!(!silenced.is_empty(), "The program names no function that panics");
    for (id, kind) in silenced {
        let (takes, gives) = module.types.params_results(kind);
        let (takes, gives) = (takes.to_vec(), gives.to_vec());
        let mut body = FunctionBuilder::new(&mut module.types, &takes, &gives);
        body.func_body().unreachable();
        let arguments = takes.iter().map(|kind| module.locals.add(*kind)).collect();
        module.funcs.get_mut(id).kind = FunctionKind::Local(body.local_func(arguments));
    }
    Ok(())
}

/// Gives what the program wants of its script a short name, in both: wasm-bindgen's have a hash each, which no
/// compression makes smaller.
fn shorten_names(module: &mut Module, mut script: String) -> String {
    let of_bindgen = |import: &&mut walrus::Import| import.module.ends_with("/program_bg.js");
    let mut imports: Vec<_> = module.imports.iter_mut().filter(of_bindgen).collect();
    // A name may begin with another whole one.
    imports.sort_by_key(|import| std::cmp::Reverse(import.name.len()));
    for (at, import) in imports.into_iter().enumerate() {
        let short = format!("w{at}");
        script = script.replace(&import.name, &short);
        import.name = short;
    }
    script
}

/// Whether a function is one of [`LAST_WORDS`]; the names of crates may bear a hash: `core[c5930c85a12de822]::…`.
fn says_why(name: &str) -> bool {
    let name = match (name.find('['), name.find("]::")) {
        (Some(from), Some(to)) if from < to => [&name[..from], &name[to + 1..]].concat(),
        _ => name.to_owned(),
    };
    LAST_WORDS.iter().any(|beginning| name.starts_with(beginning))
}

/// Leaves in each language's file the texts that the first part of the program names, and puts the rest beside it.
fn split_texts(dist: &Path, first: &[u8]) -> Result<()> {
    let first = String::from_utf8_lossy(first);
    for file in wallet::files(&dist.join("locales"))? {
        let all: Map<String, Value> = serde_json::from_slice(&fs::read(&file)?)?;
        let (mut ours, mut theirs) = (Map::new(), Map::new());
        for (section, texts) in &all {
            for (name, text) in texts.as_object().context("a section of texts is no object")? {
                // The program names each text as a whole, see build.rs.
                let is_ours = first.contains(&format!("{section}.{name}"));
                let part = if is_ours { &mut ours } else { &mut theirs };
                part.entry(section).or_insert_with(|| Map::new().into())[name] = text.clone();
            }
        }
        ensure!(!ours.is_empty() && !theirs.is_empty(), "The texts cannot be split");
        let language = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        fs::write(&file, serde_json::to_vec(&ours)?)?;
        fs::write(
            file.with_file_name(format!("{language}-{SCREENS}.json")),
            serde_json::to_vec(&theirs)?,
        )?;
    }
    Ok(())
}

/// The program as cargo linked it for Trunk.
fn whole_program() -> Result<PathBuf> {
    let mut metadata = project::cargo();
    metadata.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let answer = process::ask(&mut metadata).context("cargo metadata failed")?;
    let metadata: Value = serde_json::from_str(&answer)?;
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo names no target folder")?;
    Ok(Path::new(target).join("wasm32-unknown-unknown/wasm-release/loyalty-wallet.wasm"))
}

/// The script and the program that Trunk made.
fn trunks(dist: &Path) -> Result<(PathBuf, PathBuf)> {
    let ending = |ending| made_by_trunk(dist, "loyalty-wallet-", ending);
    Ok((ending(".js")?, ending("_bg.wasm")?))
}

/// The file in `dist` whose name begins and ends so.
fn made_by_trunk(dist: &Path, beginning: &str, ending: &str) -> Result<PathBuf> {
    let mut files = fs::read_dir(dist)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    files
        .find(|path| {
            let name = file_name(path);
            name.starts_with(beginning) && name.ends_with(ending)
        })
        .with_context(|| format!("Trunk made no {beginning}*{ending}"))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
