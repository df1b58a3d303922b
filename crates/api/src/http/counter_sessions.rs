//! Signing staff in with their code and PIN, and out again.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use loyalty_contract::counter::{NewStaffSession, StaffSession};
use loyalty_contract::{Instant, Problem, ProblemCode};
use sqlx::{AnyConnection, FromRow};
use tokio::sync::Semaphore;

use super::App;
use super::answer::made;
use super::auth::plain_digits;
use super::caller::{IDLE, Staff, role_named, staff_cookie_name, staff_token};
use super::devices::{PairedDevice, device_cookie, device_token};
use super::error::{Error, Result};
use super::extract::Json;
use super::guesses;
use super::peer::CallerAddress;
use super::session::cookie;
use crate::clock::{from_millis, millis};
use crate::token;

/// From so many wrong PINs in a row on, the next has to wait.
const WRONG_PINS: i64 = 5;
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(30);
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// Wrong PINs are forgotten so long after the last.
pub const WRONG_PINS_COUNT_FOR: TimeDelta = TimeDelta::days(1);

/// The longest store and staff code that are looked up.
const LONGEST_CODE: usize = 64;

/// What a PIN is compared with where there is no such staff, so that the answer takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$1AClE4wd76MOvMjGgfV5UQ$6sAY6x17gaHYePoikbZXKZwxVEh1as8A2qSlTQS/qJ4";

/// Each takes 19 MiB of memory and a core: however many ask, the server stays there for others.
static COMPARING: Semaphore = Semaphore::const_new(4);

#[derive(FromRow)]
struct StaffRow {
    id: String,
    name: String,
    role: String,
    pin_hash: String,
}

/// Signs staff in.
#[utoipa::path(post, path = "/counter/sessions", operation_id = "create_staff_session", tag = "counter",
    request_body = NewStaffSession,
    responses(
        (status = 201, body = StaffSession, description = "signed in by the cookie that comes with it"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_staff_session(
    State(app): State<Arc<App>>,
    CallerAddress(address): CallerAddress,
    headers: HeaderMap,
    Json(new): Json<NewStaffSession>,
) -> Result<Response> {
    let store = code(&new.store).ok_or_else(|| Error::field("/store", "this is no store's id"))?;
    let staff_code = code(&new.staff_code).ok_or_else(|| Error::field("/staff_code", "this is no staff code"))?;
    let pin = plain_digits(&new.pin)
        .filter(|pin| (4..=12).contains(&pin.len()))
        .ok_or_else(|| Error::field("/pin", "a PIN has 4 to 12 digits"))?;
    let now = app.clock.now();
    let device = PairedDevice::of(&app, &headers)
        .await?
        .filter(|device| device.store == store);
    if device.is_none() && !app.demo {
        let detail = "staff sign in on devices only that a manager of the store has paired";
        return Err(Error::refuse(ProblemCode::DeviceNotPaired, detail));
    }
    let place = device
        .as_ref()
        .map_or_else(|| address.to_string(), |device| device.id.clone());
    let subject = token::hash(format!("{place}\n{store}\n{staff_code}"));

    let wrong = count_as_wrong(&app, &subject, now).await?;
    let found: Option<StaffRow> = sqlx::query_as(
        "select id, name, role, pin_hash from staff where store = $1 and code = $2 and disabled_at is null",
    )
    .bind(store)
    .bind(staff_code)
    .fetch_optional(&app.db.pool)
    .await?;
    let hash = found
        .as_ref()
        .map_or(NOBODY, |staff| staff.pin_hash.as_str())
        .to_owned();
    let is_right = is_pin(pin, hash).await?;
    let Some(staff) = found.filter(|_| is_right) else {
        let wait = wait_after(wrong);
        return Err(if wait > TimeDelta::zero() {
            guesses::too_many(wait)
        } else {
            Error::refuse(ProblemCode::PinWrong, "staff code and PIN do not match")
        });
    };

    let mut tx = app.db.begin_write().await?;
    sqlx::query("delete from pin_guesses where subject = $1")
        .bind(&subject)
        .execute(&mut *tx)
        .await?;
    // The new cookie takes the place of the old one, which nobody could end any more.
    end(&mut tx, &app, &headers).await?;
    let secret = token::secret()?;
    sqlx::query(
        "insert into staff_sessions (id, token_hash, staff_id, device_id, created_at, seen_at)
         values ($1, $2, $3, $4, $5, $5)",
    )
    .bind(token::id()?)
    .bind(token::hash(&secret))
    .bind(&staff.id)
    .bind(device.as_ref().map(|device| device.id.as_str()))
    .bind(millis(now))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;

    let session = StaffSession {
        name: staff.name,
        role: role_named(&staff.role),
        store: store.to_owned(),
        idle_until: now + IDLE,
    };
    let mut response = made(StatusCode::CREATED, &session)?;
    let own = cookie(&app, staff_cookie_name(&app), &secret, None)?;
    response.headers_mut().append(header::SET_COOKIE, own);
    if let Some(secret) = device_token(&app, &headers).filter(|_| device.is_some()) {
        // Begun anew, so that a device in use stays paired.
        let renewed = device_cookie(&app, secret)?;
        response.headers_mut().append(header::SET_COOKIE, renewed);
    }
    Ok(response)
}

/// Who is signed in at this counter.
#[utoipa::path(get, path = "/counter/sessions/current", operation_id = "get_staff_session", tag = "counter",
    security(("counter" = [])),
    responses(
        (status = 200, body = StaffSession, description = "as of now"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_staff_session(State(app): State<Arc<App>>, staff: Staff) -> Result<Response> {
    let found: Option<(String, i64)> = sqlx::query_as(
        "select s.name, t.seen_at from staff_sessions t join staff s on s.id = t.staff_id where t.id = $1",
    )
    .bind(&staff.session_id)
    .fetch_optional(&app.db.pool)
    .await?;
    let (name, seen_at) = found.ok_or_else(Error::signed_out)?;
    let session = StaffSession {
        name,
        role: staff.role,
        store: staff.store,
        idle_until: from_millis(seen_at) + IDLE,
    };
    made(StatusCode::OK, &session)
}

/// Signs staff out.
#[utoipa::path(delete, path = "/counter/sessions/current", operation_id = "end_staff_session", tag = "counter",
    security(("counter" = [])),
    responses(
        (status = 204, description = "signed out, or was not signed in"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn end_staff_session(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response> {
    let mut tx = app.db.begin_write().await?;
    end(&mut tx, &app, &headers).await?;
    tx.commit().await?;
    let cleared: HeaderValue = cookie(&app, staff_cookie_name(&app), "", Some(TimeDelta::zero()))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cleared)]).into_response())
}

/// Ends the staff session that the browser has, if it has one.
async fn end(tx: &mut AnyConnection, app: &App, headers: &HeaderMap) -> Result<()> {
    if let Some(secret) = staff_token(app, headers) {
        sqlx::query("delete from staff_sessions where token_hash = $1")
            .bind(token::hash(secret))
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Counts a guess as wrong before it is looked at, so that guesses at once cannot pass each other by; a right one is
/// forgotten with those before it. Gives how many were wrong in a row with it.
async fn count_as_wrong(app: &App, subject: &str, now: Instant) -> Result<i64> {
    let mut tx = app.db.begin_write().await?;
    let (wrong, last): (i64, i64) = sqlx::query_as(
        "insert into pin_guesses (subject, wrong, at) values ($1, 1, $2)
         on conflict (subject) do update
             set wrong = case when pin_guesses.at <= $3 then 1 else pin_guesses.wrong + 1 end
         returning wrong, at",
    )
    .bind(subject)
    .bind(millis(now))
    .bind(millis(now - WRONG_PINS_COUNT_FOR))
    .fetch_one(&mut *tx)
    .await?;
    let wait = from_millis(last) + wait_after(wrong - 1) - now;
    if wait > TimeDelta::zero() {
        // Not counted: the transaction is not committed.
        return Err(guesses::too_many(wait));
    }
    sqlx::query("update pin_guesses set at = $1 where subject = $2")
        .bind(millis(now))
        .bind(subject)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(wrong)
}

/// For how long the next guess has to wait after so many wrong ones in a row.
fn wait_after(wrong: i64) -> TimeDelta {
    match u32::try_from((wrong - WRONG_PINS).min(5)) {
        Ok(doublings) => (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT),
        Err(_) => TimeDelta::zero(),
    }
}

/// Whether it is the PIN of that hash. Takes long, so that whoever stole the hashes cannot try every PIN at once.
async fn is_pin(pin: String, hash: String) -> Result<bool> {
    let _turn = COMPARING.acquire().await.map_err(Error::internal)?;
    let compared = tokio::task::spawn_blocking(move || {
        let hash = PasswordHash::new(&hash)?;
        Argon2::default().verify_password(pin.as_bytes(), &hash)
    });
    match compared.await.map_err(Error::internal)? {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::internal(error)),
    }
}

/// An id or a code as people type it, if it can be one.
fn code(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_code = (1..=LONGEST_CODE).contains(&text.len()) && !text.chars().any(char::is_control);
    is_code.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_pin_from_the_fifth_on_doubles_the_wait() {
        let waits: Vec<i64> = (0..=12).map(|wrong| wait_after(wrong).num_seconds()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(wait_after(i64::MAX).num_seconds(), 900);
    }

    #[test]
    fn nobodys_hash_takes_as_long_as_anybodys() {
        let hash = PasswordHash::new(NOBODY).expect("a hash");
        let params = argon2::Params::try_from(&hash).expect("its parameters");
        let cost = |params: &argon2::Params| (params.m_cost(), params.t_cost(), params.p_cost());
        assert_eq!(cost(&params), cost(Argon2::default().params()));
        assert_eq!(params.output_len(), Some(argon2::Params::DEFAULT_OUTPUT_LEN));
    }
}
