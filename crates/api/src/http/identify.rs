//! Finding a member at the counter by what they show or say, for one visit.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::TimeDelta;
use loyalty_contract::identify::{Identified, IdentifiedTier, Identify, ReadyReward, ReadyVoucher};
use loyalty_contract::{Instant, Points, Problem};
use loyalty_rules::member_code::Presented;
use sqlx::AnyConnection;

use super::App;
use super::answer::{accept_language, made};
use super::auth::{phone_number, plain_digits};
use super::caller::Counter;
use super::code_keys::accept;
use super::counter::audit;
use super::error::{Error, Result};
use super::extract::Json;
use super::guesses::{self, Limit};
use super::redemptions::reserved_of;
use super::rewards::catalogue;
use crate::clock::millis;
use crate::keys::Scope;
use crate::members::is_ready;
use crate::shop::{Edition, Shop};
use crate::token;
use crate::worker::attend;

/// For how long one scan serves one visit.
const VISIT_LASTS: TimeDelta = TimeDelta::minutes(5);

/// How many refusals are borne of one staff session or key, and about one member.
const REFUSALS: Limit = Limit {
    most: 20,
    within: TimeDelta::minutes(10),
};

const LOCK_BY_NUMBER: &str = "update members set version = version where number = $1 and state <> 'left' returning id";
const LOCK_BY_PHONE: &str = "update members set version = version where phone = $1 and state <> 'left' returning id";

/// What a member shows or says.
#[derive(Debug)]
pub enum Clue {
    /// A code on a phone, or a printed card.
    Shown(Presented),
    /// The bare number.
    Number(String),
    /// A telephone number as in E.164.
    Phone(String),
}

impl Clue {
    /// What a scanner read.
    ///
    /// # Errors
    /// 422 where that is neither a code nor a card.
    pub fn shown(pointer: &str, text: &str) -> Result<Self> {
        let presented = Presented::read(text);
        presented
            .map(Self::Shown)
            .ok_or_else(|| Error::field(pointer, "this is neither a member's code nor a printed card"))
    }

    fn read(asked: &Identify) -> Result<Self> {
        match (&asked.code, &asked.number, &asked.phone) {
            (Some(code), None, None) => Self::shown("/code", code),
            (None, Some(number), None) => plain_digits(number)
                .filter(|number| number.len() == 12)
                .map(Self::Number)
                .ok_or_else(|| Error::field("/number", "a member's number has twelve digits")),
            (None, None, Some(phone)) => phone_number(phone)
                .map(Self::Phone)
                .ok_or_else(|| Error::field("/phone", "this is no telephone number like +4930231250")),
            _ => Err(Error::field("/code", "say either a code, a number or a phone")),
        }
    }

    /// Whose refusals are counted: of somebody who does not exist as well, so that nobody can tell.
    fn subject(&self) -> String {
        subject(match self {
            Self::Shown(presented) => presented.number(),
            Self::Number(number) => number,
            Self::Phone(phone) => phone,
        })
    }

    /// How somebody was found, for the audit; a code is shown by the member themselves.
    fn audited(&self) -> Option<&'static str> {
        match self {
            Self::Shown(_) => None,
            Self::Number(_) => Some("by number"),
            Self::Phone(_) => Some("by phone"),
        }
    }
}

/// What refusals about a number are counted under.
fn subject(number: &str) -> String {
    format!("identify:member:{}", token::hash(number))
}

/// Finds a member.
///
/// A code is used up by it, so whoever loses the answer has another one scanned.
#[utoipa::path(post, path = "/counter/identify", operation_id = "identify_member", tag = "till",
    security(("key" = []), ("counter" = [])),
    request_body = Identify,
    responses(
        (status = 200, body = Identified, description = "found, and for five minutes named by the visit"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed; whoever is unknown and whatever is wrong, too old or used are all the same 404"),
    ))]
pub async fn identify_member(
    State(app): State<Arc<App>>,
    caller: Counter,
    headers: HeaderMap,
    Json(asked): Json<Identify>,
) -> Result<Response> {
    caller.check(Scope::Identify)?;
    let clue = Clue::read(&asked)?;
    if !matches!(clue, Clue::Shown(_)) {
        caller.check(Scope::Number)?;
    }
    let shop = app.shop().await?;
    let now = app.clock.now();

    let mut tx = app.db.begin_write().await?;
    let found = find_member(&mut tx, &app, &clue, now).await?;
    // Where there were too many refusals, a code that was right is not used up: nothing is committed.
    check_refusals(&mut tx, &caller, &clue, now).await?;
    if let Some(detail) = clue.audited() {
        audit(&mut tx, &caller, "identify", found.as_deref(), detail, now).await?;
    }
    let Some(member_id) = found else {
        count_refusal(&mut tx, &caller, &clue, now).await?;
        tx.commit().await?;
        return Err(Error::not_found());
    };
    let visit = token::secret()?;
    let visit_until = now + VISIT_LASTS;
    sqlx::query("insert into visits (token_hash, caller, member_id, expires_at) values ($1, $2, $3, $4)")
        .bind(token::hash(&visit))
        .bind(caller.place())
        .bind(&member_id)
        .bind(millis(visit_until))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;

    let edition = shop.edition(accept_language(&headers));
    let found = describe(&app, &shop, edition, &member_id, now).await?;
    let answer = Identified {
        visit,
        visit_until,
        ..found
    };
    let mut response = made(StatusCode::OK, &answer)?;
    response.headers_mut().insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_str(&edition.language).map_err(Error::internal)?,
    );
    Ok(response)
}

/// Finds whom it is about, locks them, and uses up the code that was shown. Takes as long where there is nobody.
///
/// # Errors
/// Where the database does not answer.
pub async fn find_member(tx: &mut AnyConnection, app: &App, clue: &Clue, now: Instant) -> Result<Option<String>> {
    let (lock, named) = match clue {
        Clue::Shown(presented) => (LOCK_BY_NUMBER, presented.number()),
        Clue::Number(number) => (LOCK_BY_NUMBER, number.as_str()),
        Clue::Phone(phone) => (LOCK_BY_PHONE, phone.as_str()),
    };
    let found: Vec<(String,)> = sqlx::query_as(lock).bind(named).fetch_all(&mut *tx).await?;
    let member_id = match found.as_slice() {
        [(member_id,)] => Some(member_id.as_str()),
        // Two members have said that a telephone is theirs: nobody knows whose it is.
        _ => None,
    };
    // No id is empty.
    let id = member_id.unwrap_or_default();
    let is_theirs = match clue {
        Clue::Shown(Presented::Rotating { digits, .. }) => accept(tx, app, id, digits, now).await?,
        Clue::Shown(Presented::Card { number, token }) => has_card(tx, id, number, token).await?,
        Clue::Number(_) | Clue::Phone(_) => true,
    };
    Ok(member_id.filter(|_| is_theirs).map(str::to_owned))
}

async fn has_card(tx: &mut AnyConnection, member_id: &str, number: &str, digits: &str) -> Result<bool> {
    let found: Option<(String,)> = sqlx::query_as("select id from cards where member_id = $1 and digits_hash = $2")
        .bind(member_id)
        .bind(token::hash(format!("{number}{digits}")))
        .fetch_optional(tx)
        .await?;
    Ok(found.is_some())
}

/// Whom a visit of this caller's names, locked; it is used up by it.
///
/// # Errors
/// Where the database does not answer.
pub async fn use_visit(tx: &mut AnyConnection, caller: &Counter, visit: &str, now: Instant) -> Result<Option<String>> {
    let hash = token::hash(visit);
    // Read first only to know whom to lock: whether it still counts is found out under the lock.
    let found: Option<(String,)> = sqlx::query_as("select member_id from visits where token_hash = $1 and caller = $2")
        .bind(&hash)
        .bind(caller.place())
        .fetch_optional(&mut *tx)
        .await?;
    let Some((member_id,)) = found else { return Ok(None) };
    sqlx::query("update members set version = version where id = $1")
        .bind(&member_id)
        .execute(&mut *tx)
        .await?;
    let used =
        sqlx::query("update visits set used_at = $1 where token_hash = $2 and used_at is null and expires_at > $1")
            .bind(millis(now))
            .bind(&hash)
            .execute(tx)
            .await?;
    Ok((used.rows_affected() == 1).then_some(member_id))
}

/// Refuses whoever was refused too often, or about whom others were.
///
/// # Errors
/// 429.
pub async fn check_refusals(db: &mut AnyConnection, caller: &Counter, clue: &Clue, now: Instant) -> Result<()> {
    REFUSALS.check(db, &caller_subject(caller), now).await?;
    REFUSALS.check(db, &clue.subject(), now).await
}

/// Counts a refusal; the transaction is then to be committed.
///
/// # Errors
/// Where the database does not answer.
pub async fn count_refusal(db: &mut AnyConnection, caller: &Counter, clue: &Clue, now: Instant) -> Result<()> {
    guesses::count(db, &caller_subject(caller), now).await?;
    guesses::count(db, &clue.subject(), now).await
}

/// Forgets what was counted about somebody.
///
/// # Errors
/// Where the database does not answer.
pub async fn forget_refusals(tx: &mut AnyConnection, numbers: [Option<&str>; 2]) -> Result<()> {
    for number in numbers.into_iter().flatten() {
        sqlx::query("delete from wrong_guesses where subject = $1")
            .bind(subject(number))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

fn caller_subject(caller: &Counter) -> String {
    format!("identify:{}", caller.place())
}

/// What serving them takes, as of now; the visit is the caller's to fill in.
async fn describe(app: &App, shop: &Shop, edition: &Edition, member_id: &str, now: Instant) -> Result<Identified> {
    let (due_at, phone): (Option<i64>, Option<String>) =
        sqlx::query_as("select due_at, phone from members where id = $1")
            .bind(member_id)
            .fetch_one(&app.db.pool)
            .await?;
    if due_at.is_some_and(|due_at| due_at <= millis(now)) {
        attend(&app.db, shop, member_id, now).await?;
    }
    let mut db = app.db.begin_read().await?;
    let (rewards, found) = catalogue(&mut db, shop, edition, Some(member_id), now).await?;
    let vouchers = reserved_of(&mut db, shop, member_id, &edition.language, now).await?;
    db.rollback().await?;
    let found = found.ok_or_else(Error::not_found)?;
    let tier = found.tier(shop).and_then(|id| {
        let tier = edition.programme.tiers.iter().find(|tier| tier.id == id)?;
        Some(IdentifiedTier {
            id: tier.id.clone(),
            name: tier.name.clone(),
        })
    });
    Ok(Identified {
        visit: String::new(),
        visit_until: now,
        name: short_name(&found.member.name),
        phone_end: phone.as_deref().map(last_three),
        state: found.member.state,
        tier,
        balance: found.balance(shop, Points::ZERO, Points::ZERO)?,
        rewards: rewards
            .into_iter()
            .filter(|reward| reward.availability.as_ref().is_some_and(is_ready))
            .map(|reward| ReadyReward {
                id: reward.id,
                title: reward.title,
                cost_points: reward.cost_points,
            })
            .collect(),
        vouchers: vouchers
            .into_iter()
            .map(|voucher| ReadyVoucher {
                id: voucher.id,
                title: voucher.reward.map(|reward| reward.title),
                money: voucher.money,
                valid_until: voucher.valid_until,
            })
            .collect(),
    })
}

/// A first name, and the first letter of the last: enough to ask whether it is they.
fn short_name(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or_default();
    match words.last().and_then(|last| last.chars().next()) {
        Some(letter) => format!("{first} {letter}."),
        None => first.to_owned(),
    }
}

fn last_three(phone: &str) -> String {
    phone.chars().skip(phone.chars().count().saturating_sub(3)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_in_short() {
        for (name, expected) in [
            ("Linh", "Linh"),
            ("Nguyễn Thị Linh", "Nguyễn L."),
            (" Amir  Rahimi ", "Amir R."),
            ("رضا احمدی", "رضا ا."),
            ("", ""),
        ] {
            assert_eq!(short_name(name), expected);
        }
    }
}
