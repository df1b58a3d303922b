//! Who is asking: an opaque token in a cookie, of which the database has only the hash.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use chrono::TimeDelta;
use loyalty_contract::Instant;
use sqlx::{AnyConnection, FromRow};

use super::App;
use super::error::{Error, Result};
use super::sessions::device;
use crate::clock::millis;
use crate::token;
use crate::worker::attend;

/// For how long a session lasts after its last use on one's own phone, and on a borrowed one.
const LASTS: TimeDelta = TimeDelta::days(90);
const LASTS_BORROWED: TimeDelta = TimeDelta::minutes(30);

/// How often its last use is written down there.
const SEEN_EVERY: TimeDelta = TimeDelta::days(1);
const SEEN_EVERY_BORROWED: TimeDelta = TimeDelta::minutes(1);

/// A member's session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Opaque.
    pub id: String,
    /// Whose it is.
    pub member_id: String,
}

/// A session as its token finds it.
#[derive(FromRow)]
struct Found {
    id: String,
    member_id: String,
    seen_at: i64,
    remembered: i64,
    due_at: Option<i64>,
}

impl Session {
    /// Begins one on the device that sent these headers, and gives the cookie that carries it.
    pub async fn begin(
        db: &mut AnyConnection,
        app: &App,
        member_id: &str,
        remember: bool,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<HeaderValue> {
        let secret = token::secret()?;
        sqlx::query(
            "insert into sessions (id, token_hash, member_id, created_at, expires_at, seen_at, remembered, device)
             values ($1, $2, $3, $4, $5, $4, $6, $7)",
        )
        .bind(token::id()?)
        .bind(token::hash(&secret))
        .bind(member_id)
        .bind(millis(now))
        .bind(millis(now + lasts(remember)))
        .bind(i64::from(remember))
        .bind(device(headers))
        .execute(db)
        .await?;
        cookie(app, cookie_name(app), &secret, remember.then_some(LASTS))
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

    /// The session that the cookie says, and the cookie anew where it lasts longer by this use.
    async fn of(headers: &HeaderMap, app: &App) -> Result<Option<(Self, Option<HeaderValue>)>> {
        let Some(secret) = token_of(app, headers) else {
            return Ok(None);
        };
        let now = app.clock.now();
        let found: Option<Found> = sqlx::query_as(
            "select s.id, s.member_id, s.seen_at, s.remembered, m.due_at
             from sessions s join members m on m.id = s.member_id
             where s.token_hash = $1 and s.expires_at > $2 and m.state <> 'left'",
        )
        .bind(token::hash(secret))
        .bind(millis(now))
        .fetch_optional(&app.db.pool)
        .await?;
        let Some(found) = found else {
            return Ok(None);
        };
        let mut renewed = None;
        let is_remembered = found.remembered != 0;
        if found.seen_at < millis(now - seen_every(is_remembered)) {
            let mut tx = app.db.begin_write().await?;
            sqlx::query("update sessions set seen_at = $1, expires_at = $2 where id = $3 and seen_at < $1")
                .bind(millis(now))
                .bind(millis(now + lasts(is_remembered)))
                .bind(&found.id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            if is_remembered {
                renewed = Some(cookie(app, cookie_name(app), secret, Some(LASTS))?);
            }
        }
        // Whoever asks sees what time has brought, whether or not the worker has come to it yet.
        if found.due_at.is_some_and(|due_at| due_at <= millis(now)) {
            attend(&app.db, &*app.shop().await?, &found.member_id, now).await?;
        }
        let session = Self {
            id: found.id,
            member_id: found.member_id,
        };
        Ok(Some((session, renewed)))
    }

    async fn read(parts: &Parts, app: &App) -> Result<Option<Self>> {
        let Some((session, renewed)) = Self::of(&parts.headers, app).await? else {
            return Ok(None);
        };
        if let (Some(cookie), Some(place)) = (renewed, parts.extensions.get::<Renewed>()) {
            *place.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
        }
        Ok(Some(session))
    }
}

/// Locks a member who writes, and gives their number. Whoever has left meanwhile is signed out.
///
/// # Errors
/// 401, or where the database does not answer.
pub async fn lock(tx: &mut AnyConnection, member_id: &str) -> Result<String> {
    let number: Option<(String,)> =
        sqlx::query_as("update members set version = version + 1 where id = $1 and state <> 'left' returning number")
            .bind(member_id)
            .fetch_optional(tx)
            .await?;
    number.map(|(number,)| number).ok_or_else(Error::signed_out)
}

fn lasts(is_remembered: bool) -> TimeDelta {
    if is_remembered { LASTS } else { LASTS_BORROWED }
}

fn seen_every(is_remembered: bool) -> TimeDelta {
    if is_remembered { SEEN_EVERY } else { SEEN_EVERY_BORROWED }
}

/// The cookie that is to go back with an answer, since its session lasts longer now.
#[derive(Clone, Debug, Default)]
struct Renewed(Arc<Mutex<Option<HeaderValue>>>);

/// Sends the cookie of a session anew where it lasts longer by this request, unless the answer brings one already.
pub async fn renewed(mut request: Request, next: Next) -> Response {
    let renewed = Renewed::default();
    request.extensions_mut().insert(renewed.clone());
    let mut response = next.run(request).await;
    let cookie = renewed.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(cookie) = cookie.filter(|_| !response.headers().contains_key(header::SET_COOKIE)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
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
        Self::read(parts, app).await?.ok_or_else(Error::signed_out)
    }
}

impl OptionalFromRequestParts<Arc<App>> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Option<Self>> {
        Self::read(parts, app).await
    }
}
