//! The only code that knows HTTP: one file a resource, over one [`send`].
//!
//! Everything that can go wrong is one [`ApiError`], whose variants are the different things to show.

pub mod auth;
pub mod cards;
pub mod claims;
pub mod code_keys;
pub mod events;
pub mod ledger;
pub mod profile;
pub mod programme;
pub mod quotes;
mod read;
pub mod redemptions;
pub mod reports;
pub mod rewards;
pub mod statement;
pub mod status;

use gloo_net::http::{Request, RequestBuilder};
use loyalty_contract::{BASE, Problem, ProblemCode};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use web_sys::AbortSignal;

use self::read::Read;
use crate::intl;

/// How long an answer may take, in milliseconds; longer than that is no answer.
const PATIENCE_MS: u32 = 20_000;

/// How many entries of a list come at once.
pub const PAGE: &str = "50";

/// Why a call to the API did not give a value, in terms of what the customer can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// No answer at all: offline, DNS, TLS, a dropped connection, or too slow. Show what is remembered and a retry.
    Unreachable,
    /// The session is over. Screens do not handle this; `Session` does, once.
    SignedOut,
    /// The server refused and said why. Translate `code`, never show `detail`.
    Refused(Box<Problem>),
    /// The answer did not match the contract: a captive portal, our bug or a version skew. Offer to try again.
    Unreadable,
}

impl ApiError {
    /// The problem's code, where the server refused.
    pub fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }
}

/// A path below the API's base, with the query parameters that have a value, each made safe.
fn url(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut url = BASE.to_owned() + path;
    let mut separator = '?';
    for (name, value) in query {
        if let Some(value) = value {
            url.push(separator);
            url.push_str(name);
            url.push('=');
            url.push_str(&encoded(value));
            separator = '&';
        }
    }
    url
}

/// A text as a part of an address.
fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

async fn get<T: Read>(url: &str) -> Result<T, ApiError> {
    parsed(&send(Request::get(url), None).await?)
}

async fn post<T: Read>(path: &str, body: &impl Serialize) -> Result<T, ApiError> {
    parsed(&send(Request::post(&url(path, &[])), written(body)).await?)
}

/// Posts what is to happen once, however often the same key is sent.
async fn post_once<T: Read>(path: &str, key: &str, body: &impl Serialize) -> Result<T, ApiError> {
    let request = Request::post(&url(path, &[])).header("idempotency-key", key);
    parsed(&send(request, written(body)).await?)
}

/// A body as JSON.
fn written(body: &impl Serialize) -> Option<String> {
    // A body of the contract is plain objects, texts and numbers, all of which JavaScript has.
    let body = body.serialize(&Serializer::json_compatible()).unwrap_or_default();
    js_sys::JSON::stringify(&body).ok().map(String::from)
}

async fn delete(path: &str) -> Result<(), ApiError> {
    send(Request::delete(&url(path, &[])), None).await.map(|_| ())
}

fn parsed<T: Read>(text: &str) -> Result<T, ApiError> {
    read::json(text).ok_or(ApiError::Unreadable)
}

/// Sends a request and gives the answer's text if it is a good one.
async fn send(request: RequestBuilder, body: Option<String>) -> Result<String, ApiError> {
    exchange(request, body).await.map(|(text, _)| text)
}

/// Like [`send`]; gives what the server calls this state of the thing as well.
async fn exchange(request: RequestBuilder, body: Option<String>) -> Result<(String, String), ApiError> {
    let unreachable = |_: gloo_net::Error| ApiError::Unreachable;
    let patience = AbortSignal::timeout_with_u32(PATIENCE_MS);
    let request = request
        .abort_signal(Some(&patience))
        .header("accept-language", &intl::language());
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body),
        None => request.build(),
    };
    let response = request.map_err(unreachable)?.send().await.map_err(unreachable)?;
    let text = response.text().await.map_err(unreachable)?;
    if response.ok() {
        return Ok((text, response.headers().get("etag").unwrap_or_default()));
    }
    Err(match read::json::<Problem>(&text) {
        Some(problem) if problem.code == ProblemCode::SignedOut => ApiError::SignedOut,
        Some(problem) => ApiError::Refused(Box::new(problem)),
        None => ApiError::Unreadable,
    })
}
