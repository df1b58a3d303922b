//! Leaving the programme: what is personal is erased, and the ledger kept without it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use loyalty_contract::auth::{ChallengeAnswer, Purpose};
use loyalty_contract::ledger::EntryKind;
use loyalty_contract::{Instant, Points, Problem};
use sqlx::AnyConnection;

use super::App;
use super::auth::{challenge_is_over, forget_address, prove};
use super::error::{Error, Result};
use super::extract::Json;
use super::identify::forget_refusals;
use super::session::Session;
use crate::account::books::{Books, LEFT, put_back};
use crate::clock::millis;
use crate::events::{Event, record_without_member};
use crate::token;

/// What is about a member and nothing else, to be deleted with them.
const DELETED: [&str; 10] = [
    // Before their keys, as whoever ends a session locks it first.
    "delete from sessions where member_id = $1",
    "delete from code_keys where member_id = $1",
    "delete from visits where member_id = $1",
    "delete from cards where member_id = $1",
    "delete from consent_changes where member_id = $1",
    "delete from agreements where member_id = $1",
    "delete from claims where member_id = $1",
    "delete from reports where member_id = $1",
    "delete from quotes where member_id = $1",
    "delete from outbox where member_id = $1",
];

/// What says in words or by a number who somebody was, in rows that are kept.
const BLANKED: [&str; 3] = [
    // Staff wrote it, perhaps with a name in it.
    "update entries set reason = null where member_id = $1 and kind = 'adjust'",
    "update purchases set member_number = null where member_id = $1",
    "update staff set member_id = null where member_id = $1",
];

/// Leaves the programme, for good.
#[utoipa::path(delete, path = "/me", operation_id = "delete_member", tag = "me",
    security(("session" = [])),
    request_body = ChallengeAnswer,
    responses(
        (status = 204, description = "left: personal data is erased, and the points that were left are over"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn delete_member(
    State(app): State<Arc<App>>,
    session: Session,
    Json(answer): Json<ChallengeAnswer>,
) -> Result<Response> {
    let shop = app.shop().await?;
    let now = app.clock.now();
    let (mut tx, address) = prove(&app, &answer.challenge_id, &answer.code, Purpose::Leave, now).await?;
    let books = Books::open(&mut tx, &shop, &session.member_id, None, now).await?;
    let mut books = books.ok_or_else(Error::signed_out)?;
    let own: Option<(String,)> = sqlx::query_as("select id from members where id = $1 and email = $2")
        .bind(&session.member_id)
        .bind(&address)
        .fetch_optional(&mut *tx)
        .await?;
    if own.is_none() {
        return Err(challenge_is_over());
    }
    let number = books.number.clone();
    release_all(&mut tx, &mut books, now).await?;
    books.leave();
    books.save(&mut tx).await?;
    erase(&mut tx, &session, &number).await?;
    forget_address(&mut tx, &address).await?;
    // Whoever else knows the number is to forget them too; nothing links this to what is kept.
    record_without_member(&mut tx, &number, Event::left(now)).await?;
    tx.commit().await?;
    let cookie = Session::cleared(&app)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Gives every voucher back that was not used.
async fn release_all(tx: &mut AnyConnection, books: &mut Books<'_>, now: Instant) -> Result<()> {
    let open: Vec<(String, i64, Option<String>)> = sqlx::query_as(
        "update redemptions set state = 'released', ended_at = $1,
            version = (select version from members where id = redemptions.member_id)
         where member_id = $2 and state = 'reserved' returning id, points, reward_id",
    )
    .bind(millis(now))
    .bind(&books.member_id)
    .fetch_all(&mut *tx)
    .await?;
    let mut rewards: Vec<String> = vec![];
    for (id, points, reward_id) in open {
        books
            .bring_back(tx, EntryKind::Release, Points(points), &id, now)
            .await?;
        rewards.extend(reward_id);
    }
    // In one order for all members, so that no two wait for each other.
    rewards.sort_unstable();
    for reward_id in rewards {
        put_back(tx, &reward_id).await?;
    }
    Ok(())
}

/// Erases everything that says who somebody was.
async fn erase(tx: &mut AnyConnection, session: &Session, number: &str) -> Result<()> {
    let (phone,): (Option<String>,) = sqlx::query_as("select phone from members where id = $1")
        .bind(&session.member_id)
        .fetch_one(&mut *tx)
        .await?;
    forget_refusals(tx, [Some(number), phone.as_deref()]).await?;
    for statement in DELETED.into_iter().chain(BLANKED) {
        sqlx::query(statement)
            .bind(&session.member_id)
            .execute(&mut *tx)
            .await?;
    }
    sqlx::query("delete from idempotency where scope = $1")
        .bind(session.scope())
        .execute(&mut *tx)
        .await?;
    sqlx::query("insert into former_numbers (number) values ($1) on conflict (number) do nothing")
        .bind(number)
        .execute(&mut *tx)
        .await?;
    // What stands in the place of the number tells their entries from others', and is no number.
    sqlx::query(
        "update members set number = $1, name = '', email = null, language = 'und', state = $2, contact = null,
            unread_messages = 0, birthday = null, phone = null, store = null, terms_version = null, consents = null,
            referral_code = null, own_referral_code = null
         where id = $3",
    )
    .bind(format!("left-{}", token::id()?))
    .bind(LEFT)
    .bind(&session.member_id)
    .execute(tx)
    .await?;
    Ok(())
}
