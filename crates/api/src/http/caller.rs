//! Who is asking at the counter: staff with a session in a cookie, or a till or CRM with a key.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chrono::TimeDelta;
use loyalty_contract::ProblemCode;
use loyalty_contract::counter::StaffRole;
use sqlx::FromRow;

use super::App;
use super::error::{Error, Result};
use super::session::cookie_value;
use crate::clock::millis;
use crate::keys::Scope;
use crate::token;

/// A staff session ends so long after its last request.
pub const IDLE: TimeDelta = TimeDelta::minutes(15);

/// How often a session's last request is written down.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Somebody at the counter, or a program that speaks for it.
#[derive(Clone, Debug)]
pub enum Counter {
    /// A person.
    Staff(Staff),
    /// A till or a CRM.
    Key(Key),
}

/// Somebody of the staff.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Opaque.
    pub id: String,
    /// Of the session, opaque.
    pub session_id: String,
    /// Where they are signed in.
    pub store: String,
    /// What they may do.
    pub role: StaffRole,
    /// Their own account, if the shop wrote it down.
    pub member_id: Option<String>,
}

/// A key of a till or a CRM.
#[derive(Clone, Debug)]
pub struct Key {
    /// Opaque.
    pub id: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The only store that it may speak for; `None` for every one.
    pub store: Option<String>,
}

#[derive(FromRow)]
struct StaffRow {
    session_id: String,
    seen_at: i64,
    id: String,
    store: String,
    role: String,
    member_id: Option<String>,
}

impl Staff {
    /// Refuses whoever is no manager.
    ///
    /// # Errors
    /// 403.
    pub fn check_manager(&self) -> Result<()> {
        match self.role {
            StaffRole::Manager => Ok(()),
            StaffRole::Clerk => Err(Error::refuse(ProblemCode::Forbidden, "this is for managers")),
        }
    }
}

/// The role as the database has it.
pub fn role_named(name: &str) -> StaffRole {
    if name == "manager" {
        StaffRole::Manager
    } else {
        StaffRole::Clerk
    }
}

impl Counter {
    /// Whose idempotency keys these are, and who stands in the audit.
    pub fn scope(&self) -> String {
        match self {
            Self::Staff(staff) => format!("staff:{}", staff.id),
            Self::Key(key) => format!("key:{}", key.id),
        }
    }

    /// The session or the key itself: whose guesses are counted, and whose visits these are.
    pub fn place(&self) -> String {
        match self {
            Self::Staff(staff) => format!("session:{}", staff.session_id),
            Self::Key(key) => format!("key:{}", key.id),
        }
    }

    /// Refuses a key without this scope. What staff may do is said by their role.
    ///
    /// # Errors
    /// 403.
    pub fn check(&self, scope: Scope) -> Result<()> {
        match self {
            Self::Key(key) if !key.scopes.contains(&scope) => {
                let detail = format!("the key has not the scope {:?}", scope.as_str());
                Err(Error::refuse(ProblemCode::Forbidden, detail))
            }
            Self::Key(_) | Self::Staff(_) => Ok(()),
        }
    }

    /// The store that is spoken for: the caller's own, or the one that is named where the caller may.
    ///
    /// # Errors
    /// 403 for another's; 422 where none is named and the caller has none.
    pub fn store(&self, named: Option<&str>, pointer: &str) -> Result<String> {
        let own = match self {
            Self::Staff(staff) => Some(staff.store.as_str()),
            Self::Key(key) => key.store.as_deref(),
        };
        match (own, named) {
            (Some(own), Some(named)) if own != named => {
                let detail = "the caller may not speak for this store";
                Err(Error::refuse(ProblemCode::Forbidden, detail))
            }
            (Some(store), _) | (None, Some(store)) => Ok(store.to_owned()),
            (None, None) => Err(Error::field(pointer, "the key is for every store: say which")),
        }
    }

    async fn of(headers: &HeaderMap, app: &App) -> Result<Option<Self>> {
        if let Some(secret) = bearer(headers) {
            return Self::with_key(app, secret).await.map(Some);
        }
        match staff_token(app, headers) {
            Some(secret) => Self::with_session(app, secret).await,
            None => Ok(None),
        }
    }

    async fn with_key(app: &App, secret: &str) -> Result<Self> {
        let found: Option<(String, String, Option<String>)> =
            sqlx::query_as("select id, scopes, store from api_keys where key_hash = $1 and revoked_at is null")
                .bind(token::hash(secret))
                .fetch_optional(&app.db.pool)
                .await?;
        let (id, scopes, store) =
            found.ok_or_else(|| Error::refuse(ProblemCode::SignedOut, "the key is unknown or revoked"))?;
        Ok(Self::Key(Key {
            id,
            scopes: scopes.split_whitespace().filter_map(Scope::named).collect(),
            store,
        }))
    }

    /// Nobody where the session is over: a browser keeps its cookie, and may have a member's beside it.
    async fn with_session(app: &App, secret: &str) -> Result<Option<Self>> {
        let now = app.clock.now();
        let found: Option<StaffRow> = sqlx::query_as(
            "select t.id as session_id, t.seen_at, s.id, s.store, s.role, s.member_id
             from staff_sessions t join staff s on s.id = t.staff_id left join devices d on d.id = t.device_id
             where t.token_hash = $1 and t.seen_at > $2 and s.disabled_at is null and d.revoked_at is null",
        )
        .bind(token::hash(secret))
        .bind(millis(now - IDLE))
        .fetch_optional(&app.db.pool)
        .await?;
        let Some(row) = found else { return Ok(None) };
        if row.seen_at < millis(now - SEEN_EVERY) {
            let mut tx = app.db.begin_write().await?;
            sqlx::query("update staff_sessions set seen_at = $1 where id = $2 and seen_at < $1")
                .bind(millis(now))
                .bind(&row.session_id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        }
        Ok(Some(Self::Staff(Staff {
            id: row.id,
            session_id: row.session_id,
            store: row.store,
            role: role_named(&row.role),
            member_id: row.member_id,
        })))
    }
}

/// The secret of `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// The secret of a staff session, as the browser sent it.
pub fn staff_token<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie_value(headers, staff_cookie_name(app))
}

/// Over https the browser itself guarantees that no other host set the cookie.
pub fn staff_cookie_name(app: &App) -> &'static str {
    if app.is_secure() {
        "__Host-loyalty_counter"
    } else {
        "loyalty_counter"
    }
}

impl FromRequestParts<Arc<App>> for Counter {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let detail = "this needs a staff session or a key";
        let found = Self::of(&parts.headers, app).await?;
        found.ok_or_else(|| Error::refuse(ProblemCode::SignedOut, detail))
    }
}

impl OptionalFromRequestParts<Arc<App>> for Counter {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Option<Self>> {
        Self::of(&parts.headers, app).await
    }
}

impl FromRequestParts<Arc<App>> for Staff {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        match Counter::of(&parts.headers, app).await? {
            Some(Counter::Staff(staff)) => Ok(staff),
            Some(Counter::Key(_)) => Err(Error::refuse(
                ProblemCode::Forbidden,
                "this is for staff, not for a key",
            )),
            None => Err(Error::refuse(ProblemCode::SignedOut, "this needs a staff session")),
        }
    }
}
