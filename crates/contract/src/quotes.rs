//! `POST /quotes`: what would happen, without doing it. A quote pins what was shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::status::Balance;
use crate::{Money, Points};

/// What a member thinks of doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum QuoteRequest {
    /// Buying for so much.
    Earn(Money),
    /// Using points as money at the till.
    Spend(SpendAmount),
    /// Turning points into this reward.
    RewardId(String),
    /// Bringing back goods of a purchase.
    Return(QuotedReturn),
}

/// Goods that would come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct QuotedReturn {
    /// The till's number for the purchase.
    pub purchase: String,
    /// What would be paid back.
    pub amount: Money,
}

/// How much to use at the till, said either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpendAmount {
    /// Up to so many points; charged are the fewest that give the same money.
    Points(Points),
    /// So much money; charged are the fewest points that give it.
    Money(Money),
}

/// What would happen. Good for five minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// Opaque.
    pub quote_id: String,
    /// The first instant at which it no longer holds.
    pub expires_at: DateTime<Utc>,
    /// What would come (earning), be charged (spending) or be taken back (returning); never below zero.
    pub points: Points,
    /// What would be paid (earning), taken off (spending) or paid back (returning), or what the reward's points are
    /// worth.
    pub money: Money,
    /// What there would be afterwards.
    pub balance_after: Balance,
    /// The tier held afterwards, by its id; `None` in a programme without tiers.
    pub tier_after: Option<String>,
    /// Every condition, each a sentence.
    pub conditions: Vec<String>,
}
