//! The files that describe a shop: its programme with the rewards, and (for a sample) its members with their history.
//!
//! Nothing of one shop is compiled in; `docs/programme-file.md` explains every field with an example.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use loyalty_contract::counter::StaffRole;
use loyalty_contract::programme::{Contact, Earning, PluralForms, PointValue, Theme, TierWindow};
use loyalty_contract::rewards::RewardKind;
use loyalty_contract::status::MemberState;
use loyalty_contract::{Currency, Money, Points};
use loyalty_rules::Overflow;
use loyalty_rules::calendar::{add_days, add_months};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

mod check;

/// One text in each of the shop's languages, by BCP 47 tag. The programme's first language is always there.
pub type Texts = BTreeMap<String, String>;

/// `programme.json`: one shop's programme, its rewards and its staff.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeFile {
    /// Stable identifier.
    pub id: String,
    /// What the shop calls it.
    pub name: Texts,
    /// The rule in the shop's own sentence.
    pub promise: Texts,
    /// The one currency.
    pub currency: Currency,
    /// IANA name of the zone whose midnights begin and end everything.
    pub time_zone: String,
    /// What a point is called, in each language and its plural forms.
    pub point_name: BTreeMap<String, PluralForms>,
    /// What points are worth.
    pub point_value: PointValue,
    /// What money earns.
    pub earning: Earning,
    /// The ladder from the bottom up; empty for a programme without tiers.
    pub tiers: Vec<TierFile>,
    /// Over which time points count towards a tier.
    pub tier_window: TierWindow,
    /// Points of a purchase wait this many days.
    pub return_window_days: u32,
    /// For how many months points can be used; null for ever.
    pub points_valid_months: Option<u32>,
    /// The fewest points that can be used as money at the till.
    pub min_spend_points: Points,
    /// For how long a voucher can be used once it is made.
    pub voucher_valid_minutes: u32,
    /// What holds when points are used as money at the till, each a sentence.
    pub spend_conditions: Vec<Texts>,
    /// The terms at their present version.
    pub terms: TermsFile,
    /// The versions before it, in any order. What was in force before is kept, whether or not it is named here.
    #[serde(default)]
    pub earlier_terms: Vec<TermsFile>,
    /// Changes that are coming.
    #[serde(default)]
    pub announced_changes: Vec<AnnouncedChangeFile>,
    /// Where the shops are.
    pub stores: Vec<StoreFile>,
    /// The shop's colour and mark.
    pub theme: ThemeFile,
    /// The first is what every text exists in, and what is shown where another is missing.
    pub languages: Vec<String>,
    /// Whom a member can ask.
    pub contact: Contact,
    /// The catalogue, in the shop's own order.
    pub rewards: Vec<RewardFile>,
    /// Who works at the counter.
    #[serde(default)]
    pub staff: Vec<StaffFile>,
    /// How many points one member of staff gives and takes a day.
    #[serde(default)]
    pub adjustment_limits: AdjustmentLimits,
}

/// How many points one member of staff gives and takes a day, by their role.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentLimits {
    /// A clerk.
    pub clerk: Points,
    /// A manager, and a key with the scope.
    pub manager: Points,
}

impl Default for AdjustmentLimits {
    fn default() -> Self {
        Self {
            clerk: Points(500),
            manager: Points(10_000),
        }
    }
}

impl ProgrammeFile {
    /// Every version of the terms, the present one first.
    pub fn versions(&self) -> impl Iterator<Item = &TermsFile> {
        std::iter::once(&self.terms).chain(&self.earlier_terms)
    }

    /// Takes over the versions of the terms that were in force before, as they were published.
    pub fn keep_versions_of(&mut self, before: &Self) {
        let present = self.terms.version;
        let published: Vec<TermsFile> = before
            .versions()
            .filter(|terms| terms.version < present)
            .cloned()
            .collect();
        let is_published = |terms: &TermsFile| published.iter().any(|known| known.version == terms.version);
        self.earlier_terms.retain(|terms| !is_published(terms));
        self.earlier_terms.extend(published);
    }

    /// As the database keeps it: rewards and staff have tables of their own.
    ///
    /// # Errors
    /// [`Failure`] where it cannot be written as JSON.
    pub fn stored(&self) -> Result<String, Failure> {
        json(&Self {
            rewards: vec![],
            staff: vec![],
            ..self.clone()
        })
    }
}

/// A tier of the ladder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierFile {
    /// Stable identifier.
    pub id: String,
    /// What members call it.
    pub name: Texts,
    /// Qualifying points that reach it; 0 for the lowest.
    pub threshold: Points,
    /// What its members earn, in thousandths of the programme's rate.
    pub multiplier_permille: u32,
    /// What else it brings, each a sentence.
    pub benefits: Vec<Texts>,
}

/// The terms at one version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsFile {
    /// Counted up from 1.
    pub version: u32,
    /// Since when it holds.
    pub effective_from: NaiveDate,
    /// Each a sentence.
    pub items: Vec<Texts>,
    /// What is different from the version before, each a sentence.
    #[serde(default)]
    pub changes: Vec<Texts>,
}

/// Something that will be different from a date on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedChangeFile {
    /// From which instant it holds.
    pub effective_from: DateTime<Utc>,
    /// One sentence.
    pub text: Texts,
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
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreFile {
    /// Stable identifier.
    pub id: String,
    /// What people call it.
    pub name: Texts,
    /// Street and place.
    pub address: String,
    /// Opening hours.
    pub hours: Texts,
    /// Telephone number.
    pub phone: String,
}

/// The shop's colour, and its mark as a file below `media/`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThemeFile {
    /// `#rrggbb`.
    pub accent: String,
    /// A file below `media/`.
    pub logo: Option<String>,
}

impl ThemeFile {
    /// As the contract has it, once the mark's address is known.
    pub fn with_logo_url(&self, logo_url: Option<String>) -> Theme {
        Theme {
            accent: self.accent.clone(),
            logo_url,
        }
    }
}

/// A reward.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardFile {
    /// Stable identifier.
    pub id: String,
    /// What sort of thing it is.
    pub kind: RewardKind,
    /// The shop's own grouping.
    pub category: Texts,
    /// A few words.
    pub title: Texts,
    /// A sentence or two.
    pub description: Texts,
    /// A file below `media/`.
    pub picture: Option<String>,
    /// What it costs.
    pub cost_points: Points,
    /// What it costs in the shop.
    pub shop_price: Option<Money>,
    /// Every condition, each a sentence.
    pub conditions: Vec<Texts>,
    /// The first day on which it can be had.
    #[serde(default)]
    pub valid_from: Option<Day>,
    /// The last day on which it can be had.
    #[serde(default)]
    pub valid_until: Option<Day>,
    /// The programme's own where absent.
    #[serde(default)]
    pub voucher_valid_minutes: Option<u32>,
    /// How many there are at first; absent where nobody counts.
    #[serde(default)]
    pub stock: Option<u32>,
    /// How many one member can have; absent for any number.
    #[serde(default)]
    pub per_member: Option<u32>,
    /// The tier it is for, by its id.
    #[serde(default)]
    pub tier_required: Option<String>,
}

/// A day: by the calendar, or relative to the day of seeding so that a sample never grows old.
///
/// Relative: the day of seeding plus `days`, and then plus `months` (to a month's last day where it has no such day).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Day {
    /// By the calendar.
    On(NaiveDate),
    /// Relative to the day of seeding.
    Relative {
        /// So many days later, or earlier.
        #[serde(default)]
        days: i64,
        /// So many months later, or earlier.
        #[serde(default)]
        months: i32,
    },
}

impl Day {
    /// The day by the calendar.
    ///
    /// # Errors
    /// [`Overflow`] at the end of the calendar.
    pub fn resolve(self, day_of_seeding: NaiveDate) -> Result<NaiveDate, Overflow> {
        match self {
            Self::On(day) => Ok(day),
            Self::Relative { days, months } => add_months(add_days(day_of_seeding, days)?, months),
        }
    }
}

/// Somebody who works at the counter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffFile {
    /// Where, by the store's id.
    pub store: String,
    /// What they sign in with at the counter.
    pub code: String,
    /// And what only they know; kept as a hash.
    pub pin: String,
    /// What they may do.
    pub role: StaffRole,
    /// What they are called.
    pub name: String,
}

/// `members.json`: the members of a sample, each with a history.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembersFile {
    /// In the order in which they are made.
    pub members: Vec<MemberFile>,
}

/// One member of a sample.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
    /// Twelve digits.
    pub number: String,
    /// What they want to be called.
    pub name: String,
    /// The address that signs in.
    pub email: String,
    /// Their telephone number as in E.164.
    #[serde(default)]
    pub phone: Option<String>,
    /// The language that the shop writes to them in.
    pub language: String,
    /// The day they joined.
    pub since: Day,
    /// What they can do.
    pub state: MemberState,
    /// The person who looks after them, for `managed`.
    #[serde(default)]
    pub contact: Option<Contact>,
    /// The version of the terms that they agreed to; the present one unless told.
    #[serde(default)]
    pub accepted_terms_version: Option<u32>,
    /// Messages that were not opened.
    #[serde(default)]
    pub unread_messages: u32,
    /// In any order; they are told in the order of their days.
    pub history: Vec<EventFile>,
    /// What repeats: told like the events above, all merged by day.
    #[serde(default)]
    pub habits: Vec<HabitFile>,
}

/// Something that happened, at noon of its day where `time` (HH:MM in the programme's zone) does not say otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "serde_json::Map<String, serde_json::Value>")]
pub struct EventFile {
    /// When.
    pub day: Day,
    /// At what time of it.
    pub time: Option<String>,
    /// What.
    pub what: WhatFile,
}

impl TryFrom<serde_json::Map<String, serde_json::Value>> for EventFile {
    type Error = serde_json::Error;

    /// By hand, since serde's `flatten` would let unknown fields through.
    fn try_from(mut fields: serde_json::Map<String, serde_json::Value>) -> Result<Self, Self::Error> {
        let day = fields
            .remove("day")
            .ok_or_else(|| serde::de::Error::missing_field("day"))?;
        let time = fields.remove("time").unwrap_or_default();
        Ok(Self {
            day: serde_json::from_value(day)?,
            time: serde_json::from_value(time)?,
            what: serde_json::from_value(fields.into())?,
        })
    }
}

/// What happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum WhatFile {
    /// Bought for `total_minor`; `receipt` names it for a return.
    Purchase {
        /// Where, by the store's id.
        store: String,
        /// What was paid.
        total_minor: i64,
        /// The till's number for it.
        #[serde(default)]
        receipt: Option<String>,
    },
    /// Brought back goods of the purchase `receipt` that had cost `amount_minor`.
    Return {
        /// Which purchase.
        receipt: String,
        /// What the goods had cost.
        amount_minor: i64,
        /// What they were.
        reason: Texts,
    },
    /// The shop gave points.
    Bonus {
        /// How many.
        points: Points,
        /// What for.
        reason: Texts,
    },
    /// Used points: as money at the till, or for a reward.
    Spend {
        /// Up to so many, as money at the till.
        #[serde(default)]
        points: Option<Points>,
        /// Or this reward, by its id.
        #[serde(default)]
        reward: Option<String>,
    },
}

/// A purchase (and now and then a spend) that repeats from one day to another, the lists taken in turn.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HabitFile {
    /// The day of the first.
    pub from: Day,
    /// The last day on which there can be one.
    pub until: Day,
    /// So many days from one to the next.
    pub every_days: u32,
    /// Where, by the stores' ids.
    pub stores: Vec<String>,
    /// What was paid.
    pub totals_minor: Vec<i64>,
    /// After every so many purchases, use `spend_points` of the points as money (never more than there are).
    #[serde(default)]
    pub spend_every: Option<u32>,
    /// How many points then.
    #[serde(default)]
    pub spend_points: Option<Points>,
}

/// Reads one of these files.
///
/// # Errors
/// [`Failure`] that names the file and the field.
pub fn read<T: DeserializeOwned>(name: &str, content: &[u8]) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_slice(content);
    let file = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Failure::new(format!("{name}, at {}: {}.", error.path(), error.inner())))?;
    json.end().map_err(|error| Failure::new(format!("{name}: {error}.")))?;
    Ok(file)
}

/// Writes a document as the database keeps it.
///
/// # Errors
/// [`Failure`] where it cannot be written as JSON.
pub fn json(document: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(document)
        .map_err(|error| Failure::new(format!("A document cannot be written as JSON: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_in_the_documentation_are_read() {
        fn check<T: DeserializeOwned>(example: &str) {
            read::<T>("example", example.as_bytes()).expect(example);
        }
        let text = include_str!("../../../docs/programme-file.md");
        let examples = text
            .split("```json\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next());
        let readers = [
            check::<TierFile>,
            check::<TermsFile>,
            check::<AnnouncedChangeFile>,
            check::<StoreFile>,
            check::<RewardFile>,
            check::<StaffFile>,
            check::<MembersFile>,
        ];
        assert_eq!(examples.clone().count(), readers.len());
        for (reader, example) in readers.into_iter().zip(examples) {
            reader(example);
        }
    }
}
