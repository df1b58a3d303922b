//! The only code that knows HTTP: one file a resource, over one [`send`].
//!
//! Everything that can go wrong is one [`ApiError`], whose variants are the different things to show.

pub mod auth;
pub mod cards;
pub mod claims;
pub mod code_keys;
pub mod events;
pub mod ledger;
mod network;
pub mod profile;
pub mod programme;
pub mod quotes;
mod read;
pub mod redemptions;
pub mod reports;
pub mod rewards;
pub mod statement;
pub mod status;

use gloo_net::http::{Method, RequestBuilder};
use js_sys::Promise;
use loyalty_contract::{BASE, Instant, Problem, ProblemCode};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestCache, RequestCredentials, RequestRedirect};

use self::read::{Read, field};
use crate::browser::document;
use crate::intl;

/// How long an answer may take, in milliseconds; longer than that is no answer. So in `public/network.js`.
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
    /// The network answered in the server's place, as those do that want somebody to sign in first.
    Portal,
    /// Something before the server answered that it does not reach it.
    Gateway,
    /// The answer did not match the contract: it broke on its way, our bug or a version skew. Offer to try again.
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

/// Where something is that the browser gets by itself, such as a file to download.
fn address_of(path: &str, query: &[(&str, Option<&str>)]) -> String {
    document::from_api(&url(path, query))
}

/// A text as a part of an address.
fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Where a value is to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The server says it now.
    Ask,
    /// As it was kept of an earlier answer, if it was.
    Recall,
}

/// A value, and when it was so by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<T> {
    /// What the server said.
    pub value: T,
    /// When it said so.
    pub as_of: Instant,
}

impl<T> Known<T> {
    /// Something of the value, which is as old.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Known<U> {
        Known {
            value: of(self.value),
            as_of: self.as_of,
        }
    }
}

/// The server's time, as far as this device knows it: its own clock may be wrong.
pub fn server_now() -> Instant {
    Instant::from_timestamp_millis(network::now() as i64).unwrap_or_default()
}

/// Why the server cannot be used now, as far as the last answer said.
pub fn trouble() -> Option<ApiError> {
    trouble_of(network::trouble())
}

/// What `public/network.js` means by a number.
fn trouble_of(number: u32) -> Option<ApiError> {
    match number {
        0 => None,
        2 => Some(ApiError::Portal),
        3 => Some(ApiError::Gateway),
        4 => Some(ApiError::Unreadable),
        _ => Some(ApiError::Unreachable),
    }
}

/// Forgets every answer that was kept.
pub fn forget_kept() {
    network::forget();
}

async fn get<T: Read>(way: Way, path: &str) -> Result<Known<T>, ApiError> {
    get_as(&intl::language(), way, path, |answer| field(answer, "value")).await
}

/// Like [`get`], in any language, where more than the value of an answer may be read.
async fn get_as<T>(
    language: &str,
    way: Way,
    path: &str,
    read: fn(&JsValue) -> Option<T>,
) -> Result<Known<T>, ApiError> {
    let answer = match way {
        Way::Ask => ask(language, Method::GET, path, ("", ""), None).await?,
        Way::Recall => taken(network::recall(path, language)).await?,
    };
    let value = read(&answer).ok_or(ApiError::Unreadable)?;
    if way == Way::Ask {
        network::keep(&answer);
    }
    let as_of = field::<i64>(&answer, "at").and_then(Instant::from_timestamp_millis);
    Ok(Known {
        value,
        as_of: as_of.unwrap_or_default(),
    })
}

async fn post<T: Read>(path: &str, body: &impl Serialize) -> Result<T, ApiError> {
    read(&send(Method::POST, path, ("", ""), written(body)).await?)
}

/// Posts what is to happen once, however often the same key is sent.
async fn post_once<T: Read>(path: &str, key: &str, body: &impl Serialize) -> Result<T, ApiError> {
    read(&send(Method::POST, path, ("idempotency-key", key), written(body)).await?)
}

/// A body as JSON.
fn written(body: &impl Serialize) -> Option<String> {
    // A body of the contract is plain objects, texts and numbers, all of which JavaScript has.
    let body = body.serialize(&Serializer::json_compatible()).unwrap_or_default();
    js_sys::JSON::stringify(&body).ok().map(String::from)
}

async fn delete(path: &str) -> Result<(), ApiError> {
    send(Method::DELETE, path, ("", ""), None).await.map(|_| ())
}

/// The value of an answer.
fn read<T: Read>(answer: &JsValue) -> Result<T, ApiError> {
    field(answer, "value").ok_or(ApiError::Unreadable)
}

/// Sends a request to a path below the API's base, and gives the answer if it is a good one.
async fn send(
    method: Method,
    path: &str,
    (header, value): (&str, &str),
    body: Option<String>,
) -> Result<JsValue, ApiError> {
    let path = url(path, &[]);
    ask(&intl::language(), method, &path, (header, value), body).await
}

/// Sends a request, unless `public/boot.js` did already.
async fn ask(
    language: &str,
    method: Method,
    path: &str,
    (header, value): (&str, &str),
    body: Option<String>,
) -> Result<JsValue, ApiError> {
    if method == Method::GET
        && let Some(early) = network::take(path, language)
    {
        return taken(early).await;
    }
    let patience = AbortSignal::timeout_with_u32(PATIENCE_MS);
    // Other files lie beside the page.
    let address = if path.starts_with(BASE) {
        document::from_api(path)
    } else {
        path.to_owned()
    };
    let mut request = RequestBuilder::new(&address)
        .method(method)
        .credentials(RequestCredentials::Include)
        .abort_signal(Some(&patience))
        .cache(RequestCache::NoCache)
        .redirect(RequestRedirect::Manual)
        .header("accept-language", language);
    if !header.is_empty() {
        request = request.header(header, value);
    }
    let asked = network::ask(path, language);
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body),
        None => request.build(),
    };
    let response = match request {
        Ok(request) => request.send().await.ok().map(Into::into),
        Err(_) => None,
    };
    taken(network::answered(&asked, response)).await
}

/// The answer that `public/network.js` promised, if it is a good one.
async fn taken(promise: Promise) -> Result<JsValue, ApiError> {
    let answer = JsFuture::from(promise).await.unwrap_or_default();
    if let Some(trouble) = trouble_of(field(&answer, "trouble").unwrap_or(1)) {
        return Err(trouble);
    }
    if field::<u16>(&answer, "status").is_none_or(|status| status < 300) {
        return Ok(answer);
    }
    Err(match field::<Problem>(&answer, "value") {
        Some(problem) if problem.code == ProblemCode::SignedOut => ApiError::SignedOut,
        Some(problem) => ApiError::Refused(Box::new(problem)),
        None => ApiError::Unreadable,
    })
}
