//! "This is wrong": what a member tells the shop about an entry or a voucher.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Tells the shop that something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"text": "I paid €18.40, not €14.80."})))]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// With which entry of the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_id: Option<String>,
    /// With which voucher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redemption_id: Option<String>,
    /// What is wrong: 1 to 1000 characters.
    pub text: String,
}

/// A report has reached the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportMade {
    /// Opaque.
    pub report_id: String,
    /// What it is called on the phone: six digits of Crockford's base 32.
    pub reference: String,
}

/// What a member told the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Opaque.
    pub report_id: String,
    /// What it is called on the phone.
    pub reference: String,
    /// Which entry it is about.
    pub entry_id: Option<String>,
    /// Which voucher it is about.
    pub redemption_id: Option<String>,
    /// What they wrote.
    pub text: String,
    /// When they did.
    pub created_at: DateTime<Utc>,
    /// When the shop had dealt with it.
    pub closed_at: Option<DateTime<Utc>>,
}
