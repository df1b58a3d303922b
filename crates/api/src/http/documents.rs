//! What a member takes along: the words of statements and calendars, in the five languages, and how they are sent.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::error::{Error, Result};
use crate::programme_file::Texts;
use crate::texts::text;

/// The language of whoever wants none of those that there are.
const FALLBACK: &str = "en";

static WORDS: LazyLock<BTreeMap<String, Texts>> =
    // A test reads the file and finds every word in every language, so that this cannot come out empty.
    LazyLock::new(|| serde_json::from_str(include_str!("documents.json")).unwrap_or_default());

/// Words of that name in a language of `problems::language`, with what belongs in them.
pub fn words(name: &str, language: &str, places: &[(&str, &str)]) -> String {
    let pattern = WORDS.get(name).map(|texts| text(texts, language, FALLBACK));
    places.iter().fold(pattern.unwrap_or_default(), |text, (place, value)| {
        text.replace(place, value)
    })
}

/// A file for one person, which a browser keeps under that name.
///
/// # Errors
/// [`Error`] where a header cannot be written.
pub fn download(content_type: &'static str, name: &str, language: &'static str, content: String) -> Result<Response> {
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Cookie, Accept, Accept-Language"),
    );
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = HeaderValue::try_from(disposition).map_err(Error::internal)?;
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problems::LANGUAGES;

    #[test]
    fn every_word_is_there_in_every_language_with_what_belongs_in_it() {
        assert!(WORDS.len() > 20);
        for (name, texts) in WORDS.iter() {
            let places = |text: &str| text.matches('{').count();
            let expected = texts.get(FALLBACK).map(|text| places(text));
            for language in LANGUAGES {
                let text = texts.get(language).filter(|text| !text.is_empty());
                assert_eq!(text.map(|text| places(text)), expected, "{name} in {language}");
            }
        }
    }
}
