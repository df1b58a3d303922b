//! What a till tells: purchases and their returns.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Money, Points};

/// A purchase, as the till has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "external_id": "R-1001", "store": "main", "occurred_at": "2026-11-21T09:58:00Z",
    "total": {"minor": 1840, "currency": "EUR"}, "member": "512102314864",
    "lines": [{"sku": "kettle", "quantity": 2, "total": {"minor": 1840, "currency": "EUR"}}]
})))]
#[serde(deny_unknown_fields)]
pub struct NewPurchase {
    /// The till's number for it, unique within the store.
    pub external_id: String,
    /// Where, by the store's id.
    pub store: String,
    /// When; at most 7 days ago and 5 minutes ahead.
    pub occurred_at: DateTime<Utc>,
    /// What was paid, after vouchers.
    pub total: Money,
    /// The member's number; without it the purchase counts as anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Or the code on their phone or card, as it was scanned just now; a code is used up by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_code: Option<String>,
    /// Or the visit that identifying them gave, which serves one purchase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<String>,
    /// What was bought, so that it can be returned line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<PurchaseLine>,
}

/// One line of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PurchaseLine {
    /// The shop's number of the article.
    pub sku: String,
    /// What kind of article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How many pieces; what is weighed is one.
    pub quantity: u32,
    /// What they cost together.
    pub total: Money,
}

/// What a purchase earned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseRecorded {
    /// How many points; none for anybody who does not earn.
    pub points: Points,
    /// The first instant at which they can be used; `None` where there are none.
    pub available_at: Option<DateTime<Utc>>,
    /// Whose it was.
    pub member_state: PurchaseMember,
}

/// Whose a purchase was, as far as earning is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PurchaseMember {
    /// Nobody's: the till named no member.
    Anonymous,
    /// Nobody has the number that the till named.
    Unknown,
    /// A member who earns.
    Active,
    /// A member who neither earns nor spends for now.
    Paused,
    /// A member whom a person of the shop looks after; they earn too.
    Managed,
}

/// Goods that came back: so much money, or these lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"external_id": "R-1001-1", "lines": [{"sku": "kettle", "quantity": 1}]})))]
#[serde(deny_unknown_fields)]
pub struct NewReturn {
    /// The till's number for it, unique within the purchase.
    pub external_id: String,
    /// What was paid back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Or which goods, at what was paid for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ReturnedLine>,
}

/// Pieces of an article that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReturnedLine {
    /// The shop's number of the article, as on the purchase.
    pub sku: String,
    /// How many pieces.
    pub quantity: u32,
}

/// What a return took back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnRecorded {
    /// What of the purchase was paid back by it.
    pub amount: Money,
    /// What the purchase earned less by it.
    pub points: Points,
    /// What of the purchase came back by now, this return included.
    pub returned: Money,
}
