//! A purchase that was missed at the till, claimed by what stands on its receipt.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{Money, Points};

/// Says that a purchase was one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "store": "main", "receipt": "R-1001", "total": {"minor": 1840, "currency": "EUR"}, "bought_on": "2026-11-20"
})))]
#[serde(deny_unknown_fields)]
pub struct NewClaim {
    /// Where, by the store's id.
    pub store: String,
    /// The number on the receipt.
    pub receipt: String,
    /// What was paid.
    pub total: Money,
    /// When, by the calendar of the store; not longer ago than the return window.
    pub bought_on: NaiveDate,
}

/// A purchase that somebody claimed, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Claim {
    /// Opaque.
    pub claim_id: String,
    /// What came of it.
    pub state: ClaimState,
    /// Where, by the store's id.
    pub store: String,
    /// The number on the receipt.
    pub receipt: String,
    /// What was paid.
    pub total: Money,
    /// When, as the member said.
    pub bought_on: NaiveDate,
    /// What it earned, less what was returned of it until then; `None` unless it was accepted.
    pub points: Option<Points>,
    /// Why it was rejected.
    pub reason: Option<ClaimReason>,
    /// When it was claimed.
    pub created_at: DateTime<Utc>,
}

/// What came of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// The purchase is the member's, and has earned.
    Accepted,
    /// No till has told of the purchase yet; for seven days it still can.
    Waiting,
    /// Nothing came of it.
    Rejected,
    /// A state that this version does not know.
    #[serde(other)]
    Unknown,
}

impl ClaimState {
    /// Every state that a server of this version can send.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Waiting, Self::Rejected];

    /// The state as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Waiting => "waiting",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

/// Why nothing came of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClaimReason {
    /// No till told of such a purchase in time.
    NotFound,
    /// The membership was paused for all that time.
    MemberPaused,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

impl ClaimReason {
    /// Every reason that a server of this version can send.
    pub const ALL: [Self; 2] = [Self::NotFound, Self::MemberPaused];

    /// The reason as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MemberPaused => "member_paused",
            Self::Unknown => "unknown",
        }
    }
}
