//! Joining the programme.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Joins, with an address that was just proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// From the answered challenge.
    pub enrolment_token: String,
    /// What they want to be called.
    pub name: String,
    /// BCP 47: the language that the shop writes to them in.
    pub language: String,
    /// The version of the terms that they read; only the present one will do.
    pub accepted_terms_version: u32,
    /// What they agreed to, and by which channels; empty for nothing.
    pub consents: Consents,
    /// For a present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<NaiveDate>,
    /// Where they joined, by the store's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Who sent them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral_code: Option<String>,
    /// Stay signed in on this device, as on one's own phone; a borrowed one is signed out after 30 minutes without use.
    #[serde(default = "crate::auth::remembered")]
    pub remember: bool,
}

/// What somebody agreed to be written to about, and by which channels; nothing by none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Consents {
    /// What is on offer.
    pub offers: Vec<Channel>,
    /// What is about to end, such as points.
    pub reminders: Vec<Channel>,
    /// What they think of the shop.
    pub surveys: Vec<Channel>,
}

/// How a shop may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// A text message.
    Sms,
    /// A notification of the installed wallet.
    Push,
    /// A letter.
    Post,
}
