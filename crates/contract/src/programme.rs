//! `GET /programme`: everything that makes one shop's programme different. Nothing of it is compiled in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Currency, Money, Points};

/// A loyalty programme, in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Programme {
    /// Stable identifier.
    pub id: String,
    /// What the shop calls it.
    pub name: String,
    /// The rule in the shop's own sentence; a wallet can also make one from the numbers below.
    pub promise: String,
    /// The one currency of the programme.
    pub currency: Currency,
    /// IANA name of the zone whose midnights begin and end everything, such as `Europe/Berlin`.
    pub time_zone: String,
    /// What a point is called.
    pub point_name: PluralForms,
    /// What points are worth.
    pub point_value: PointValue,
    /// What money earns.
    pub earning: Earning,
    /// From the lowest threshold up; empty for a programme without tiers.
    pub tiers: Vec<Tier>,
    /// Over which time points count towards a tier.
    pub tier_window: TierWindow,
    /// Points of a purchase wait this many days, during which it can be returned.
    pub return_window_days: u32,
    /// For how many months points can be used; `None` for ever.
    pub points_valid_months: Option<u32>,
    /// The fewest points that can be used as money at the till.
    pub min_spend_points: Points,
    /// For how long a voucher can be used once it is made.
    pub voucher_valid_minutes: u32,
    /// The terms, each a sentence.
    pub terms: Terms,
    /// Changes that are coming, with their dates.
    pub announced_changes: Vec<AnnouncedChange>,
    /// Where the shops are.
    pub stores: Vec<Store>,
    /// What this server can do beyond the least, for clients to adapt.
    pub capabilities: Vec<String>,
    /// The shop's colour and mark.
    pub theme: Theme,
    /// BCP 47 tags that the shop's texts exist in, the shop's own first.
    pub languages: Vec<String>,
    /// Whom to ask.
    pub contact: Contact,
    /// True only for a sample, which every screen then says.
    pub demo: bool,
}

/// One word in the plural forms that its language has (CLDR categories).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PluralForms {
    /// CLDR `zero`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero: Option<String>,
    /// CLDR `one`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one: Option<String>,
    /// CLDR `two`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two: Option<String>,
    /// CLDR `few`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub few: Option<String>,
    /// CLDR `many`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub many: Option<String>,
    /// CLDR `other`, the form that every language has.
    pub other: String,
}

impl PluralForms {
    /// The form for a CLDR category, or `other` where the language has no such form.
    pub fn form(&self, category: &str) -> &str {
        let form = match category {
            "zero" => &self.zero,
            "one" => &self.one,
            "two" => &self.two,
            "few" => &self.few,
            "many" => &self.many,
            _ => &None,
        };
        form.as_deref().unwrap_or(&self.other)
    }
}

/// So many points are worth so much money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PointValue {
    /// At least one.
    pub points: Points,
    /// Above zero, in the programme's currency.
    pub money: Money,
}

/// So many points for so much money spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Earning {
    /// Zero or more.
    pub points: Points,
    /// Above zero, in the programme's currency.
    pub per_money: Money,
}

/// A step of the ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tier {
    /// Stable identifier.
    pub id: String,
    /// What members call it.
    pub name: String,
    /// Qualifying points that reach it.
    pub threshold: Points,
    /// What its members earn, in thousandths of the programme's rate.
    pub multiplier_permille: u32,
    /// What else it brings, each a sentence.
    pub benefits: Vec<String>,
}

/// Over which time points count towards a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TierWindow {
    /// From 1 January; a tier is held to the end of the following year.
    CalendarYear,
    /// The last twelve months; a tier is held for twelve.
    #[serde(rename = "rolling_12_months")]
    Rolling12Months,
}

/// The programme's terms at one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Terms {
    /// Counted up from 1.
    pub version: u32,
    /// Since when it holds.
    pub effective_from: chrono::NaiveDate,
    /// Each a sentence.
    pub items: Vec<String>,
    /// What is different from the version before, each a sentence.
    pub changes: Vec<String>,
}

/// Something that will be different from a date on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnouncedChange {
    /// From which instant it holds.
    pub effective_from: DateTime<Utc>,
    /// One sentence.
    pub text: String,
    /// What points are worth from then on, where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_value: Option<PointValue>,
    /// What money earns from then on, where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earning: Option<Earning>,
    /// For how many months points can be used from then on, where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_valid_months: Option<u32>,
}

/// One shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Store {
    /// Stable identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Street and place.
    pub address: String,
    /// Opening hours, as text.
    pub hours: String,
    /// Telephone number.
    pub phone: String,
}

/// The shop's colour and mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// `#rrggbb`; a wallet corrects it until text on it can be read.
    pub accent: String,
    /// A picture below `/media/`.
    pub logo_url: Option<String>,
}

/// Whom a member can ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// A person or a role.
    pub name: String,
    /// What they do; empty where the name says it.
    #[serde(default)]
    pub role: String,
    /// Telephone number, international.
    #[serde(default)]
    pub phone: String,
    /// E-mail address.
    #[serde(default)]
    pub email: String,
}
