//! The devices at a counter: outside a demo staff sign in on those only that a manager has paired, so that nobody
//! elsewhere can guess a PIN, or lock somebody out by guessing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use loyalty_contract::counter::{Device, DeviceQuery, NewDevice, Pairing};
use loyalty_contract::{Instant, Page, Problem, ProblemCode};
use sqlx::{AnyConnection, FromRow};

use super::App;
use super::answer::made;
use super::caller::Staff;
use super::error::{Error, Result};
use super::extract::{Json, Path, Query};
use super::guesses::{self, Limit};
use super::members::is_name;
use super::page::limit;
use super::peer::CallerAddress;
use super::session::{cookie, cookie_value};
use crate::clock::{from_millis, millis};
use crate::token;

/// The longest that browsers keep a cookie; each sign-in begins it anew.
const LASTS: TimeDelta = TimeDelta::days(400);

const CODE_LASTS: TimeDelta = TimeDelta::minutes(10);
const WRONG_CODES: Limit = Limit {
    most: 20,
    within: TimeDelta::minutes(10),
};

/// The device that a request comes from.
#[derive(Clone, Debug, FromRow)]
pub struct PairedDevice {
    /// Opaque.
    pub id: String,
    /// Where it stands.
    pub store: String,
}

impl PairedDevice {
    /// The one that the cookie says, if it is still paired.
    pub async fn of(app: &App, headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(secret) = device_token(app, headers) else {
            return Ok(None);
        };
        let found = sqlx::query_as("select id, store from devices where token_hash = $1 and revoked_at is null")
            .bind(token::hash(secret))
            .fetch_optional(&app.db.pool)
            .await?;
        Ok(found)
    }
}

/// The device's secret, as the browser sent it.
pub fn device_token<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie_value(headers, cookie_name(app))
}

/// The cookie by which a device stays paired.
pub fn device_cookie(app: &App, secret: &str) -> Result<HeaderValue> {
    cookie(app, cookie_name(app), secret, Some(LASTS))
}

/// Over https the browser itself guarantees that no other host set the cookie.
fn cookie_name(app: &App) -> &'static str {
    if app.is_secure() {
        "__Host-loyalty_device"
    } else {
        "loyalty_device"
    }
}

/// Makes a code by which another device of the manager's store is paired.
#[utoipa::path(post, path = "/counter/pairings", operation_id = "create_pairing", tag = "counter",
    security(("counter" = [])),
    responses(
        (status = 201, body = Pairing, description = "typed on the other device within ten minutes, once"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_pairing(State(app): State<Arc<App>>, staff: Staff) -> Result<Response> {
    staff.check_manager()?;
    let pairing = Pairing {
        pairing_code: token::voucher_code()?,
        expires_at: app.clock.now() + CODE_LASTS,
    };
    let mut tx = app.db.begin_write().await?;
    sqlx::query("insert into pairings (code_hash, store, expires_at) values ($1, $2, $3)")
        .bind(token::hash(&pairing.pairing_code))
        .bind(&staff.store)
        .bind(millis(pairing.expires_at))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    made(StatusCode::CREATED, &pairing)
}

/// Pairs this device with a manager's code.
#[utoipa::path(post, path = "/counter/devices", operation_id = "create_device", tag = "counter",
    request_body = NewDevice,
    responses(
        (status = 201, body = Device, description = "paired by the cookie that comes with it"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_device(
    State(app): State<Arc<App>>,
    CallerAddress(address): CallerAddress,
    headers: HeaderMap,
    Json(new): Json<NewDevice>,
) -> Result<Response> {
    let name = new.name.trim();
    if !is_name(name) {
        return Err(Error::field("/name", "a name has 1 to 80 characters"));
    }
    let code = token::read_voucher_code(&new.pairing_code)
        .ok_or_else(|| Error::field("/pairing_code", "a code has eight letters and digits"))?;
    let now = app.clock.now();
    let subject = format!("pairing {address}");
    let before = PairedDevice::of(&app, &headers).await?;

    let mut tx = app.db.begin_write().await?;
    // The first statement is the write that locks the code: of two devices at once one is paired.
    let pairing: Option<(String,)> =
        sqlx::query_as("delete from pairings where code_hash = $1 and expires_at > $2 returning store")
            .bind(token::hash(&code))
            .bind(millis(now))
            .fetch_optional(&mut *tx)
            .await?;
    // Where too many were wrong the right one is not used up: the transaction is not committed.
    WRONG_CODES.check(&mut tx, &subject, now).await?;
    let Some((store,)) = pairing else {
        guesses::count(&mut tx, &subject, now).await?;
        tx.commit().await?;
        let detail = "the code is too old, used or unknown";
        return Err(Error::refuse(ProblemCode::PairingExpired, detail));
    };
    // The new cookie takes the place of the old one.
    if let Some(device) = before {
        end(&mut tx, &device, now).await?;
    }
    let secret = token::secret()?;
    let device = Device {
        id: token::id()?,
        store,
        name: name.to_owned(),
        paired_at: now,
    };
    sqlx::query("insert into devices (id, store, name, token_hash, paired_at) values ($1, $2, $3, $4, $5)")
        .bind(&device.id)
        .bind(&device.store)
        .bind(&device.name)
        .bind(token::hash(&secret))
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    let mut response = made(StatusCode::CREATED, &device)?;
    let cookie = device_cookie(&app, &secret)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// The devices of the manager's store.
#[utoipa::path(get, path = "/counter/devices", operation_id = "list_devices", tag = "counter",
    security(("counter" = [])),
    params(DeviceQuery),
    responses(
        (status = 200, body = Page<Device>, description = "first paired first"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_devices(
    State(app): State<Arc<App>>,
    staff: Staff,
    Query(query): Query<DeviceQuery>,
) -> Result<Response> {
    staff.check_manager()?;
    let limit = limit(query.limit)?;
    let mut after = (i64::MIN, String::new());
    if let Some(id) = &query.after {
        let wrong = || Error::field("after", "this is no cursor");
        // What was never an id is not looked up: PostgreSQL knows no text with a NUL in it.
        let id = Some(id).filter(|id| token::is_id(id)).ok_or_else(wrong)?;
        let found = sqlx::query_as("select paired_at, id from devices where id = $1 and store = $2")
            .bind(id)
            .bind(&staff.store)
            .fetch_optional(&app.db.pool)
            .await?;
        after = found.ok_or_else(wrong)?;
    }
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "select id, store, name, paired_at from devices
         where store = $1 and revoked_at is null and (paired_at > $2 or (paired_at = $2 and id > $3))
         order by paired_at, id limit $4",
    )
    .bind(&staff.store)
    .bind(after.0)
    .bind(after.1)
    .bind(i64::from(limit) + 1)
    .fetch_all(&app.db.pool)
    .await?;
    let mut items: Vec<Device> = rows
        .into_iter()
        .map(|(id, store, name, paired_at)| Device {
            id,
            store,
            name,
            paired_at: from_millis(paired_at),
        })
        .collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| has_more).map(|device| device.id.clone());
    made(StatusCode::OK, &Page { items, next })
}

/// Takes a device of the manager's store away, and signs out whoever is signed in on it.
#[utoipa::path(delete, path = "/counter/devices/{id}", operation_id = "delete_device", tag = "counter",
    security(("counter" = [])),
    params(("id" = String, Path, description = "the device's")),
    responses(
        (status = 204, description = "it is paired no more"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn delete_device(State(app): State<Arc<App>>, staff: Staff, Path(id): Path<String>) -> Result<Response> {
    staff.check_manager()?;
    if !token::is_id(&id) {
        return Err(Error::not_found());
    }
    let device = PairedDevice { id, store: staff.store };
    let mut tx = app.db.begin_write().await?;
    if !end(&mut tx, &device, app.clock.now()).await? {
        return Err(Error::not_found());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends a device and its sessions, and tells whether it was there.
async fn end(tx: &mut AnyConnection, device: &PairedDevice, now: Instant) -> Result<bool> {
    let ended = sqlx::query("update devices set revoked_at = $1 where id = $2 and store = $3 and revoked_at is null")
        .bind(millis(now))
        .bind(&device.id)
        .bind(&device.store)
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from staff_sessions where device_id = $1")
        .bind(&device.id)
        .execute(tx)
        .await?;
    Ok(ended.rows_affected() == 1)
}
