//! The only code that knows HTTP: one file a resource, over one [`send`].
//!
//! Everything that can go wrong is one [`ApiError`], whose variants are the different things to show.

pub mod auth;
pub mod ledger;
pub mod programme;
pub mod quotes;
pub mod rewards;
pub mod status;

use gloo_net::http::{Request, RequestBuilder, Response};
use loyalty_contract::{BASE, Problem, ProblemCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::AbortSignal;

use crate::intl;

/// How long an answer may take, in milliseconds; longer than that is no answer.
const PATIENCE_MS: u32 = 20_000;

/// Why a call to the API did not give a value, in terms of what the customer can do about it.
///
/// It holds text, not `gloo_net::Error`, so that it can be kept and compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No answer at all: offline, DNS, TLS, a dropped connection, or too slow. Show what is remembered and a retry.
    #[error("the network did not answer: {0}")]
    Unreachable(String),
    /// The session is over. Screens do not handle this; `Session` does, once.
    #[error("signed out")]
    SignedOut,
    /// The server refused and said why. Translate `code`, never show `detail`.
    #[error("refused: {}", .0.detail)]
    Refused(Box<Problem>),
    /// The answer did not match the contract: a captive portal, our bug or a version skew. Offer to try again.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
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

/// A path below the API's base with its query, each value made safe.
fn url(path: &str, query: &impl Serialize) -> String {
    let mut url = format!("{BASE}{path}");
    let mut separator = '?';
    // A query is a flat object of texts and numbers, which any JSON value of ours is.
    if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(query) {
        for (name, value) in fields {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            url.push(separator);
            url.push_str(&name);
            url.push('=');
            url.push_str(&String::from(js_sys::encode_uri_component(&value)));
            separator = '&';
        }
    }
    url
}

async fn get<T: DeserializeOwned>(url: &str) -> Result<T, ApiError> {
    read(answer(Request::get(url), None).await?).await
}

async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, ApiError> {
    let body = serde_json::to_string(body).map_err(|e| ApiError::Unreadable(e.to_string()))?;
    read(answer(Request::post(&format!("{BASE}{path}")), Some(body)).await?).await
}

async fn delete(path: &str) -> Result<(), ApiError> {
    answer(Request::delete(&format!("{BASE}{path}")), None)
        .await
        .map(|_| ())
}

/// Sends a request and gives the answer if it is a good one.
async fn answer(request: RequestBuilder, body: Option<String>) -> Result<Response, ApiError> {
    let unreachable = |e: gloo_net::Error| ApiError::Unreachable(e.to_string());
    let patience = AbortSignal::timeout_with_u32(PATIENCE_MS);
    let request = request
        .abort_signal(Some(&patience))
        .header("accept-language", &intl::language());
    let sent = match body {
        Some(body) => {
            request
                .header("content-type", "application/json")
                .body(body)
                .map_err(unreachable)?
                .send()
                .await
        }
        None => request.send().await,
    };
    let response = sent.map_err(unreachable)?;
    if response.ok() {
        return Ok(response);
    }
    let text = response.text().await.map_err(unreachable)?;
    Err(match serde_json::from_str::<Problem>(&text) {
        Ok(problem) if problem.code == ProblemCode::SignedOut => ApiError::SignedOut,
        Ok(problem) => ApiError::Refused(Box::new(problem)),
        Err(_) => ApiError::Unreadable(format!("status {}", response.status())),
    })
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ApiError> {
    let text = response
        .text()
        .await
        .map_err(|e| ApiError::Unreachable(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| ApiError::Unreadable(e.to_string()))
}
