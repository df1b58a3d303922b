//! One attempt to deliver one event, and what came of it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use chrono::TimeDelta;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use loyalty_contract::Instant;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::signature::Secret;

/// For how long a receiver may take to answer.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// What is read of an answer, so that its connection can be used again: beyond this it is closed instead.
const READ_BYTES: usize = 1024;

/// An event on its way to a webhook.
#[derive(Debug)]
pub struct Message {
    /// Where to.
    pub url: Arc<str>,
    /// Receivers know an event by it that they were sent before.
    pub event_id: String,
    /// JSON.
    pub body: String,
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// The receiver took it.
    Delivered(String),
    /// The receiver wants no more, ever.
    Gone,
    /// It is to be tried again, not sooner than the receiver asked for.
    Failed(String, TimeDelta),
}

/// Sends; clones share connections. It follows no redirect, and reads next to nothing of what is answered.
#[derive(Clone, Debug)]
pub struct Client(legacy::Client<HttpsConnector<HttpConnector>, Body>);

impl Client {
    /// Trusts whom the machine trusts.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new() -> Result<Self, rustls::Error> {
        let builder = || {
            ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
        };
        let config = builder()?.with_native_roots().or_else(|error| {
            tracing::warn!(%error, "this machine trusts no certificate, so no event can be sent over https");
            Ok::<_, rustls::Error>(builder()?.with_root_certificates(RootCertStore::empty()))
        })?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self(
            legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(TIMEOUT)
                .build(connector),
        ))
    }

    /// Sends it, signed as of `now`.
    pub async fn send(&self, message: &Message, secret: &Secret, now: Instant) -> Outcome {
        let request = Request::post(&*message.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("loyalty-api/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &message.event_id)
            .header("webhook-timestamp", now.timestamp())
            .header("webhook-signature", secret.sign(&message.event_id, now, &message.body))
            .body(Body::from(message.body.clone()));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Outcome::Failed(error.to_string(), TimeDelta::zero()),
        };
        match tokio::time::timeout(TIMEOUT, self.0.request(request)).await {
            Ok(Ok(answer)) => {
                let outcome = judge(answer.status(), answer.headers());
                // Whatever the rest is, it changes nothing.
                let rest = to_bytes(Body::new(answer.into_body()), READ_BYTES);
                let _ = tokio::time::timeout(Duration::from_secs(1), rest).await;
                outcome
            }
            Ok(Err(error)) => Outcome::Failed(cause(&error), TimeDelta::zero()),
            Err(_) => Outcome::Failed(
                format!("no answer within {} seconds", TIMEOUT.as_secs()),
                TimeDelta::zero(),
            ),
        }
    }
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Outcome {
    if status.is_success() {
        Outcome::Delivered(status.to_string())
    } else if status == StatusCode::GONE {
        Outcome::Gone
    } else {
        Outcome::Failed(status.to_string(), retry_after(headers))
    }
}

/// For how long the receiver asked to be left alone, a day at most. The date that it may be instead is not understood.
fn retry_after(headers: &HeaderMap) -> TimeDelta {
    const MOST_SECONDS: i64 = 24 * 60 * 60;
    let said = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    TimeDelta::seconds(said.unwrap_or(0).clamp(0, MOST_SECONDS))
}

/// The innermost cause: "Connection refused", where the outermost says no more than that there was no connection.
fn cause(error: &(dyn Error + 'static)) -> String {
    const MOST_CHARACTERS: usize = 200;
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let told = innermost.to_string();
    told.chars()
        .filter(|letter| !letter.is_control())
        .take(MOST_CHARACTERS)
        .collect()
}
