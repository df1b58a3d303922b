//! Answers with a body: JSON in a language, with what a browser needs to keep and to ask again for it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::error::Result;
use crate::token;

/// What the caller wrote about languages.
pub fn accept_language(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
}

/// What the caller asked for, in a language that its address names: a link to a file sends no header of its own.
pub fn asking_in(language: Option<&str>, mut asked: HeaderMap) -> Result<HeaderMap> {
    if let Some(language) = language {
        let language =
            HeaderValue::from_str(language).map_err(|_| super::Error::field("language", "this is no language"))?;
        asked.insert(header::ACCEPT_LANGUAGE, language);
    }
    Ok(asked)
}

/// JSON for one person: kept by nobody else, and asked for anew each time, which is cheap while nothing has changed.
///
/// `as_of`, the one field that changes by itself, does not count as a change.
pub fn private(asked: &HeaderMap, language: &str, body: &impl Serialize) -> Result<Response> {
    let text = serde_json::to_string(body)?;
    let etag = token::etag(&format!("{language} {}", lasting(&text)));
    let mut response = unless_known(asked, &etag, text)?;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Accept-Language"));
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_str(language).map_err(super::Error::internal)?,
    );
    Ok(response)
}

/// The text without the field `as_of`, with which a document begins that has one.
fn lasting(text: &str) -> &str {
    let rest = text.strip_prefix("{\"as_of\":\"");
    rest.and_then(|rest| rest.split_once('"'))
        .map_or(text, |(_, rest)| rest)
}

/// JSON without texts for one person, known by an `ETag` of its own.
pub fn private_data(asked: &HeaderMap, etag: &str, text: String) -> Result<Response> {
    let mut response = unless_known(asked, etag, text)?;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie"));
    Ok(response)
}

/// JSON that was just made, which no cache is to keep.
pub fn made(status: StatusCode, body: &impl Serialize) -> Result<Response> {
    let mut response = Response::new(Body::from(serde_json::to_vec(body)?));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The JSON text, or 304 where the caller has it already.
pub fn unless_known(asked: &HeaderMap, etag: &str, text: String) -> Result<Response> {
    let is_known = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || known.trim().trim_start_matches("W/") == etag.trim_start_matches("W/"));
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(text) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response.headers_mut().insert(
        header::ETAG,
        HeaderValue::from_str(etag).map_err(super::Error::internal)?,
    );
    Ok(response)
}
