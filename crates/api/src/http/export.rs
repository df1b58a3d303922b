//! Everything that is held about a member, to take away.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use loyalty_contract::account::{AuditEntry, ConsentChange, Export, HeldLine, HeldPurchase};
use loyalty_contract::{Instant, Money, Points, Problem};
use sqlx::{AnyConnection, FromRow};

use super::App;
use super::answer::{accept_language, made};
use super::cards::cards_of;
use super::claims::claims_of;
use super::code_keys::code_keys_of;
use super::error::Result;
use super::ledger::entries_between;
use super::profile::profile_of;
use super::redemptions::redemptions_of;
use super::reports::reports_of;
use super::session::Session;
use super::sessions::sessions_of;
use super::status::status_of;
use super::terms::agreements_of;
use crate::clock::from_millis;
use crate::shop::Shop;

#[derive(FromRow)]
struct PurchaseRow {
    id: String,
    external_id: String,
    store: String,
    occurred_at: i64,
    total_minor: i64,
    points: i64,
    returned_minor: i64,
}

#[derive(FromRow)]
struct LineRow {
    purchase_id: String,
    sku: String,
    category: Option<String>,
    quantity: i64,
    total_minor: i64,
}

/// Everything that is held about the member, as a file.
#[utoipa::path(get, path = "/me/export", operation_id = "get_export", tag = "me",
    security(("session" = [])),
    responses(
        (status = 200, body = Export, description = "everything, as of one instant"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_export(State(app): State<Arc<App>>, session: Session, asked: HeaderMap) -> Result<Response> {
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    let now = app.clock.now();
    // First, since it may have to write down a referral code.
    let profile = profile_of(&app, &session.member_id).await?;
    let member_id = session.member_id.as_str();
    let always = (Instant::MIN_UTC, Instant::MAX_UTC);
    let mut db = app.db.begin_read().await?;
    let (referred_by,): (Option<String>,) = sqlx::query_as("select referral_code from members where id = $1")
        .bind(member_id)
        .fetch_one(&mut *db)
        .await?;
    let export = Export {
        exported_at: now,
        profile,
        referred_by,
        status: status_of(&mut db, &shop, member_id, language, now).await?,
        ledger: entries_between(&mut db, &shop, member_id, always, language).await?,
        purchases: purchases_of(&mut db, &shop, member_id).await?,
        redemptions: redemptions_of(&mut db, &shop, member_id, language).await?,
        consents: consents_of(&mut db, member_id).await?,
        agreements: agreements_of(&mut db, member_id).await?,
        claims: claims_of(&mut db, &shop, member_id).await?,
        reports: reports_of(&mut db, member_id).await?,
        sessions: sessions_of(&mut db, &session, now).await?,
        cards: cards_of(&mut db, member_id).await?,
        code_keys: code_keys_of(&mut db, &session, now).await?,
        audit: audit_of(&mut db, member_id).await?,
    };
    db.rollback().await?;
    let mut response = made(StatusCode::OK, &export)?;
    let name = format!(
        "attachment; filename=\"{}-{}.json\"",
        shop.file.id, export.profile.number
    );
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::try_from(name).map_err(super::Error::internal)?,
    );
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_str(language).map_err(super::Error::internal)?,
    );
    Ok(response)
}

async fn purchases_of(db: &mut AnyConnection, shop: &Shop, member_id: &str) -> Result<Vec<HeldPurchase>> {
    let rows: Vec<PurchaseRow> = sqlx::query_as(
        "select id, external_id, store, occurred_at, total_minor, points, returned_minor
         from purchases where member_id = $1 order by occurred_at, id",
    )
    .bind(member_id)
    .fetch_all(&mut *db)
    .await?;
    let lines: Vec<LineRow> = sqlx::query_as(
        "select l.purchase_id, l.sku, l.category, l.quantity, l.total_minor
         from purchase_lines l join purchases p on p.id = l.purchase_id
         where p.member_id = $1 order by l.purchase_id, l.position",
    )
    .bind(member_id)
    .fetch_all(db)
    .await?;
    let money = |minor| Money::new(minor, shop.file.currency);
    let mut lines_by_purchase: BTreeMap<String, Vec<HeldLine>> = BTreeMap::new();
    for line in lines {
        let held = HeldLine {
            sku: line.sku,
            category: line.category,
            quantity: line.quantity,
            total: money(line.total_minor),
        };
        lines_by_purchase.entry(line.purchase_id).or_default().push(held);
    }
    Ok(rows
        .into_iter()
        .map(|row| HeldPurchase {
            external_id: row.external_id,
            store: row.store,
            occurred_at: from_millis(row.occurred_at),
            total: money(row.total_minor),
            points: Points(row.points),
            returned: money(row.returned_minor),
            lines: lines_by_purchase.remove(&row.id).unwrap_or_default(),
        })
        .collect())
}

async fn consents_of(db: &mut AnyConnection, member_id: &str) -> Result<Vec<ConsentChange>> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("select at, consents from consent_changes where member_id = $1 order by at")
            .bind(member_id)
            .fetch_all(db)
            .await?;
    rows.into_iter()
        .map(|(at, consents)| {
            Ok(ConsentChange {
                at: from_millis(at),
                consents: serde_json::from_str(&consents)?,
            })
        })
        .collect()
}

async fn audit_of(db: &mut AnyConnection, member_id: &str) -> Result<Vec<AuditEntry>> {
    let rows: Vec<(i64, String, Option<String>)> =
        sqlx::query_as("select at, action, detail from audit where member_id = $1 order by at, id")
            .bind(member_id)
            .fetch_all(db)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(at, action, detail)| AuditEntry {
            at: from_millis(at),
            action,
            detail: detail.filter(|detail| !detail.is_empty()),
        })
        .collect())
}
