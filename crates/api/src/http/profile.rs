//! A member's own data, and changing it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use loyalty_contract::account::{Profile, ProfileChange};
use loyalty_contract::auth::{ChallengeAnswer, Purpose};
use loyalty_contract::{Problem, ProblemCode};
use loyalty_rules::calendar::day_of;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::App;
use super::answer::private_data;
use super::auth::{forget_address, prove};
use super::error::{Error, Result};
use super::extract::Json;
use super::members::{Faults, note_consents, tidy};
use super::session::Session;
use super::sessions::end_others;
use crate::mail::{self, Mail};
use crate::members::from_day_number;
use crate::token;

const COLUMNS: &str =
    "number, name, email, language, birthday, phone, store, own_referral_code, terms_version, consents, since";

#[derive(FromRow)]
struct Row {
    number: String,
    name: String,
    email: Option<String>,
    language: String,
    birthday: Option<i64>,
    phone: Option<String>,
    store: Option<String>,
    own_referral_code: Option<String>,
    terms_version: Option<i64>,
    consents: Option<String>,
    since: i64,
}

/// The member's own data.
#[utoipa::path(get, path = "/me/profile", operation_id = "get_profile", tag = "me",
    security(("session" = [])),
    responses(
        (status = 200, body = Profile, description = "its ETag is what a change names in If-Match"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_profile(State(app): State<Arc<App>>, session: Session, asked: HeaderMap) -> Result<Response> {
    let profile = profile_of(&app, &session.member_id).await?;
    answer(&asked, &profile)
}

/// A member's own data, with a referral code of their own.
///
/// # Errors
/// [`Error`] where the database does not answer, or there is no such member (any more).
pub async fn profile_of(app: &App, member_id: &str) -> Result<Profile> {
    let statement = format!("select {COLUMNS} from members where id = $1");
    // The text is made of this file's own words; the value is bound.
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(member_id)
        .fetch_optional(&app.db.pool)
        .await?;
    let row = row.ok_or_else(Error::signed_out)?;
    if row.own_referral_code.is_some() {
        return row.profile();
    }
    // They were there before there were such codes.
    let mut tx = app.db.begin_write().await?;
    let row = lock(&mut tx, member_id).await?;
    tx.commit().await?;
    row.profile()
}

/// Locks the member, unless they have left meanwhile, and gives them a referral code of their own where they have none
/// yet.
async fn lock(tx: &mut AnyConnection, member_id: &str) -> Result<Row> {
    let statement = format!(
        "update members set version = version + 1, own_referral_code = coalesce(own_referral_code, $1)
         where id = $2 and state <> 'left' returning {COLUMNS}"
    );
    // The text is made of this file's own words; the values are bound.
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(token::voucher_code()?)
        .bind(member_id)
        .fetch_optional(tx)
        .await?;
    row.ok_or_else(Error::signed_out)
}

impl Row {
    fn profile(self) -> Result<Profile> {
        let consents = self.consents.map(|text| serde_json::from_str(&text)).transpose()?;
        Ok(Profile {
            number: self.number,
            name: self.name,
            address: self.email.unwrap_or_default(),
            language: self.language,
            birthday: self.birthday.map(from_day_number),
            phone: self.phone,
            store: self.store,
            referral_code: self.own_referral_code.unwrap_or_default(),
            accepted_terms_version: self.terms_version.and_then(|version| u32::try_from(version).ok()),
            consents: consents.unwrap_or_default(),
            since: from_day_number(self.since),
        })
    }
}

fn answer(asked: &HeaderMap, profile: &Profile) -> Result<Response> {
    private_data(asked, &etag(profile)?, serde_json::to_string(profile)?)
}

/// What identifies a profile as it is now: strong, since a change is made for exactly that.
fn etag(profile: &Profile) -> Result<String> {
    let hash = token::hash(serde_json::to_string(profile)?);
    Ok(format!("\"{}\"", &hash[..32]))
}

/// Changes the member's own data.
#[utoipa::path(patch, path = "/me/profile", operation_id = "change_profile", tag = "me",
    security(("session" = [])),
    params(("If-Match" = String, Header, description = "the ETag of the profile that the change was made for")),
    request_body = ProfileChange,
    responses(
        (status = 200, body = Profile, description = "changed"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn change_profile(
    State(app): State<Arc<App>>,
    session: Session,
    asked: HeaderMap,
    Json(change): Json<ProfileChange>,
) -> Result<Response> {
    let shop = app.shop().await?;
    let now = app.clock.now();
    let mut faults = Faults::default();
    let name = change.name.map(|name| name.trim().to_owned());
    if let Some(name) = &name {
        faults.check_name(name);
    }
    if let Some(language) = &change.language {
        faults.check_language(language);
    }
    let phone = change.phone.map(|phone| phone.map(|phone| faults.check_phone(&phone)));
    faults.check_birthday(change.birthday.flatten(), day_of(now, &shop.zone));
    faults.end()?;
    if !asked.contains_key(header::IF_MATCH) {
        let detail = "name the profile's ETag in If-Match";
        return Err(Error::refuse(ProblemCode::PreconditionRequired, detail));
    }

    let mut tx = app.db.begin_write().await?;
    let before = lock(&mut tx, &session.member_id).await?.profile()?;
    if !is_meant(&asked, &etag(&before)?) {
        let detail = "the profile is another one than the change was made for";
        return Err(Error::refuse(ProblemCode::ProfileChanged, detail));
    }
    let after = Profile {
        name: name.unwrap_or_else(|| before.name.clone()),
        language: change.language.unwrap_or_else(|| before.language.clone()),
        birthday: change.birthday.unwrap_or(before.birthday),
        phone: phone.unwrap_or_else(|| before.phone.clone()),
        consents: change.consents.map_or_else(|| before.consents.clone(), tidy),
        ..before.clone()
    };
    sqlx::query("update members set name = $1, language = $2, birthday = $3, phone = $4, consents = $5 where id = $6")
        .bind(&after.name)
        .bind(&after.language)
        .bind(after.birthday.map(|day| i64::from(day.to_epoch_days())))
        .bind(&after.phone)
        .bind(serde_json::to_string(&after.consents)?)
        .bind(&session.member_id)
        .execute(&mut *tx)
        .await?;
    if after.consents != before.consents {
        note_consents(&mut tx, &session.member_id, &after.consents, now).await?;
    }
    tx.commit().await?;
    answer(&HeaderMap::new(), &after)
}

/// Whether a change was made for what is identified so. A proxy that compresses may have made the tag a weak one.
fn is_meant(asked: &HeaderMap, etag: &str) -> bool {
    asked
        .get_all(header::IF_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || known.trim().trim_start_matches("W/") == etag)
}

/// Makes another address the one that signs in, once it is proved.
#[utoipa::path(put, path = "/me/address", operation_id = "change_address", tag = "me",
    security(("session" = [])),
    request_body = ChallengeAnswer,
    responses(
        (status = 200, body = Profile, description = "changed; the old address is told, and signed out everywhere else"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn change_address(
    State(app): State<Arc<App>>,
    session: Session,
    Json(new): Json<ChallengeAnswer>,
) -> Result<Response> {
    let shop = app.shop().await?;
    let now = app.clock.now();
    let (mut tx, address) = prove(&app, &new.challenge_id, &new.code, Purpose::ChangeAddress, now).await?;
    let mut profile = lock(&mut tx, &session.member_id).await?.profile()?;
    if profile.address == address {
        tx.commit().await?;
        return answer(&HeaderMap::new(), &profile);
    }
    // Only whoever has the address comes as far as this, so nobody else learns that it is taken.
    let is_taken = || {
        let detail = "another member has this address";
        Error::refuse(ProblemCode::AddressTaken, detail)
    };
    let changed = sqlx::query(
        "update members set email = $1 where id = $2 and not exists (select 1 from members where email = $1)",
    )
    .bind(&address)
    .bind(&session.member_id)
    .execute(&mut *tx)
    .await;
    match changed {
        Ok(changed) if changed.rows_affected() > 0 => {}
        Ok(_) => {
            tx.commit().await?;
            return Err(is_taken());
        }
        // Somebody else took it at the same moment.
        Err(error)
            if error
                .as_database_error()
                .is_some_and(|cause| cause.is_unique_violation()) =>
        {
            return Err(is_taken());
        }
        Err(error) => return Err(error.into()),
    }
    end_others(&mut tx, &session).await?;
    // A code that is on its way to the old address serves nothing any more.
    forget_address(&mut tx, &profile.address).await?;
    tx.commit().await?;

    let old = std::mem::replace(&mut profile.address, address);
    if let Some(mailer) = &app.mailer {
        let language = mail::language(Some(&profile.language));
        let name = shop.text(&shop.file.name, language);
        mailer.send(Mail::address_changed(old, &shop.file.contact, &name, language));
    }
    answer(&HeaderMap::new(), &profile)
}
