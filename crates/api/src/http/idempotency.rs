//! `Idempotency-Key`: the same request again gets the first answer, and happens once.
//!
//! [`begin`] gives either that answer or a transaction. The key's row is its first write, so whoever else comes with
//! the key waits for it; the answer is stored in the same transaction as its effect.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use loyalty_contract::{Instant, ProblemCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Any, AnyConnection, Transaction};

use super::App;
use super::answer::accept_language;
use super::error::{Error, Refusal, Result};
use super::extract::{is_json, read, read_json};
use super::problems;
use crate::clock::millis;
use crate::db::is_busy;
use crate::token;

/// The header that the key comes in.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is the one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A request with its key, and with a body that was read strictly.
#[derive(Debug)]
pub struct Keyed<T> {
    key: String,
    /// Of method, path and body.
    fingerprint: String,
    /// For a problem document.
    language: &'static str,
    /// What the caller wrote about languages.
    pub accept_language: Option<String>,
    /// What is asked for.
    pub body: T,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Keyed<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let key = request.headers().get(KEY).and_then(|value| value.to_str().ok());
        let key = key.filter(|key| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
        let key = key.map(str::to_owned).ok_or_else(|| {
            let detail = "what moves points needs an Idempotency-Key of 1 to 255 visible ASCII characters";
            Error::refuse(ProblemCode::IdempotencyKeyMissing, detail)
        })?;
        let language = problems::language(request.headers());
        let accept_language = accept_language(request.headers()).map(str::to_owned);
        let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
        let place = format!("{} {}", request.method(), request.uri());
        let content = read(request).await?;
        let body = if content.is_empty() {
            // Where nothing has to be said, nothing is the same as an empty object.
            read_json(b"{}")?
        } else if is_json(content_type.as_ref().and_then(|value| value.to_str().ok())) {
            read_json(&content)?
        } else {
            return Err(Error::refuse(
                ProblemCode::UnsupportedMediaType,
                "send the body as application/json",
            ));
        };
        let mut whole = place.into_bytes();
        whole.push(b'\n');
        whole.extend_from_slice(&content);
        Ok(Self {
            key,
            fingerprint: token::hash(whole),
            language,
            accept_language,
            body,
        })
    }
}

impl<T> Keyed<T> {
    /// A refusal that is an answer like any other: what was done in the transaction stays.
    pub fn refused(&self, code: ProblemCode, detail: &str) -> Answer {
        Answer::refused(Refusal::new(code, detail), self.language)
    }
}

/// What is answered, in a form that can be stored.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    language: Option<String>,
    body: String,
}

impl Answer {
    /// JSON in a language, if it has texts.
    ///
    /// # Errors
    /// [`Error`] where it cannot be written.
    pub fn made(status: StatusCode, language: Option<&str>, body: &impl Serialize) -> Result<Self> {
        Ok(Self {
            status,
            language: language.map(str::to_owned),
            body: serde_json::to_string(body)?,
        })
    }

    /// A body that was written before.
    pub fn again(status: StatusCode, body: String) -> Self {
        Self {
            status,
            language: None,
            body,
        }
    }

    fn refused(refusal: Refusal, language: &'static str) -> Self {
        Self {
            status: StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::CONFLICT),
            language: Some(language.to_owned()),
            body: problems::document(refusal, language),
        }
    }

    fn into_response(self) -> Result<Response> {
        let content_type = if self.status.is_success() {
            "application/json"
        } else {
            "application/problem+json"
        };
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(language) = self.language {
            let language = HeaderValue::try_from(language).map_err(Error::internal)?;
            headers.insert(header::CONTENT_LANGUAGE, language);
        }
        Ok(response)
    }
}

/// Keys whose requests this process is answering. Only a courtesy, so that the second of two at once is told so
/// at once: what makes it happen once is the key's row.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<HashSet<(String, String)>>);

impl InFlight {
    fn enter(&self, scope: &str, key: &str) -> Option<Flight<'_>> {
        let entry = (scope.to_owned(), key.to_owned());
        // A poisoned lock still guards a whole set.
        let mut flying = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only where it has entered, since its end is what leaves, and locks again.
        flying.insert(entry.clone()).then(|| Flight { all: self, entry })
    }
}

/// One request under way; it ends when this is dropped, however that comes about.
#[derive(Debug)]
struct Flight<'a> {
    all: &'a InFlight,
    entry: (String, String),
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut flying = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        flying.remove(&self.entry);
    }
}

/// What became of a request with a key.
pub enum Begun<'a> {
    /// It was answered before.
    Answered(Response),
    /// It is to be done now.
    New(Pending<'a>),
}

/// A request that is being done.
pub struct Pending<'a> {
    app: &'a App,
    /// Everything that it does happens in here.
    pub tx: Transaction<'static, Any>,
    /// When it is done.
    pub now: Instant,
    scope: String,
    key: String,
    fingerprint: String,
    language: &'static str,
    _flight: Flight<'a>,
}

/// Begins to do what was asked for, unless it was done before.
///
/// # Errors
/// 409 while the first is still running, 422 where the key was used for something else.
pub async fn begin<'a, T>(app: &'a App, scope: String, request: &Keyed<T>) -> Result<Begun<'a>> {
    let flight = app.in_flight.enter(&scope, &request.key).ok_or_else(in_use)?;
    let mut tx = app.db.begin_write().await?;
    let now = app.clock.now();
    if claim(&mut tx, &scope, &request.key, &request.fingerprint, now).await? {
        return Ok(Begun::New(Pending {
            app,
            tx,
            now,
            scope,
            key: request.key.clone(),
            fingerprint: request.fingerprint.clone(),
            language: request.language,
            _flight: flight,
        }));
    }
    let response = replay(&mut tx, &scope, &request.key, &request.fingerprint).await?;
    tx.rollback().await?;
    Ok(Begun::Answered(response))
}

impl Pending<'_> {
    /// Stores what came of it and commits, or undoes everything.
    ///
    /// A refusal that was decided here is stored too, since the same request must not succeed later; one for who the
    /// caller is, for how often they asked or for a field is not.
    ///
    /// # Errors
    /// The refusal that is not stored, or where the database does not answer.
    pub async fn finish(mut self, outcome: Result<Answer>) -> Result<Response> {
        match outcome {
            Ok(answer) => {
                self.store(&answer).await?;
                self.tx.commit().await?;
                answer.into_response()
            }
            Err(Error::Refused(refusal)) if is_stored(refusal.code) => {
                self.tx.rollback().await?;
                self.tx = self.app.db.begin_write().await?;
                if claim(&mut self.tx, &self.scope, &self.key, &self.fingerprint, self.now).await? {
                    let answer = Answer::refused(*refusal, self.language);
                    self.store(&answer).await?;
                    self.tx.commit().await?;
                    answer.into_response()
                } else {
                    // Another process was asked the same between the two, and its answer is the first.
                    replay(&mut self.tx, &self.scope, &self.key, &self.fingerprint).await
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn store(&mut self, answer: &Answer) -> Result<()> {
        sqlx::query("update idempotency set status = $1, language = $2, body = $3 where scope = $4 and key = $5")
            .bind(i64::from(answer.status.as_u16()))
            .bind(&answer.language)
            .bind(&answer.body)
            .bind(&self.scope)
            .bind(&self.key)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

/// Writes the key's row; `false` where there is one already.
async fn claim(tx: &mut AnyConnection, scope: &str, key: &str, fingerprint: &str, now: Instant) -> Result<bool> {
    let claimed = sqlx::query(
        "insert into idempotency (scope, key, fingerprint, created_at) values ($1, $2, $3, $4)
         on conflict (scope, key) do nothing",
    )
    .bind(scope)
    .bind(key)
    .bind(fingerprint)
    .bind(millis(now))
    .execute(tx)
    .await;
    match claimed {
        Ok(done) => Ok(done.rows_affected() > 0),
        // Another process is still at it.
        Err(error) if is_busy(&error) => Err(in_use()),
        Err(error) => Err(error.into()),
    }
}

/// The first answer again, if this is the same request.
async fn replay(tx: &mut AnyConnection, scope: &str, key: &str, fingerprint: &str) -> Result<Response> {
    let (first, status, language, body): (String, i64, Option<String>, String) =
        sqlx::query_as("select fingerprint, status, language, body from idempotency where scope = $1 and key = $2")
            .bind(scope)
            .bind(key)
            .fetch_one(tx)
            .await?;
    if first != fingerprint {
        let detail = "the key was used for another request";
        return Err(Error::refuse(ProblemCode::IdempotencyKeyReused, detail));
    }
    let status = u16::try_from(status)
        .ok()
        .and_then(|code| StatusCode::from_u16(code).ok());
    let answer = Answer {
        status: status.unwrap_or(StatusCode::OK),
        language,
        body,
    };
    let mut response = answer.into_response()?;
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn in_use() -> Error {
    let detail = "the first request with this key is still being worked on";
    Error::wait(ProblemCode::IdempotencyKeyInUse, detail, 1)
}

/// Whether a refusal is an answer to the request, and not to who sent it, how often, or in what form.
fn is_stored(code: ProblemCode) -> bool {
    matches!(code.status(), 404 | 409 | 422) && code != ProblemCode::InvalidFields
}
