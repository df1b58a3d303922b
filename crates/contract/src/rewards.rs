//! `GET /rewards`: what points can be turned into, and why something cannot be had yet.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Money, Points};

/// Something that points can be turned into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reward {
    /// Stable identifier.
    pub id: String,
    /// What sort of thing it is.
    pub kind: RewardKind,
    /// The shop's own grouping, as text.
    pub category: String,
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub description: String,
    /// A picture below `/media/`; a wallet has a stand-in for each kind.
    pub image_url: Option<String>,
    /// What it costs.
    pub cost_points: Points,
    /// What those points would take off at the till.
    pub points_worth: Money,
    /// What it costs in the shop.
    pub shop_price: Option<Money>,
    /// Every condition, each a sentence.
    pub conditions: Vec<String>,
    /// The first instant at which it can be had.
    pub valid_from: Option<DateTime<Utc>>,
    /// The first instant at which it cannot.
    pub valid_until: Option<DateTime<Utc>>,
    /// For how long its voucher can be used.
    pub voucher_valid_minutes: u32,
    /// How many are left; `None` where nobody counts.
    pub stock_left: Option<u32>,
    /// How many this member can still have; `None` without a limit or a session.
    pub per_member_left: Option<u32>,
    /// The tier it is for, by its id; `None` for everybody.
    pub tier_required: Option<String>,
    /// Whether this member can have it now; `None` without a session.
    pub availability: Option<Availability>,
}

/// What sort of thing a reward is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RewardKind {
    /// A sum off a purchase.
    MoneyOff,
    /// A share off a purchase.
    PercentOff,
    /// A thing for nothing.
    FreeProduct,
    /// A larger or better one.
    Upgrade,
    /// Brought home.
    Delivery,
    /// Something to take part in.
    Experience,
    /// Given to somebody who needs it.
    Donation,
    /// A kind that this version does not know, shown as a plain reward.
    #[serde(other)]
    Other,
}

impl RewardKind {
    /// The kind as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MoneyOff => "money_off",
            Self::PercentOff => "percent_off",
            Self::FreeProduct => "free_product",
            Self::Upgrade => "upgrade",
            Self::Delivery => "delivery",
            Self::Experience => "experience",
            Self::Donation => "donation",
            Self::Other => "other",
        }
    }
}

/// Whether a member can have a reward now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Availability {
    /// Yes.
    Ready,
    /// No, and these are all the reasons.
    NotYet {
        /// At least one.
        reasons: Vec<Reason>,
    },
}

/// Why something cannot be had now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// It costs more points than there are.
    InsufficientBalance {
        /// What it costs.
        required: Points,
        /// What there is; may be below zero.
        available: Points,
        /// The difference.
        missing: Points,
    },
    /// It is for a higher tier.
    TierRequired {
        /// The tier, by its id.
        tier: String,
    },
    /// None are left.
    OutOfStock,
    /// This member had as many as one member can.
    LimitReached,
    /// It begins later.
    NotStarted {
        /// The first instant at which it can be had.
        at: DateTime<Utc>,
    },
    /// It is over.
    Ended,
    /// The membership is paused.
    MemberPaused,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Which rewards, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct RewardQuery {
    /// Only this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RewardKind>,
    /// Words that title, description or category have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only what can be had now, or soon; needs a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<AvailabilityFilter>,
    /// In which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<RewardSort>,
    /// How many at most: 1 to 100, 25 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Which rewards by whether they can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AvailabilityFilter {
    /// Can be had now.
    Ready,
    /// Only points or a beginning are missing.
    Soon,
    /// Everything.
    All,
}

/// In which order rewards come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RewardSort {
    /// What can be had first, then what is nearest, each in the shop's own order.
    #[default]
    Recommended,
    /// The fewest points first.
    Cost,
    /// The most points first.
    CostDesc,
    /// By title.
    Title,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_named_as_it_is_written() {
        for kind in [
            RewardKind::MoneyOff,
            RewardKind::PercentOff,
            RewardKind::FreeProduct,
            RewardKind::Upgrade,
            RewardKind::Delivery,
            RewardKind::Experience,
            RewardKind::Donation,
            RewardKind::Other,
        ] {
            let json = serde_json::to_value(kind).expect("json");
            assert_eq!(json.as_str(), Some(kind.as_str()));
        }
    }
}
