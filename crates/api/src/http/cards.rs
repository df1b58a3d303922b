//! A printed card: it identifies a member without a phone, and never spends by itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use loyalty_contract::account::{Card, PrintedCard};
use loyalty_contract::{Page, Problem};
use sqlx::AnyConnection;

use super::App;
use super::answer::{made, private_data};
use super::error::{Error, Result};
use super::extract::Path;
use super::session::{Session, lock};
use crate::clock::{from_millis, millis};
use crate::token;

/// Makes a new card; the old one counts no more.
#[utoipa::path(post, path = "/me/cards", operation_id = "create_card", tag = "me",
    security(("session" = [])),
    responses(
        (status = 201, body = PrintedCard, description = "made; what is on it is shown this once"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_card(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    let now = app.clock.now();
    let (card_id, digits) = (token::id()?, token::card_digits()?);
    let mut tx = app.db.begin_write().await?;
    let number = lock(&mut tx, &session.member_id).await?;
    sqlx::query(
        "insert into cards (id, member_id, digits_hash, created_at) values ($1, $2, $3, $4)
         on conflict (member_id) do update set
            id = excluded.id, digits_hash = excluded.digits_hash, created_at = excluded.created_at",
    )
    .bind(&card_id)
    .bind(&session.member_id)
    .bind(token::hash(format!("{number}{digits}")))
    .bind(millis(now))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    let card = PrintedCard {
        card_id,
        text: format!("LWC1.{number}.{digits}"),
        digits: format!("{number}{digits}"),
        created_at: now,
    };
    made(StatusCode::CREATED, &card)
}

/// The member's card, if they have one.
#[utoipa::path(get, path = "/me/cards", operation_id = "list_cards", tag = "me",
    security(("session" = [])),
    responses(
        (status = 200, body = Page<Card>, description = "one at most"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_cards(State(app): State<Arc<App>>, session: Session, asked: HeaderMap) -> Result<Response> {
    let mut db = app.db.pool.acquire().await?;
    let items = cards_of(&mut db, &session.member_id).await?;
    let text = serde_json::to_string(&Page { items, next: None })?;
    private_data(&asked, &token::etag(&text), text)
}

/// A member's cards.
pub async fn cards_of(db: &mut AnyConnection, member_id: &str) -> Result<Vec<Card>> {
    let rows: Vec<(String, i64)> = sqlx::query_as("select id, created_at from cards where member_id = $1")
        .bind(member_id)
        .fetch_all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(card_id, created_at)| Card {
            card_id,
            created_at: from_millis(created_at),
        })
        .collect())
}

/// Ends a card, such as one that was lost.
#[utoipa::path(delete, path = "/me/cards/{card_id}", operation_id = "delete_card", tag = "me",
    security(("session" = [])),
    params(("card_id" = String, Path, description = "the card")),
    responses(
        (status = 204, description = "it counts no more"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn delete_card(
    State(app): State<Arc<App>>,
    session: Session,
    Path(card_id): Path<String>,
) -> Result<StatusCode> {
    if !token::is_id(&card_id) {
        return Err(Error::not_found());
    }
    let mut tx = app.db.begin_write().await?;
    let ended = sqlx::query("delete from cards where id = $1 and member_id = $2")
        .bind(&card_id)
        .bind(&session.member_id)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    if ended.rows_affected() == 0 {
        return Err(Error::not_found());
    }
    Ok(StatusCode::NO_CONTENT)
}
