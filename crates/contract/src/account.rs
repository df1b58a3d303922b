//! What a member keeps about themselves: profile, address, sessions, terms, a printed card, and leaving.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use crate::claims::Claim;
use crate::code_keys::CodeKey;
use crate::ledger::LedgerEntry;
use crate::members::Consents;
use crate::redemptions::Redemption;
use crate::reports::Report;
use crate::status::Status;
use crate::{Money, Points};

/// A member's own data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// Twelve digits; it names a member and proves nothing.
    pub number: String,
    /// What they want to be called.
    pub name: String,
    /// The address that signs in.
    pub address: String,
    /// BCP 47: the language that the shop writes to them in.
    pub language: String,
    /// For a present.
    pub birthday: Option<NaiveDate>,
    /// As in E.164, so that a shop finds them by it; nobody has proved it.
    pub phone: Option<String>,
    /// Where they joined, by the store's id.
    pub store: Option<String>,
    /// What they pass on to others: 8 digits of Crockford's base 32.
    pub referral_code: String,
    /// The version of the terms that they agreed to; `None` where they never did, such as after an import.
    pub accepted_terms_version: Option<u32>,
    /// What they agreed to be written to about.
    pub consents: Consents,
    /// The day they joined.
    pub since: NaiveDate,
}

/// Changes a profile: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"name": "Linh", "birthday": null})))]
#[serde(default, deny_unknown_fields)]
pub struct ProfileChange {
    /// What they want to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// BCP 47: the language that the shop writes to them in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Another day, or null for none.
    #[serde(deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<NaiveDate>))]
    pub birthday: Option<Option<NaiveDate>>,
    /// Another telephone number as in E.164, or null for none.
    #[serde(deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub phone: Option<Option<String>>,
    /// All of them anew: what is absent in here is agreed to no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consents: Option<Consents>,
}

/// Reads a field that is there, so that null can be told from nothing said.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// One place where a member is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberSession {
    /// Opaque.
    pub id: String,
    /// Browser and system by their own names, such as `Chrome · Android`; empty where nothing is known.
    pub device: String,
    /// When they signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last used: to the day where it is remembered, to the minute elsewhere.
    pub last_seen_at: DateTime<Utc>,
    /// The one that asks.
    pub is_current: bool,
    /// It stays for 90 days after its last use; any other ends after 30 minutes without one.
    pub is_remembered: bool,
}

/// Agrees to a version of the terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"version": 2})))]
#[serde(deny_unknown_fields)]
pub struct NewAgreement {
    /// One that was published.
    pub version: u32,
}

/// A new printed card, with what is shown of it this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrintedCard {
    /// Opaque.
    pub card_id: String,
    /// For its QR: `LWC1.<number>.<16 digits>`.
    pub text: String,
    /// For its 1-D barcode: the same 28 digits without anything between.
    pub digits: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A printed card that counts: there is one at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Card {
    /// Opaque.
    pub card_id: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Everything that is held about a member, to take away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Export {
    /// When this was so.
    pub exported_at: DateTime<Utc>,
    /// Their own data.
    pub profile: Profile,
    /// Who sent them, as they typed it.
    pub referred_by: Option<String>,
    /// What they have and where they stand.
    pub status: Status,
    /// Everything that ever happened to their points, oldest first.
    pub ledger: Vec<LedgerEntry>,
    /// What they bought, oldest first.
    pub purchases: Vec<HeldPurchase>,
    /// Their vouchers, oldest first.
    pub redemptions: Vec<Redemption>,
    /// What they agreed to be written to about, each time that it changed.
    pub consents: Vec<ConsentChange>,
    /// Which terms they agreed to.
    pub agreements: Vec<Agreement>,
    /// Which purchases they claimed, oldest first.
    pub claims: Vec<Claim>,
    /// What they told the shop, oldest first.
    pub reports: Vec<Report>,
    /// Where they are signed in.
    pub sessions: Vec<MemberSession>,
    /// Their printed card.
    pub cards: Vec<Card>,
    /// The devices that show their code.
    pub code_keys: Vec<CodeKey>,
    /// What staff and programs did with their account.
    pub audit: Vec<AuditEntry>,
}

/// A purchase as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldPurchase {
    /// The till's number.
    pub external_id: String,
    /// Where, by the store's id.
    pub store: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// What was paid.
    pub total: Money,
    /// What it earned.
    pub points: Points,
    /// What of it was brought back.
    pub returned: Money,
    /// What was bought, where the till told it.
    pub lines: Vec<HeldLine>,
}

/// A line of a receipt as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldLine {
    /// The shop's number for it.
    pub sku: String,
    /// The shop's own grouping.
    pub category: Option<String>,
    /// How many pieces.
    pub quantity: i64,
    /// What was paid for all of them.
    pub total: Money,
}

/// What a member agreed to be written to about, from an instant on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentChange {
    /// When they said so.
    pub at: DateTime<Utc>,
    /// To what.
    pub consents: Consents,
}

/// That a member agreed to the terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Agreement {
    /// Which version of them.
    pub version: u32,
    /// When.
    pub at: DateTime<Utc>,
}

/// What somebody at the counter, or a program, did with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub action: String,
    /// More of it.
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birthday_taken_away_is_told_from_none_said() {
        let read = |text: &str| serde_json::from_str::<ProfileChange>(text).expect("a change").birthday;
        let day = NaiveDate::from_ymd_opt(1990, 2, 28);
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"birthday": null}"#), Some(None));
        assert_eq!(read(r#"{"birthday": "1990-02-28"}"#), Some(day));
        let taken_away = ProfileChange {
            birthday: Some(None),
            ..ProfileChange::default()
        };
        let text = serde_json::to_string(&taken_away).expect("json");
        assert_eq!(text, r#"{"birthday":null}"#);
    }
}
