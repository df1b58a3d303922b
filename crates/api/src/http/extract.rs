//! What comes with a request, read strictly: whatever is wrong with it is said by a problem document.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use loyalty_contract::{Money, ProblemCode};
use serde::de::DeserializeOwned;

use super::error::{Error, Result};
use crate::shop::Shop;

/// The most that a request's body can have.
const MOST_BYTES: usize = 64 * 1024;

/// A JSON body without unknown fields.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if !is_json(
            request
                .headers()
                .get(header::CONTENT_TYPE)
                .and_then(|value| value.to_str().ok()),
        ) {
            return Err(Error::refuse(
                ProblemCode::UnsupportedMediaType,
                "send the body as application/json",
            ));
        }
        read_json(&read(request).await?).map(Self)
    }
}

/// A JSON text without unknown fields.
pub fn read_json<T: DeserializeOwned>(content: &[u8]) -> Result<T> {
    // Twice, since only a value that is JSON at all can have a wrong field.
    let value: serde_json::Value = serde_json::from_slice(content)
        .map_err(|error| Error::refuse(ProblemCode::MalformedBody, format!("the body is not JSON: {error}")))?;
    serde_path_to_error::deserialize(value)
        .map_err(|error| Error::field(pointer(error.path()), error.inner().to_string()))
}

/// A request's body, as far as one may be long.
pub async fn read(request: Request) -> Result<Bytes> {
    let too_large = || Error::refuse(ProblemCode::BodyTooLarge, "a body has 64 KiB at most");
    let said = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if said.is_some_and(|length: u64| length > MOST_BYTES as u64) {
        return Err(too_large());
    }
    to_bytes(request.into_body(), MOST_BYTES).await.map_err(|error| {
        // The limit and a broken connection come as one type; nobody reads the answer to the second.
        tracing::debug!(%error, "a body was not read");
        too_large()
    })
}

/// Whether a body says that it is JSON.
pub fn is_json(content_type: Option<&str>) -> bool {
    let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { variant } => Some(format!("/{variant}")),
            Segment::Unknown => None,
        })
        .collect()
}

/// What a path names.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(named)) => Ok(Self(named)),
            Err(error) if error.status().is_client_error() => {
                Err(Error::refuse(ProblemCode::MalformedQuery, error.body_text()))
            }
            Err(error) => Err(Error::internal(error)),
        }
    }
}

/// A query string without unknown parameters.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        check_utf8(query)?;
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| {
            let name = pointer(error.path()).trim_start_matches('/').to_owned();
            Error::field(name, error.inner().to_string())
        })
    }
}

/// Refuses what is no UTF-8 once decoded, which would otherwise be read as something else.
fn check_utf8(query: &str) -> Result<()> {
    let mut decoded = Vec::with_capacity(query.len());
    let mut bytes = query.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut rest = bytes.clone();
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            if let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                bytes = rest;
                continue;
            }
        }
        decoded.push(byte);
    }
    let text = String::from_utf8(decoded);
    text.map(|_| ())
        .map_err(|_| Error::refuse(ProblemCode::MalformedQuery, "the query is not UTF-8"))
}

/// Refuses what is no text of one line: empty, too long, or with control characters, which PostgreSQL may not even
/// store.
///
/// # Errors
/// 422.
pub fn check_text(pointer: &str, text: &str, most: usize) -> Result<()> {
    let is_plain = !text.trim().is_empty() && !text.chars().any(char::is_control);
    if is_plain && text.chars().count() <= most {
        Ok(())
    } else {
        Err(Error::field(
            pointer,
            format!("this is 1 to {most} characters on one line"),
        ))
    }
}

/// The most minor units that anything costs here: far above any purchase, far below what sums of them can hold.
pub const MOST_MINOR: i64 = 1_000_000_000_000_000;

/// Refuses money in another currency than the programme's, below zero, or beyond reckoning.
///
/// # Errors
/// 422.
pub fn check_money(shop: &Shop, pointer: &str, money: Money) -> Result<()> {
    if money.currency != shop.file.currency {
        let detail = format!("this programme reckons in {}", shop.file.currency);
        return Err(Error::field(format!("{pointer}/currency"), detail));
    }
    if !(0..=MOST_MINOR).contains(&money.minor) {
        let detail = "this is below zero, or more than can be reckoned with";
        return Err(Error::field(format!("{pointer}/minor"), detail));
    }
    Ok(())
}
