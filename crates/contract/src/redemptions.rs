//! Points that were turned into a voucher, and what became of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::rewards::RewardKind;
use crate::{Money, Points};

/// Does what a quote said: the points leave the balance now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRedemption {
    /// From the quote.
    pub quote_id: String,
}

/// A voucher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Redemption {
    /// Opaque.
    pub id: String,
    /// What became of it.
    pub state: RedemptionState,
    /// What the till takes: 8 digits of Crockford's base 32.
    pub code: String,
    /// What it cost.
    pub points: Points,
    /// What it takes off, or what its points are worth.
    pub money: Money,
    /// For which reward; `None` for money off at the till.
    pub reward: Option<RedeemedReward>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The first instant at which it can be used no more.
    pub valid_until: DateTime<Utc>,
    /// Every condition, each a sentence.
    pub conditions: Vec<String>,
    /// What the till used of it.
    pub captured: Option<Captured>,
    /// When it was given back, lapsed or was refunded.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The reward that a voucher is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedeemedReward {
    /// Its id, whether or not the programme still has it.
    pub id: String,
    /// What it was called.
    pub title: String,
    /// What sort of thing it is.
    pub kind: RewardKind,
    /// Its picture.
    pub image_url: Option<String>,
}

/// What a till used of a voucher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Captured {
    /// When.
    pub at: DateTime<Utc>,
    /// How many points; fewer than it cost where the basket was smaller.
    pub points: Points,
    /// What it took off, or what those points are worth.
    pub money: Money,
    /// Where, by the store's id; `None` where nobody wrote it down.
    pub store: Option<String>,
}

/// What became of a voucher: `reserved → captured | released | expired`, `captured → refunded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RedemptionState {
    /// It can be used, and given back.
    Reserved,
    /// A till used it.
    Captured,
    /// The member gave it back.
    Released,
    /// Its time ran out.
    Expired,
    /// It was used, and taken back.
    Refunded,
    /// A state that this version does not know.
    #[serde(other)]
    Unknown,
}

impl RedemptionState {
    /// Every state that a server of this version can send.
    pub const ALL: [Self; 5] = [
        Self::Reserved,
        Self::Captured,
        Self::Released,
        Self::Expired,
        Self::Refunded,
    ];

    /// The state as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
            Self::Unknown => "unknown",
        }
    }
}

/// Which of a member's vouchers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct RedemptionQuery {
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RedemptionState>,
    /// How many at most: 1 to 100, 25 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Uses a voucher at the till.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"basket": {"minor": 250, "currency": "EUR"}})))]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// What is to be paid. Money off at the till takes no more than that, and the rest of the points comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basket: Option<Money>,
}
