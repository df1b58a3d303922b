//! Refusals, worded as problem documents (RFC 9457) in the language that the caller asked for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use loyalty_contract::{Problem, ProblemCode};

use super::answer::accept_language;
use super::error::Refusal;
use crate::programme_file::Texts;
use crate::texts::{best_match, text};

/// The languages that titles exist in; the first where a caller wants none of them.
pub const LANGUAGES: [&str; 5] = ["en", "vi", "ru", "ms", "fa"];

static TITLES: LazyLock<BTreeMap<String, Texts>> =
    // A test reads the file and finds every code in every language, so that this cannot come out empty.
    LazyLock::new(|| serde_json::from_str(include_str!("problems.json")).unwrap_or_default());

/// The language that problems are worded in for whoever sent these headers.
pub fn language(headers: &HeaderMap) -> &'static str {
    LANGUAGES[best_match(accept_language(headers), &LANGUAGES)]
}

/// Gives every refused request its problem document.
pub async fn worded(request: Request, next: Next) -> Response {
    let language = language(request.headers());
    let mut response = next.run(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else {
        return response;
    };
    let headers = response.headers_mut();
    // What a layer between has said of the empty body does not hold for this one.
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = Body::from(document(refusal, language));
    response
}

/// The problem document of a refusal, as JSON.
pub fn document(refusal: Refusal, language: &str) -> String {
    let problem = Problem {
        kind: format!("/problems/{}", refusal.code.as_str()),
        title: title(refusal.code, language),
        status: refusal.code.status(),
        code: refusal.code,
        detail: refusal.detail,
        errors: refusal.errors,
        reasons: refusal.reasons,
        retry_after_s: refusal.retry_after_s,
    };
    // Plain strings and numbers always have a JSON form.
    serde_json::to_string(&problem).unwrap_or_default()
}

fn title(code: ProblemCode, language: &str) -> String {
    TITLES
        .get(code.as_str())
        .map(|titles| text(titles, language, LANGUAGES[0]))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_title_in_every_language() {
        for code in ProblemCode::ALL {
            for language in LANGUAGES {
                let title = TITLES.get(code.as_str()).and_then(|titles| titles.get(language));
                assert!(
                    title.is_some_and(|title| !title.is_empty()),
                    "{} in {language}",
                    code.as_str()
                );
            }
        }
        assert_eq!(TITLES.len(), ProblemCode::ALL.len());
    }
}
