//! Finding a member at the counter by what they show or say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::status::{Balance, MemberState};
use crate::{Money, Points};

/// What a member shows or says: exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"code": "LW1.512102314864.46119246"})))]
#[serde(deny_unknown_fields)]
pub struct Identify {
    /// The code on their phone or their printed card, as a QR or a barcode has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Their number, as they say it; written into the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Their telephone number as in E.164; written into the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Who it is, in as few words as serving them takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Identified {
    /// Names the member for one basket, to whoever asked and to nobody else.
    pub visit: String,
    /// The first instant at which the visit is of no use.
    pub visit_until: DateTime<Utc>,
    /// What they are called, and the first letter of their other name.
    pub name: String,
    /// The last three digits of their telephone number, if they told one.
    pub phone_end: Option<String>,
    /// Whether they earn and spend.
    pub state: MemberState,
    /// Their tier; `None` where the programme has none.
    pub tier: Option<IdentifiedTier>,
    /// What they have.
    pub balance: Balance,
    /// What they can have now for their points.
    pub rewards: Vec<ReadyReward>,
    /// What they had already and have not used: the code that uses one is on their own screen.
    pub vouchers: Vec<ReadyVoucher>,
}

/// Where a member stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentifiedTier {
    /// Opaque.
    pub id: String,
    /// What it is called.
    pub name: String,
}

/// A reward that the balance covers now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadyReward {
    /// Opaque.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it costs.
    pub cost_points: Points,
}

/// A voucher that can be used now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadyVoucher {
    /// Opaque.
    pub id: String,
    /// The reward; `None` for money off at the till.
    pub title: Option<String>,
    /// What it is worth.
    pub money: Money,
    /// The first instant at which it is of no use.
    pub valid_until: DateTime<Utc>,
}
