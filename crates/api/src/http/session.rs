//! Who is asking: an opaque token in a cookie, of which the database has only the hash.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use chrono::TimeDelta;
use loyalty_contract::Instant;
use sqlx::AnyConnection;

use super::App;
use super::error::{Error, Result};
use crate::clock::millis;
use crate::token;
use crate::worker::attend;

/// For how long a session lasts on one's own phone.
const LASTS: TimeDelta = TimeDelta::days(180);

/// A member's session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Opaque.
    pub id: String,
    /// Whose it is.
    pub member_id: String,
}

impl Session {
    /// Begins one, and gives the cookie that carries it.
    pub async fn begin(db: &mut AnyConnection, app: &App, member_id: &str, now: Instant) -> Result<HeaderValue> {
        let secret = token::secret()?;
        sqlx::query(
            "insert into sessions (id, token_hash, member_id, created_at, expires_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(token::id()?)
        .bind(token::hash(&secret))
        .bind(member_id)
        .bind(millis(now))
        .bind(millis(now + LASTS))
        .execute(db)
        .await?;
        cookie(app, cookie_name(app), &secret, Some(LASTS))
    }

    /// Whose idempotency keys these are: the member's, on whatever device.
    pub fn scope(&self) -> String {
        format!("member:{}", self.member_id)
    }

    /// Ends it.
    pub async fn delete(self, db: &mut AnyConnection) -> Result<()> {
        sqlx::query("delete from sessions where id = $1")
            .bind(self.id)
            .execute(db)
            .await?;
        Ok(())
    }

    /// The cookie that clears the browser's.
    pub fn cleared(app: &App) -> Result<HeaderValue> {
        cookie(app, cookie_name(app), "", Some(TimeDelta::zero()))
    }

    async fn of(headers: &HeaderMap, app: &App) -> Result<Option<Self>> {
        let Some(secret) = token_of(app, headers) else {
            return Ok(None);
        };
        let now = app.clock.now();
        let found: Option<(String, String, Option<i64>)> = sqlx::query_as(
            "select s.id, s.member_id, m.due_at from sessions s join members m on m.id = s.member_id
             where s.token_hash = $1 and s.expires_at > $2",
        )
        .bind(token::hash(secret))
        .bind(millis(now))
        .fetch_optional(&app.db.pool)
        .await?;
        let Some((id, member_id, due_at)) = found else {
            return Ok(None);
        };
        // Whoever asks sees what time has brought, whether or not the worker has come to it yet.
        if due_at.is_some_and(|due_at| due_at <= millis(now)) {
            attend(&app.db, &*app.shop().await?, &member_id, now).await?;
        }
        Ok(Some(Self { id, member_id }))
    }
}

/// A cookie that no script reads and no other site sends; without `lasts` it ends with the browser.
pub fn cookie(app: &App, name: &str, value: &str, lasts: Option<TimeDelta>) -> Result<HeaderValue> {
    let max_age = lasts.map_or_else(String::new, |lasts| format!("; Max-Age={}", lasts.num_seconds()));
    let secure = if app.is_secure() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/{max_age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).map_err(Error::internal)
}

/// Over https the browser itself guarantees that no other host set the cookie.
fn cookie_name(app: &App) -> &'static str {
    if app.is_secure() {
        "__Host-loyalty_session"
    } else {
        "loyalty_session"
    }
}

/// The session's token, as the browser sent it.
pub fn token_of<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie_value(headers, cookie_name(app))
}

/// The value of a cookie, as the browser sent it.
pub fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then_some(value))
}

impl FromRequestParts<Arc<App>> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        Self::of(&parts.headers, app).await?.ok_or_else(Error::signed_out)
    }
}

impl OptionalFromRequestParts<Arc<App>> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Option<Self>> {
        Self::of(&parts.headers, app).await
    }
}
