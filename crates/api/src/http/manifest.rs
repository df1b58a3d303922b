//! `/manifest.webmanifest`: how the wallet is called and looks once it is on a home screen, in the shop's own name.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::App;
use super::answer::{accept_language, unless_known};
use super::error::{Error, Result};
use crate::programme_file::Texts;
use crate::shop::Edition;
use crate::texts::text;
use crate::token;

/// The file in the wallet's folder, and the path that it is served at.
pub const NAME: &str = "manifest.webmanifest";

/// The language of the file itself.
const FALLBACK: &str = "en";

/// So many letters fit below a picture on a home screen.
const SHORT: usize = 12;

const RIGHT_TO_LEFT: [&str; 4] = ["ar", "fa", "he", "ur"];

static WORDS: LazyLock<BTreeMap<String, Texts>> =
    // A test reads the file and finds every text of the manifest in it, so that this cannot come out empty.
    LazyLock::new(|| serde_json::from_str(include_str!("manifest.json")).unwrap_or_default());

/// The manifest of the wallet in `folder`, as this shop's, in the language that the caller likes best.
pub async fn get_manifest(app: Arc<App>, folder: Option<PathBuf>, asked: HeaderMap) -> Result<Response> {
    let file = folder.ok_or_else(Error::not_found)?.join(NAME);
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file));
    let mut text = match read.await.map_err(Error::internal)? {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Error::not_found()),
        Err(error) => return Err(Error::internal(error)),
    };
    let mut language = FALLBACK.to_owned();
    match app.shop().await {
        Ok(shop) => {
            let edition = shop.edition(accept_language(&asked));
            language.clone_from(&edition.language);
            text = filled(&text, edition)?;
        }
        // Before there is a programme the wallet has its own name.
        Err(Error::Unavailable(_)) => (),
        Err(error) => return Err(error),
    }
    let etag = token::etag(&text);
    let mut response = unless_known(&asked, &etag, text)?;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/manifest+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_str(&language).map_err(Error::internal)?,
    );
    Ok(response)
}

fn filled(text: &str, edition: &Edition) -> Result<String> {
    let mut manifest: Value = serde_json::from_str(text).map_err(Error::internal)?;
    let programme = &edition.programme;
    let primary = edition.language.split('-').next().unwrap_or_default();
    let direction = if RIGHT_TO_LEFT.contains(&primary) { "rtl" } else { "ltr" };
    manifest["name"] = json!(programme.name);
    manifest["short_name"] = json!(short(&programme.name));
    manifest["description"] = json!(programme.promise);
    manifest["lang"] = json!(edition.language);
    manifest["dir"] = json!(direction);
    // What the system paints around the wallet until its page says what it wants there.
    manifest["theme_color"] = json!(programme.theme.accent);
    for (list, field) in [("shortcuts", "name"), ("screenshots", "label")] {
        let items = manifest.get_mut(list).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            let known = item[field].as_str().and_then(|text| WORDS.get(text));
            if let Some(texts) = known {
                item[field] = json!(text_in(texts, &edition.language));
            }
        }
    }
    serde_json::to_string(&manifest).map_err(Error::internal)
}

fn text_in(texts: &Texts, language: &str) -> String {
    text(texts, language.split('-').next().unwrap_or_default(), FALLBACK)
}

/// As many of the first words as fit; the whole, for the system to cut, where not even one does.
fn short(name: &str) -> &str {
    let ends = name.char_indices().filter(|(_, letter)| letter.is_whitespace());
    let ends = ends.map(|(at, _)| at).chain([name.len()]);
    ends.map(|end| &name[..end])
        .rfind(|words| !words.is_empty() && words.chars().count() <= SHORT)
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problems::LANGUAGES;

    #[test]
    fn every_text_of_the_manifest_is_there_in_every_language() {
        let manifest: Value =
            serde_json::from_str(include_str!("../../../../public/manifest.webmanifest")).expect("JSON");
        let mut texts = Vec::new();
        for (list, field) in [("shortcuts", "name"), ("screenshots", "label")] {
            for item in manifest[list].as_array().expect(list) {
                texts.push(item[field].as_str().expect(field));
            }
        }
        assert_eq!(texts.len(), 7);
        for text in texts {
            for language in LANGUAGES {
                assert!(!WORDS[text][language].is_empty(), "{text} in {language}");
            }
        }
    }

    #[test]
    fn a_short_name_is_whole_words() {
        for (name, expected) in [
            ("Brightleaf", "Brightleaf"),
            ("Corner Bakery and Café", "Corner"),
            ("My Old Shop and more", "My Old Shop"),
            ("Donaudampfschifffahrt Club", "Donaudampfschifffahrt Club"),
            ("فروشگاه برگ سبز", "فروشگاه برگ"),
        ] {
            assert_eq!(short(name), expected, "{name}");
        }
    }
}
