//! Makes one typed function of every text in `locales/`, so that a missing key, plural form or argument fails the build.
//!
//! `locales/en.json` is the reference: sections of messages, a message being a text or its plural forms (CLDR
//! categories). `{name}` stands for an argument; a plural message counts by its argument `count`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

use serde_json::{Map, Value};

/// The plural forms that a message needs, by language (Unicode CLDR, cardinal rules).
const PLURAL_FORMS: &[(&str, &[&str])] = &[
    ("en", &["one", "other"]),
    ("fa", &["one", "other"]),
    ("ms", &["other"]),
    ("ru", &["one", "few", "many", "other"]),
    ("vi", &["other"]),
];

const REFERENCE: &str = "en";

type Messages = Map<String, Value>;

fn main() {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_SPLIT").is_some() {
        // What refers to what, so that the program can be split.
        println!("cargo::rustc-link-arg-bins=--emit-relocs");
    }
    if let Err(problem) = generate() {
        // A build script reports on standard error and by its exit code.
        eprintln!("{problem}");
        process::exit(1);
    }
}

fn generate() -> Result<(), String> {
    let mut languages: Vec<String> = fs::read_dir("locales")
        .map_err(|e| format!("locales: {e}"))?
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    languages.sort();

    let reference = read(REFERENCE)?;
    for language in &languages {
        check(language, &read(language)?, &reference)?;
    }

    let mut code =
        format!("/// The languages that there is a file for.\npub const LANGUAGES: &[&str] = &{languages:?};\n");
    for (section, messages) in &reference {
        writeln!(code, "pub mod {section} {{").map_err(|e| e.to_string())?;
        for (name, message) in section_messages(section, messages)? {
            code.push_str(&function(section, name, message)?);
        }
        code.push_str("}\n");
    }
    let folder = env::var("OUT_DIR").map_err(|e| e.to_string())?;
    fs::write(Path::new(&folder).join("texts.rs"), code).map_err(|e| e.to_string())
}

fn read(language: &str) -> Result<Messages, String> {
    let path = format!("locales/{language}.json");
    let text = fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    serde_json::from_str(&text).map_err(|e| format!("{path}: {e}"))
}

fn section_messages<'a>(section: &str, messages: &'a Value) -> Result<&'a Messages, String> {
    messages
        .as_object()
        .ok_or_else(|| format!("locales: section {section} is not an object"))
}

/// Compares one language with the reference, in both directions.
fn check(language: &str, messages: &Messages, reference: &Messages) -> Result<(), String> {
    let forms = PLURAL_FORMS
        .iter()
        .find(|(known, _)| *known == language)
        .map(|(_, forms)| *forms)
        .ok_or_else(|| format!("locales/{language}.json: build.rs does not know this language's plural forms"))?;
    let keys = |messages: &Messages| -> Result<BTreeSet<String>, String> {
        let mut keys = BTreeSet::new();
        for (section, inner) in messages {
            keys.extend(
                section_messages(section, inner)?
                    .keys()
                    .map(|name| format!("{section}.{name}")),
            );
        }
        Ok(keys)
    };
    let (ours, theirs) = (keys(messages)?, keys(reference)?);
    if let Some(key) = theirs.symmetric_difference(&ours).next() {
        let state = if ours.contains(key) {
            "is not in the reference"
        } else {
            "is missing"
        };
        return Err(format!("locales/{language}.json: {key} {state}"));
    }
    for (section, inner) in reference {
        for (name, expected) in section_messages(section, inner)? {
            let found = &messages[section][name];
            let at = format!("locales/{language}.json: {section}.{name}");
            if expected.is_object() != found.is_object() {
                return Err(format!("{at} has plural forms in one language only"));
            }
            if let Some(found) = found.as_object() {
                let found: BTreeSet<&str> = found.keys().map(String::as_str).collect();
                let needed: BTreeSet<&str> = forms.iter().copied().collect();
                if found != needed {
                    return Err(format!(
                        "{at} has the plural forms {found:?}, the language needs {needed:?}"
                    ));
                }
            }
            let wanted = arguments(expected)?;
            if texts(found).is_empty() {
                return Err(format!("{at} is no text"));
            }
            for text in texts(found) {
                // A plural form may leave its number out ("one leaf"), and nothing else.
                let named = placeholders(text)?;
                let left_out = wanted
                    .difference(&named)
                    .any(|name| !(found.is_object() && name == "count"));
                if left_out || named.difference(&wanted).next().is_some() {
                    return Err(format!("{at} names the arguments {named:?}, the reference {wanted:?}"));
                }
            }
        }
    }
    Ok(())
}

/// The texts of a message: itself, or its plural forms.
fn texts(message: &Value) -> Vec<&str> {
    match message {
        Value::String(text) => vec![text],
        Value::Object(forms) => forms.values().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn arguments(message: &Value) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    for text in texts(message) {
        names.extend(placeholders(text)?);
    }
    if message.is_object() {
        names.insert("count".to_owned());
    }
    Ok(names)
}

fn placeholders(text: &str) -> Result<BTreeSet<String>, String> {
    text.split('{')
        .skip(1)
        .map(|rest| {
            let name = rest.split_once('}').map(|(name, _)| name.to_owned());
            name.ok_or_else(|| format!("locales: a brace is not closed in {text:?}"))
        })
        .collect()
}

/// The function that gives a message: plain arguments are texts, a plural's first is the number it counts.
fn function(section: &str, name: &str, message: &Value) -> Result<String, String> {
    let key = format!("{section}.{name}");
    let doc: String = format!("`{}`", texts(message).last().unwrap_or(&""))
        .escape_default()
        .collect();
    let mut names = arguments(message)?;
    let is_plural = message.is_object() && names.remove("count");
    let parameters: String = names.iter().map(|name| format!("{name}: &str, ")).collect();
    let values: String = names.iter().map(|name| format!("({name:?}, {name}), ")).collect();
    Ok(if is_plural {
        format!(
            "#[doc = \"{doc}\"]\npub fn {name}(count: i64, {parameters}) -> String {{ crate::intl::plural({key:?}, count, &[{values}]) }}\n"
        )
    } else {
        format!(
            "#[doc = \"{doc}\"]\npub fn {name}({parameters}) -> String {{ crate::intl::text({key:?}, &[{values}]) }}\n"
        )
    })
}
