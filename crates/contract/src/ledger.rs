//! `GET /me/ledger`: everything that ever happened to a balance, newest first. Nothing is changed or deleted.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::programme::Earning;
use crate::{Money, Points};

/// One thing that happened to a balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerEntry {
    /// Opaque.
    pub id: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: EntryKind,
    /// How many points came (above zero) or went (below).
    pub points: Points,
    /// What that many points are worth, above zero either way.
    pub worth: Money,
    /// Available plus pending, after it.
    pub balance_after: Points,
    /// Why, in the shop's words, where the kind and the reference do not say it all.
    pub reason: Option<String>,
    /// What it belongs to.
    pub reference: Option<Reference>,
    /// The first instant at which these points can be used.
    pub available_at: Option<DateTime<Utc>>,
    /// The first instant at which they cannot.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What happened to a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A purchase earned points.
    Earn,
    /// The shop gave points.
    Bonus,
    /// Points were used.
    Spend,
    /// A voucher was given back unused.
    Release,
    /// A used voucher was taken back.
    Refund,
    /// A returned purchase took back what it had earned.
    Return,
    /// Points ended unused.
    Expire,
    /// Staff corrected something.
    Adjust,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What a ledger entry belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reference {
    /// A purchase.
    Purchase {
        /// The till's number for it.
        external_id: String,
        /// The name of the store.
        store: String,
        /// What was paid.
        total: Money,
    },
    /// A return of a purchase, or of a part of it.
    Return {
        /// The till's number for the return.
        external_id: String,
        /// The till's number for the purchase.
        purchase: String,
        /// The name of the store.
        store: String,
        /// What the returned goods had cost.
        amount: Money,
    },
    /// Points that were turned into something.
    Redemption {
        /// Opaque.
        id: String,
        /// The reward's title; `None` for money off at the till.
        reward: Option<String>,
        /// What it took off, or was worth.
        money: Money,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// `GET /me/ledger/{id}`: one entry, with what explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryDetails {
    /// The entry, as it stands in the ledger.
    pub entry: LedgerEntry,
    /// The rate by which its purchase earned; `None` where there is no purchase.
    pub rate: Option<EarningRate>,
    /// The other entries of the same purchase or voucher, newest first.
    pub related: Vec<LedgerEntry>,
}

/// The rate by which a purchase earned, which stays with it when the programme changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EarningRate {
    /// The programme's rule then.
    pub earning: Earning,
    /// What the member's tier made of it, in thousandths.
    pub multiplier_permille: u32,
}

/// Which entries of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct LedgerQuery {
    /// Only these kinds, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Not before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// How many entries at most: 1 to 100, 25 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
