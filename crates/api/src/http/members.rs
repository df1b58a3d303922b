//! Joining: an address that was just proved becomes a member.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use chrono::NaiveDate;
use loyalty_contract::members::{Consents, NewMember};
use loyalty_contract::status::{Member, MemberState};
use loyalty_contract::{FieldError, Instant, Problem, ProblemCode};
use loyalty_rules::calendar::day_of;
use sqlx::AnyConnection;

use super::App;
use super::answer::made;
use super::auth::phone_number;
use super::error::{Error, Result};
use super::extract::Json;
use super::session::Session;
use super::terms;
use crate::clock::millis;
use crate::events::{Event, record};
use crate::shop::Shop;
use crate::token;

/// The longest name, of a member or of a device, in characters.
pub const LONGEST_NAME: usize = 80;

/// How often another number is drawn where one is taken: of 900 thousand million, hardly ever once.
const DRAWS: usize = 8;

/// Joins with an address that was just proved, and signs in.
#[utoipa::path(post, path = "/members", operation_id = "create_member", tag = "auth",
    request_body = NewMember,
    responses(
        (status = 201, body = Member, description = "a member, signed in by the cookie that comes with it"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_member(
    State(app): State<Arc<App>>,
    session: Option<Session>,
    headers: HeaderMap,
    Json(new): Json<NewMember>,
) -> Result<Response> {
    let shop = app.shop().await?;
    let now = app.clock.now();
    let since = day_of(now, &shop.zone);
    // Checked before the token is used up, so that a mistake can be corrected.
    let new = checked(new, &shop, since)?;

    let mut tx = app.db.begin_write().await?;
    // The first statement is the write that locks the token: of two at once one joins.
    let proved: Option<(String,)> =
        sqlx::query_as("delete from enrolments where token_hash = $1 and expires_at > $2 returning address")
            .bind(token::hash(&new.enrolment_token))
            .bind(millis(now))
            .fetch_optional(&mut *tx)
            .await?;
    let is_over = || Error::refuse(ProblemCode::EnrolmentExpired, "the token is too old, used or unknown");
    let (address,) = proved.ok_or_else(is_over)?;
    let id = token::id()?;
    let number = insert(&mut tx, &id, &address, &new, since).await?;
    terms::agree(&mut tx, &id, new.accepted_terms_version, now).await?;
    note_consents(&mut tx, &id, &new.consents, now).await?;
    let (store, code) = (new.store.as_deref(), new.referral_code.as_deref());
    let referred_by = member_with_code(&mut tx, code).await?;
    let joined = Event::joined(now, since, store, code, referred_by.as_deref());
    record(&mut tx, &id, &number, vec![joined]).await?;
    // The new cookie takes the place of the old one, which nobody could end any more.
    if let Some(session) = session {
        session.delete(&mut tx).await?;
    }
    let cookie = Session::begin(&mut tx, &app, &id, new.remember, &headers, now).await?;
    tx.commit().await?;

    let member = Member {
        number,
        name: new.name,
        since,
        state: MemberState::Active,
        contact: None,
        accepted_terms_version: Some(new.accepted_terms_version),
    };
    let mut response = made(StatusCode::CREATED, &member)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Writes the member down under a number that nobody has, and gives the number.
async fn insert(tx: &mut AnyConnection, id: &str, address: &str, new: &NewMember, since: NaiveDate) -> Result<String> {
    let consents = serde_json::to_string(&new.consents)?;
    for _ in 0..DRAWS {
        let number = token::member_number()?;
        let former: Option<(String,)> = sqlx::query_as("select number from former_numbers where number = $1")
            .bind(&number)
            .fetch_optional(&mut *tx)
            .await?;
        if former.is_some() {
            continue;
        }
        let inserted = sqlx::query(
            "insert into members (id, version, number, name, email, language, since, state, unread_messages,
                entry_count, balance, earned, spent, expired, birthday, store, terms_version, consents, referral_code,
                own_referral_code)
             values ($1, 1, $2, $3, $4, $5, $6, 'active', 0, 0, 0, 0, 0, 0, $7, $8, $9, $10, $11, $12)
             on conflict do nothing",
        )
        .bind(id)
        .bind(&number)
        .bind(&new.name)
        .bind(address)
        .bind(&new.language)
        .bind(i64::from(since.to_epoch_days()))
        .bind(new.birthday.map(|day| i64::from(day.to_epoch_days())))
        .bind(&new.store)
        .bind(i64::from(new.accepted_terms_version))
        .bind(&consents)
        .bind(&new.referral_code)
        .bind(token::voucher_code()?)
        .execute(&mut *tx)
        .await?;
        if inserted.rows_affected() == 1 {
            return Ok(number);
        }
        let taken: Option<(String,)> = sqlx::query_as("select id from members where email = $1")
            .bind(address)
            .fetch_optional(&mut *tx)
            .await?;
        if taken.is_some() {
            let detail = "somebody joined with this address meanwhile";
            return Err(Error::refuse(ProblemCode::AlreadyMember, detail));
        }
    }
    Err(Error::internal("no member number was free"))
}

/// The number of the member who passes that referral code on.
async fn member_with_code(tx: &mut AnyConnection, code: Option<&str>) -> Result<Option<String>> {
    let Some(code) = code.and_then(token::read_voucher_code) else {
        return Ok(None);
    };
    Ok(
        sqlx::query_scalar("select number from members where own_referral_code = $1")
            .bind(code)
            .fetch_optional(tx)
            .await?,
    )
}

/// Writes down what a member agrees to be written to about from now on.
pub async fn note_consents(tx: &mut AnyConnection, member_id: &str, consents: &Consents, now: Instant) -> Result<()> {
    sqlx::query(
        "insert into consent_changes (member_id, at, consents) values ($1, $2, $3)
         on conflict (member_id, at) do update set consents = excluded.consents",
    )
    .bind(member_id)
    .bind(millis(now))
    .bind(serde_json::to_string(consents)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// What somebody may join with, tidied; or every field that is wrong.
fn checked(new: NewMember, shop: &Shop, today: NaiveDate) -> Result<NewMember> {
    let mut faults = Faults::default();
    let name = new.name.trim();
    faults.check_name(name);
    faults.check_language(&new.language);
    faults.require(
        new.accepted_terms_version == shop.file.terms.version,
        "/accepted_terms_version",
        "only the present version of the terms can be accepted",
    );
    faults.check_birthday(new.birthday, today);
    faults.require(
        new.store
            .as_deref()
            .is_none_or(|id| shop.file.stores.iter().any(|store| store.id == id)),
        "/store",
        "the programme has no such store",
    );
    faults.require(
        new.referral_code
            .as_deref()
            .is_none_or(|code| (1..=64).contains(&code.chars().count()) && code.chars().all(is_visible)),
        "/referral_code",
        "a referral code has 1 to 64 visible characters",
    );
    faults.end()?;
    Ok(NewMember {
        name: name.to_owned(),
        consents: tidy(new.consents),
        ..new
    })
}

/// Fields that are wrong, so that all of them can be corrected at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldError>);

impl Faults {
    /// A name that is trimmed.
    pub fn check_name(&mut self, name: &str) {
        self.require(is_name(name), "/name", "a name has 1 to 80 characters");
    }

    /// A language tag.
    pub fn check_language(&mut self, tag: &str) {
        self.require(
            is_language_tag(tag),
            "/language",
            "a language is a BCP 47 tag, like pt-BR",
        );
    }

    /// A birthday, if there is one.
    pub fn check_birthday(&mut self, birthday: Option<NaiveDate>, today: NaiveDate) {
        let first = NaiveDate::from_ymd_opt(1900, 1, 1);
        let is_met = birthday.is_none_or(|day| first.is_some_and(|first| (first..=today).contains(&day)));
        self.require(is_met, "/birthday", "a birthday lies between 1900 and today");
    }

    /// A telephone number, in the spelling in which it is kept.
    pub fn check_phone(&mut self, phone: &str) -> String {
        let number = phone_number(phone);
        self.require(
            number.is_some(),
            "/phone",
            "this is no telephone number like +4930231250",
        );
        number.unwrap_or_default()
    }

    fn require(&mut self, is_met: bool, pointer: &str, detail: &str) {
        if !is_met {
            self.0.push(FieldError {
                pointer: pointer.to_owned(),
                detail: detail.to_owned(),
            });
        }
    }

    /// Refuses where there is any.
    ///
    /// # Errors
    /// 422.
    pub fn end(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::fields(self.0))
        }
    }
}

/// Each channel once, in one order.
pub fn tidy(mut consents: Consents) -> Consents {
    for channels in [&mut consents.offers, &mut consents.reminders, &mut consents.surveys] {
        channels.sort_unstable();
        channels.dedup();
    }
    consents
}

/// Whether something can be called so, once what stands around it is trimmed.
pub fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn is_visible(letter: char) -> bool {
    !letter.is_whitespace() && !letter.is_control()
}

/// Whether it is formed as BCP 47 has it. Any will do: what a member reads is the best match that there is.
pub fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_language = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_further =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 35 && parts.next().is_some_and(is_language) && parts.all(is_further)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_are_told_from_other_texts() {
        for tag in ["en", "pt-BR", "zh-Hant-TW", "sr-Latn", "de-CH-1996", "fil", "en-x-shop"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for other in [
            "",
            "e",
            "en_GB",
            "en-",
            "-en",
            "en--GB",
            "english language",
            "123",
            "en-\u{130}",
            "en\0",
        ] {
            assert!(!is_language_tag(other), "{other:?}");
        }
    }
}
