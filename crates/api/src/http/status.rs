//! `GET /me/status`: the one document that the home screen needs.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use loyalty_contract::status::{Activation, Debt, Expiration, LastPurchase, Lifetime, Status, TierKeep, TierStatus};
use loyalty_contract::{Instant, Money, Points, Problem};
use loyalty_rules::lots::{expirations, next_activation};
use loyalty_rules::worth::worth;
use sqlx::AnyConnection;

use super::App;
use super::answer::{accept_language, private};
use super::error::Result;
use super::ledger::entry;
use super::session::Session;
use crate::clock::from_millis;
use crate::members::{EXPIRIES_TOLD_WITHIN, Snapshot};
use crate::shop::Shop;

/// What the member has, what it is worth, what is about to happen to it, and where they stand.
#[utoipa::path(get, path = "/me/status", operation_id = "get_status", tag = "me",
    security(("session" = [])),
    responses(
        (status = 200, body = Status, description = "as of now"),
        (status = 304, description = "nothing but `as_of` has changed"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_status(State(app): State<Arc<App>>, session: Session, asked: HeaderMap) -> Result<Response> {
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    let mut db = app.db.begin_read().await?;
    let status = status_of(&mut db, &shop, &session.member_id, language, app.clock.now()).await?;
    db.rollback().await?;
    private(&asked, language, &status)
}

/// What a member has and where they stand, in a language.
///
/// # Errors
/// Where the database does not answer, or there is no such member (any more).
pub async fn status_of(
    db: &mut AnyConnection,
    shop: &Shop,
    member_id: &str,
    language: &str,
    now: Instant,
) -> Result<Status> {
    let found = Snapshot::load(db, shop, member_id, now).await?;
    let last_purchase = last_purchase(db, shop, member_id).await?;
    let balance = found.balance(shop, Points::ZERO, Points::ZERO)?;
    let debt = match &found.debt_entry {
        Some(cause) if balance.available < Points::ZERO => Some(Debt {
            points: -balance.available,
            cause: entry(db, shop, cause, language).await?,
        }),
        _ => None,
    };
    let value = &shop.file.point_value;
    Ok(Status {
        as_of: found.at,
        balance,
        next_activation: next_activation(&found.lots, found.at)?.map(|(at, points)| Activation { points, at }),
        expirations: expirations(&found.lots, found.at, found.at + EXPIRIES_TOLD_WITHIN)?
            .into_iter()
            .map(|(at, points)| {
                Ok(Expiration {
                    points,
                    worth: worth(points, value)?,
                    at,
                })
            })
            .collect::<Result<_>>()?,
        tier: tier_status(shop, &found),
        lifetime: Lifetime {
            earned: found.totals.earned,
            spent: found.totals.spent,
            expired: found.totals.expired,
            saved: Money::new(found.totals.saved_minor, shop.file.currency),
        },
        unread_messages: found.unread_messages,
        last_purchase,
        debt,
        member: found.member,
    })
}

fn tier_status(shop: &Shop, found: &Snapshot) -> Option<TierStatus> {
    let standing = found.standing?;
    let tiers = &shop.file.tiers;
    let current = tiers.get(standing.tier)?;
    let next = tiers.get(standing.tier + 1);
    let keep = match (standing.collected, standing.valid_until) {
        (Some(collected), Some(by)) => Some(TierKeep {
            needed: current.threshold,
            collected,
            by,
            at_risk: standing.at_risk,
        }),
        _ => None,
    };
    Some(TierStatus {
        current: current.id.clone(),
        valid_until: standing.valid_until,
        next: next.map(|tier| tier.id.clone()),
        qualifying: standing.qualifying,
        threshold: next.map(|tier| tier.threshold),
        remaining: next.map(|tier| (tier.threshold - standing.qualifying).max(Points::ZERO)),
        keep,
    })
}

/// The latest purchase that earned something and was not wholly returned.
async fn last_purchase(db: &mut AnyConnection, shop: &Shop, member_id: &str) -> Result<Option<LastPurchase>> {
    let found: Option<(i64, i64, i64)> = sqlx::query_as(
        "select occurred_at, total_minor, points from purchases
         where member_id = $1 and points > 0 and returned_minor < total_minor order by occurred_at desc limit 1",
    )
    .bind(member_id)
    .fetch_optional(db)
    .await?;
    let Some((at, total, points)) = found else {
        return Ok(None);
    };
    Ok(Some(LastPurchase {
        at: from_millis(at),
        total: Money::new(total, shop.file.currency),
        points: Points(points),
        worth: worth(Points(points), &shop.file.point_value)?,
    }))
}
