//! `GET /me/status`: the one document that the home screen needs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ledger::LedgerEntry;
use crate::programme::Contact;
use crate::{Money, Points};

/// What a member has, what it is worth, what is about to happen to it, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// When this was true.
    pub as_of: DateTime<Utc>,
    /// Whose it is.
    pub member: Member,
    /// What they have.
    pub balance: Balance,
    /// When pending points can be used next, and how many then.
    pub next_activation: Option<Activation>,
    /// Everything that expires within 90 days, soonest first.
    pub expirations: Vec<Expiration>,
    /// Where they stand; `None` in a programme without tiers.
    pub tier: Option<TierStatus>,
    /// Since they joined.
    pub lifetime: Lifetime,
    /// Messages in the inbox that were not opened.
    pub unread_messages: u32,
    /// The latest purchase that earned something, to explain the rule with.
    pub last_purchase: Option<LastPurchase>,
    /// Why the balance is below zero; `None` when it is not.
    pub debt: Option<Debt>,
}

/// A member, as they see themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// Twelve digits; it names a member and proves nothing.
    pub number: String,
    /// What they want to be called.
    pub name: String,
    /// The day they joined.
    pub since: chrono::NaiveDate,
    /// What they can do.
    pub state: MemberState,
    /// The person who looks after them, for `managed`.
    pub contact: Option<Contact>,
    /// The version of the terms that they agreed to; `None` where they never did, such as after an import.
    pub accepted_terms_version: Option<u32>,
}

/// What a member can do. Neither of the last two is a fault of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Earns and spends.
    Active,
    /// Sees everything, neither earns nor spends.
    Paused,
    /// A strategic customer: a person looks after them instead of mass offers.
    Managed,
    /// A state that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What a member has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Balance {
    /// Can be used now; below zero after a return of what was already spent.
    pub available: Points,
    /// Wait for a return window to end.
    pub pending: Points,
    /// What the available points take off at the till; zero when they are below zero.
    pub worth: Money,
}

/// Pending points that can be used from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activation {
    /// How many.
    pub points: Points,
    /// The first instant at which they can be used.
    pub at: DateTime<Utc>,
}

/// Points that cannot be used from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expiration {
    /// How many.
    pub points: Points,
    /// What they are worth until then.
    pub worth: Money,
    /// The first instant at which they cannot be used.
    pub at: DateTime<Utc>,
}

/// Where a member stands on the ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TierStatus {
    /// The tier held, by its id.
    pub current: String,
    /// The first instant at which it is held no more unless kept; `None` for the lowest, which nobody loses.
    pub valid_until: Option<DateTime<Utc>>,
    /// The next tier up; `None` at the top.
    pub next: Option<String>,
    /// Points that count towards a tier now, pending ones included.
    pub qualifying: Points,
    /// What the next tier needs; `None` at the top.
    pub threshold: Option<Points>,
    /// What is missing to it; `None` at the top.
    pub remaining: Option<Points>,
    /// What it takes to keep the tier held; `None` for the lowest.
    pub keep: Option<TierKeep>,
}

/// What it takes to keep a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TierKeep {
    /// Qualifying points that keep it.
    pub needed: Points,
    /// How many of them are there already.
    pub collected: Points,
    /// The first instant that is too late.
    pub by: DateTime<Utc>,
    /// Not enough yet, and the tier ends within 60 days.
    pub at_risk: bool,
}

/// Since a member joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lifetime {
    /// Earned and given, less what returns took back.
    pub earned: Points,
    /// Used, less what came back.
    pub spent: Points,
    /// Expired unused.
    pub expired: Points,
    /// What the points used were worth.
    pub saved: Money,
}

/// A purchase and what it earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastPurchase {
    /// When.
    pub at: DateTime<Utc>,
    /// What was paid.
    pub total: Money,
    /// What it earned.
    pub points: Points,
    /// What that is worth.
    pub worth: Money,
}

/// A balance below zero, and what took it there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Debt {
    /// How far below zero, as a number above it.
    pub points: Points,
    /// The ledger entry that took the balance below zero.
    pub cause: LedgerEntry,
}
