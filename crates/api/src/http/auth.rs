//! Signing in with a code that is sent to an address, and out again.
//!
//! Whether a member has an address is looked up only once its code was right, so nobody can find out by asking.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use loyalty_contract::auth::{Challenge, NewChallenge, NewSession, Purpose, SignedIn};
use loyalty_contract::{Instant, Problem, ProblemCode};
use sqlx::{Any, AnyConnection, Transaction};

use super::App;
use super::answer::{accept_language, made};
use super::caller;
use super::counter_sessions;
use super::error::{Error, Result};
use super::extract::Json;
use super::guesses::{self, Limit, seconds};
use super::session::Session;
use crate::clock::{from_millis, millis};
use crate::mail::{self, Mail};
use crate::token;

const CODE_LASTS: TimeDelta = TimeDelta::minutes(10);
const RESEND_AFTER: TimeDelta = TimeDelta::seconds(30);
const ENROLMENT_LASTS: TimeDelta = TimeDelta::hours(1);
const WRONG_CODES_PER_CHALLENGE: i64 = 5;
const WRONG_CODES: Limit = Limit {
    most: 15,
    within: TimeDelta::hours(1),
};

/// An address that a code can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Email(String),
    Phone(String),
}

impl Address {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix('+') {
            let is_e164 = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            return is_e164.then(|| Self::Phone(text.to_owned()));
        }
        let (name, host) = text.rsplit_once('@')?;
        let is_plain = text
            .chars()
            .all(|letter| !letter.is_whitespace() && !letter.is_control());
        let is_email = text.len() <= 254 && is_plain && !name.contains('@') && is_host(host) && mail::is_address(text);
        is_email.then(|| Self::Email(text.to_lowercase()))
    }
}

/// An e-mail address as it is kept; `None` where the text is none.
pub fn email_address(text: &str) -> Option<String> {
    match Address::parse(text)? {
        Address::Email(address) => Some(address),
        Address::Phone(_) => None,
    }
}

/// A telephone number as it is kept, from one as people type it; `None` where the text is none as in E.164.
pub fn phone_number(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    let rest: String = rest
        .chars()
        .filter(|letter| !matches!(letter, '-' | '.' | '/' | '(' | ')'))
        .collect();
    match Address::parse(&format!("+{}", plain_digits(&rest)?))? {
        Address::Phone(number) => Some(number),
        Address::Email(_) => None,
    }
}

fn is_host(host: &str) -> bool {
    host.contains('.')
        && host
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-'))
}

/// Sends a code to an address.
#[utoipa::path(post, path = "/auth/challenges", operation_id = "create_challenge", tag = "auth",
    request_body = NewChallenge,
    responses(
        (status = 202, body = Challenge, description = "the same whether or not a member has the address"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_challenge(
    State(app): State<Arc<App>>,
    session: Option<Session>,
    asked: HeaderMap,
    Json(new): Json<NewChallenge>,
) -> Result<Response> {
    if new.purpose == Purpose::ChangeAddress && session.is_none() {
        return Err(Error::signed_out());
    }
    let detail = "neither an e-mail address nor a telephone number as in E.164";
    let address = match Address::parse(&new.address).ok_or_else(|| Error::field("/address", detail))? {
        // A demo shows its codes on the screen, which is a way to send them to any e-mail address.
        Address::Email(address) if app.demo || app.mailer.is_some() => address,
        Address::Email(_) | Address::Phone(_) => {
            let detail = "nothing is set up here that sends to such an address";
            return Err(Error::refuse(ProblemCode::ChannelUnavailable, detail));
        }
    };
    let now = app.clock.now();
    let post = match &app.mailer {
        Some(mailer) => Some((mailer, app.shop().await?)),
        None => None,
    };
    let (challenge, new_code) = open_challenge(&app, &address, new.purpose, now).await?;
    if let (Some((mailer, shop)), Some(code)) = (post, new_code) {
        let language = mail::language(accept_language(&asked));
        // To whoever has the address, a member or not: neither the answer nor its time tells which.
        let name = shop.text(&shop.file.name, language);
        let minutes = CODE_LASTS.num_minutes();
        mailer.send(Mail::code(address, &code, new.purpose, minutes, &name, language));
    }
    made(StatusCode::ACCEPTED, &challenge)
}

/// The challenge, and the code where it is a new one that is to be sent.
async fn open_challenge(
    app: &App,
    address: &str,
    purpose: Purpose,
    now: Instant,
) -> Result<(Challenge, Option<String>)> {
    forget_what_is_over(app, now).await?;
    let id = token::id()?;
    let code = token::six_digits()?;
    let mut tx = app.db.begin_write().await?;
    // One statement, so that of two at once one makes the challenge and the other finds it.
    let made: Option<(String,)> = sqlx::query_as(
        "insert into challenges (id, address, purpose, code_hash, demo_code, created_at, expires_at, tries, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, 0, null)
         on conflict (address, purpose) do update set
             id = excluded.id, code_hash = excluded.code_hash, demo_code = excluded.demo_code,
             created_at = excluded.created_at, expires_at = excluded.expires_at, tries = 0, ended_at = null
         where challenges.ended_at is not null or challenges.created_at <= $8
         returning id",
    )
    .bind(&id)
    .bind(address)
    .bind(purpose_name(purpose))
    .bind(code_hash(&id, &code))
    .bind(app.demo.then_some(&code))
    .bind(millis(now))
    .bind(millis(now + CODE_LASTS))
    .bind(millis(now - RESEND_AFTER))
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    if made.is_some() {
        let challenge = Challenge {
            challenge_id: id,
            expires_at: now + CODE_LASTS,
            resend_after_s: seconds(RESEND_AFTER),
            demo_code: app.demo.then(|| code.clone()),
        };
        return Ok((challenge, Some(code)));
    }
    // Asked again too soon: the one that is on its way already.
    let (id, created_at, expires_at, demo_code): (String, i64, i64, Option<String>) = sqlx::query_as(
        "select id, created_at, expires_at, demo_code from challenges where address = $1 and purpose = $2",
    )
    .bind(address)
    .bind(purpose_name(purpose))
    .fetch_one(&app.db.pool)
    .await?;
    let challenge = Challenge {
        challenge_id: id,
        expires_at: from_millis(expires_at),
        resend_after_s: seconds(from_millis(created_at) + RESEND_AFTER - now),
        demo_code: demo_code.filter(|_| app.demo),
    };
    Ok((challenge, None))
}

/// Deletes what nobody can use any more, so that these tables stay as small as what is going on.
async fn forget_what_is_over(app: &App, now: Instant) -> Result<()> {
    let mut tx = app.db.begin_write().await?;
    for (statement, end) in [
        ("delete from challenges where expires_at <= $1", now),
        ("delete from enrolments where expires_at <= $1", now),
        ("delete from sessions where expires_at <= $1", now),
        ("delete from wrong_guesses where at <= $1", now - guesses::KEPT),
        ("delete from pairings where expires_at <= $1", now),
        ("delete from staff_sessions where seen_at <= $1", now - caller::IDLE),
        (
            "delete from pin_guesses where at <= $1",
            now - counter_sessions::WRONG_PINS_COUNT_FOR,
        ),
    ] {
        sqlx::query(statement).bind(millis(end)).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Signs in with the code that was sent.
#[utoipa::path(post, path = "/auth/sessions", operation_id = "create_session", tag = "auth",
    request_body = NewSession,
    responses(
        (status = 201, body = SignedIn, description = "a member is signed in by the cookie that comes with it"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_session(
    State(app): State<Arc<App>>,
    session: Option<Session>,
    headers: HeaderMap,
    Json(new): Json<NewSession>,
) -> Result<Response> {
    let now = app.clock.now();
    let (mut tx, address) = prove(&app, &new.challenge_id, &new.code, Purpose::SignIn, now).await?;
    // Locked, so that whoever is just leaving or moving to another address has left or moved.
    let member: Option<(String,)> =
        sqlx::query_as("update members set version = version where email = $1 returning id")
            .bind(&address)
            .fetch_optional(&mut *tx)
            .await?;
    let response = match member {
        Some((member_id,)) => {
            // The new cookie takes the place of the old one, which nobody could end any more.
            if let Some(session) = session {
                session.delete(&mut tx).await?;
            }
            let cookie = Session::begin(&mut tx, &app, &member_id, new.remember, &headers, now).await?;
            let mut response = made(StatusCode::CREATED, &SignedIn::Member)?;
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
        None => {
            let enrolment_token = token::secret()?;
            sqlx::query("insert into enrolments (token_hash, address, expires_at) values ($1, $2, $3)")
                .bind(token::hash(&enrolment_token))
                .bind(&address)
                .bind(millis(now + ENROLMENT_LASTS))
                .execute(&mut *tx)
                .await?;
            made(StatusCode::CREATED, &SignedIn::New { enrolment_token })?
        }
    };
    tx.commit().await?;
    Ok(response)
}

/// Uses a challenge up by the code that was sent, and gives the address that is proved by it.
///
/// What follows from it happens in the transaction that comes with it, which has the challenge locked.
///
/// # Errors
/// 422 where the code is wrong, or serves nothing (any more); 429 after too many wrong ones.
pub async fn prove(
    app: &App,
    challenge_id: &str,
    code: &str,
    purpose: Purpose,
    now: Instant,
) -> Result<(Transaction<'static, Any>, String)> {
    let code = digits(code).ok_or_else(|| Error::field("/code", "a code has six digits"))?;
    // What was never an id is not looked up: PostgreSQL knows no text with a NUL in it.
    if !token::is_id(challenge_id) {
        return Err(challenge_is_over());
    }
    let mut tx = app.db.begin_write().await?;
    // The first statement is the write that locks the challenge: guesses at once are counted one after another.
    let challenge: Option<(String, String, String, i64)> = sqlx::query_as(
        "update challenges set tries = tries + 1 where id = $1 and ended_at is null and expires_at > $2
         returning address, purpose, code_hash, tries",
    )
    .bind(challenge_id)
    .bind(millis(now))
    .fetch_optional(&mut *tx)
    .await?;
    let (address, serves, hash, tries) = challenge.ok_or_else(challenge_is_over)?;
    if serves != purpose_name(purpose) {
        return Err(challenge_is_over());
    }
    let subject = subject(&address);
    WRONG_CODES.check(&mut tx, &subject, now).await?;

    if hash != code_hash(challenge_id, &code) {
        guesses::count(&mut tx, &subject, now).await?;
        if tries >= WRONG_CODES_PER_CHALLENGE {
            end_challenge(&mut tx, challenge_id, now).await?;
        }
        tx.commit().await?;
        let detail = "the code is not the one that was sent";
        return Err(Error::refuse(ProblemCode::CodeWrong, detail));
    }
    end_challenge(&mut tx, challenge_id, now).await?;
    Ok((tx, address))
}

/// The code serves nothing (any more).
pub fn challenge_is_over() -> Error {
    let detail = "the challenge is too old, used, replaced, unknown or for something else";
    Error::refuse(ProblemCode::ChallengeExpired, detail)
}

/// Forgets everything that is going on about an address.
pub async fn forget_address(tx: &mut AnyConnection, address: &str) -> Result<()> {
    for (statement, value) in [
        ("delete from challenges where address = $1", address),
        ("delete from enrolments where address = $1", address),
        ("delete from wrong_guesses where subject = $1", &subject(address)),
    ] {
        sqlx::query(statement).bind(value).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Signs out: this session ends, on this device only.
#[utoipa::path(delete, path = "/auth/sessions/current", operation_id = "end_session", tag = "auth",
    security(("session" = [])),
    responses(
        (status = 204, description = "signed out, or was not signed in"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn end_session(State(app): State<Arc<App>>, session: Option<Session>) -> Result<Response> {
    if let Some(session) = session {
        let mut tx = app.db.begin_write().await?;
        session.delete(&mut tx).await?;
        tx.commit().await?;
    }
    let cookie = Session::cleared(&app)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

async fn end_challenge(db: &mut AnyConnection, id: &str, now: Instant) -> Result<()> {
    sqlx::query("update challenges set ended_at = $1 where id = $2")
        .bind(millis(now))
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

fn subject(address: &str) -> String {
    format!("sign_in {address}")
}

/// A code's hash holds for its challenge only.
fn code_hash(challenge_id: &str, code: &str) -> String {
    token::hash(format!("{challenge_id} {code}"))
}

/// Six digits, as people type them.
fn digits(text: &str) -> Option<String> {
    plain_digits(text).filter(|digits| digits.len() == 6)
}

/// Digits as people type them: spaces between them, and those of their own keyboard, are forgiven.
pub fn plain_digits(text: &str) -> Option<String> {
    text.chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| match letter {
            '0'..='9' => Some(letter),
            '\u{660}'..='\u{669}' => char::from_digit(u32::from(letter) - 0x660, 10),
            '\u{6f0}'..='\u{6f9}' => char::from_digit(u32::from(letter) - 0x6f0, 10),
            _ => None,
        })
        .collect()
}

fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::SignIn => "sign_in",
        Purpose::Leave => "leave",
        Purpose::ChangeAddress => "change_address",
        Purpose::SpendAtCounter => "spend_at_counter",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart_from_everything_else() {
        let email = |text: &str| Some(Address::Email(text.into()));
        assert_eq!(
            Address::parse(" Linh@Brightleaf.example "),
            email("linh@brightleaf.example")
        );
        assert_eq!(
            Address::parse("+4930231250"),
            Some(Address::Phone("+4930231250".into()))
        );
        let long = format!("{}@brightleaf.example", "a".repeat(250));
        for refused in [
            "",
            "linh",
            "@x.example",
            "a@b",
            "a b@x.example",
            "a@@x.example",
            "a@x..example",
            "+12",
            "+49x30231250",
            "a\0@x.example",
            &long,
        ] {
            assert_eq!(Address::parse(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn a_telephone_number_is_kept_in_one_spelling() {
        for typed in ["+4930231250", " +49 (30) 23-12.50 ", "0049 30 231250", "+۴۹۳۰۲۳۱۲۵۰"] {
            assert_eq!(phone_number(typed).as_deref(), Some("+4930231250"), "{typed}");
        }
        for refused in ["030 231250", "+49", "linh@brightleaf.example", "+49 30 23x1250", ""] {
            assert_eq!(phone_number(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        assert_eq!(digits("123 456").as_deref(), Some("123456"));
        assert_eq!(digits("۱۲۳۴۵۶").as_deref(), Some("123456"));
        assert_eq!(digits("٠٠٠٠٠٩").as_deref(), Some("000009"));
        for refused in ["12345", "1234567", "12345a", ""] {
            assert_eq!(digits(refused), None, "{refused:?}");
        }
    }
}
