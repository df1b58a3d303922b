//! What happened, for whoever subscribed to it: written into the outbox by the transaction in which it happened.
//!
//! `docs/webhooks.md` shows every payload.

use loyalty_contract::{Instant, Money, Points};
use loyalty_rules::Overflow;
use loyalty_rules::worth::worth;
use serde_json::{Value as Json, json};
use sqlx::AnyConnection;

use crate::account::{Purchase, Return};
use crate::clock::millis;
use crate::db::{Value, insert_rows};
use crate::http::Result;
use crate::shop::Shop;
use crate::token;

/// Every kind of event.
pub const KINDS: [&str; 9] = [
    "member.joined",
    "member.left",
    "points.earned",
    "points.spent",
    "points.returned",
    "points.expiring",
    "redemption.captured",
    "report.created",
    "tier.changed",
];

/// One thing that happened to a member.
#[derive(Clone, Debug)]
pub struct Event {
    kind: &'static str,
    at: Instant,
    data: Json,
}

impl Event {
    /// Somebody joined, perhaps with the code of another member, whose number is told then.
    pub fn joined(
        at: Instant,
        since: chrono::NaiveDate,
        store: Option<&str>,
        referral_code: Option<&str>,
        referred_by: Option<&str>,
    ) -> Self {
        let data = json!({"since": since, "store": store, "referral_code": referral_code, "referred_by": referred_by});
        Self::new("member.joined", at, data)
    }

    /// Somebody left, and is to be forgotten.
    pub fn left(at: Instant) -> Self {
        Self::new("member.left", at, json!({}))
    }

    /// A purchase earned points.
    pub fn earned(at: Instant, purchase: &Purchase, available_at: Instant, shop: &Shop) -> Self {
        let data = json!({
            "points": purchase.points,
            "available_at": available_at,
            "purchase": purchase_json(purchase, shop),
        });
        Self::new("points.earned", at, data)
    }

    /// Points were turned into a voucher.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn spent(at: Instant, points: Points, redemption_id: &str, shop: &Shop) -> Result<Self, Overflow> {
        let worth = worth(points, &shop.file.point_value)?;
        let data = json!({"points": points, "worth": worth, "redemption": redemption_id});
        Ok(Self::new("points.spent", at, data))
    }

    /// A return took points back.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn returned(
        at: Instant,
        points: Points,
        purchase: &Purchase,
        returned: &Return,
        shop: &Shop,
    ) -> Result<Self, Overflow> {
        let data = json!({
            "points": points,
            "worth": worth(points, &shop.file.point_value)?,
            "return": {
                "external_id": returned.external_id,
                "amount": Money::new(returned.amount_minor, shop.file.currency),
            },
            "purchase": purchase_json(purchase, shop),
        });
        Ok(Self::new("points.returned", at, data))
    }

    /// Points end soon.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn expiring(at: Instant, points: Points, expires_at: Instant, shop: &Shop) -> Result<Self, Overflow> {
        let worth = worth(points, &shop.file.point_value)?;
        let data = json!({"points": points, "worth": worth, "expires_at": expires_at});
        Ok(Self::new("points.expiring", at, data))
    }

    /// A till used a voucher.
    pub fn captured(
        at: Instant,
        redemption_id: &str,
        points: Points,
        money: Money,
        reward: Option<&str>,
        store: &str,
    ) -> Self {
        let data = json!({
            "redemption": redemption_id, "points": points, "money": money, "reward": reward, "store": store,
        });
        Self::new("redemption.captured", at, data)
    }

    /// A member says that something is wrong. What they wrote is for the shop's own eyes.
    pub fn reported(at: Instant, id: &str, reference: &str, entry: Option<&str>, redemption: Option<&str>) -> Self {
        let data = json!({"report": id, "reference": reference, "entry": entry, "redemption": redemption});
        Self::new("report.created", at, data)
    }

    /// A member's tier is another one now.
    pub fn tier_changed(at: Instant, from: &str, to: &str) -> Self {
        Self::new("tier.changed", at, json!({"from": from, "to": to}))
    }

    fn new(kind: &'static str, at: Instant, data: Json) -> Self {
        Self { kind, at, data }
    }

    fn row(self, member_id: Option<&str>, number: &str) -> Result<Vec<Value>> {
        let mut data = self.data;
        data["member"] = number.into();
        let body = json!({"type": self.kind, "timestamp": self.at, "data": data});
        Ok(vec![
            token::id()?.into(),
            millis(self.at).into(),
            self.kind.into(),
            member_id.map(str::to_owned).into(),
            serde_json::to_string(&body)?.into(),
        ])
    }
}

/// Writes them into the outbox.
///
/// # Errors
/// Where the database refuses.
pub async fn record(tx: &mut AnyConnection, member_id: &str, number: &str, events: Vec<Event>) -> Result<()> {
    let rows = events
        .into_iter()
        .map(|event| event.row(Some(member_id), number))
        .collect::<Result<Vec<_>>>()?;
    write(tx, rows).await
}

/// Writes one into the outbox that nothing but its number links to a member.
///
/// # Errors
/// Where the database refuses.
pub async fn record_without_member(tx: &mut AnyConnection, number: &str, event: Event) -> Result<()> {
    write(tx, vec![event.row(None, number)?]).await
}

async fn write(tx: &mut AnyConnection, rows: Vec<Vec<Value>>) -> Result<()> {
    insert_rows(tx, "outbox", &["id", "at", "kind", "member_id", "body"], rows).await?;
    Ok(())
}

fn purchase_json(purchase: &Purchase, shop: &Shop) -> Json {
    json!({
        "external_id": purchase.external_id,
        "store": purchase.store,
        "occurred_at": purchase.occurred_at,
        "total": Money::new(purchase.total_minor, shop.file.currency),
    })
}
