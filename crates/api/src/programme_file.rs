//! The files that describe a shop: its programme with the rewards, and (for a sample) its members with their history.
//!
//! Nothing of one shop is compiled in; `docs/programme-file.md` explains every field with an example.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use loyalty_contract::programme::{Contact, Earning, PluralForms, PointValue, Theme, TierWindow};
use loyalty_contract::rewards::RewardKind;
use loyalty_contract::status::MemberState;
use loyalty_contract::{Currency, Money, Points};
use serde::{Deserialize, Serialize};

/// One text in each of the shop's languages, by BCP 47 tag. The programme's first language is always there.
pub type Texts = BTreeMap<String, String>;

/// `programme.json`: one shop's programme, its rewards and its staff.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeFile {
    pub id: String,
    pub name: Texts,
    pub promise: Texts,
    pub currency: Currency,
    pub time_zone: String,
    pub point_name: BTreeMap<String, PluralForms>,
    pub point_value: PointValue,
    pub earning: Earning,
    pub tiers: Vec<TierFile>,
    pub tier_window: TierWindow,
    pub return_window_days: u32,
    pub points_valid_months: Option<u32>,
    pub min_spend_points: Points,
    pub voucher_valid_minutes: u32,
    /// What holds when points are used as money at the till, each a sentence.
    pub spend_conditions: Vec<Texts>,
    pub terms: TermsFile,
    #[serde(default)]
    pub announced_changes: Vec<AnnouncedChangeFile>,
    pub stores: Vec<StoreFile>,
    pub theme: ThemeFile,
    /// The first is what every text exists in, and what is shown where another is missing.
    pub languages: Vec<String>,
    pub contact: Contact,
    pub rewards: Vec<RewardFile>,
    #[serde(default)]
    pub staff: Vec<StaffFile>,
}

/// A tier of the ladder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierFile {
    pub id: String,
    pub name: Texts,
    pub threshold: Points,
    pub multiplier_permille: u32,
    pub benefits: Vec<Texts>,
}

/// The terms at their present version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsFile {
    pub version: u32,
    pub effective_from: NaiveDate,
    pub items: Vec<Texts>,
    #[serde(default)]
    pub changes: Vec<Texts>,
}

/// Something that will be different from a date on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedChangeFile {
    pub effective_from: DateTime<Utc>,
    pub text: Texts,
}

/// One shop.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreFile {
    pub id: String,
    pub name: Texts,
    pub address: String,
    pub hours: Texts,
    pub phone: String,
}

/// The shop's colour, and its mark as a file below `media/`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThemeFile {
    pub accent: String,
    pub logo: Option<String>,
}

impl ThemeFile {
    /// As the contract has it, once the mark's address is known.
    pub fn with_logo_url(&self, logo_url: Option<String>) -> Theme {
        Theme { accent: self.accent.clone(), logo_url }
    }
}

/// A reward.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardFile {
    pub id: String,
    pub kind: RewardKind,
    pub category: Texts,
    pub title: Texts,
    pub description: Texts,
    /// A file below `media/`.
    pub picture: Option<String>,
    pub cost_points: Points,
    pub shop_price: Option<Money>,
    pub conditions: Vec<Texts>,
    /// First and last day in the programme's zone, or so many days from the day of seeding.
    #[serde(default)]
    pub valid_from: Option<Day>,
    #[serde(default)]
    pub valid_until: Option<Day>,
    /// The programme's own where absent.
    #[serde(default)]
    pub voucher_valid_minutes: Option<u32>,
    /// How many there are at first; absent where nobody counts.
    #[serde(default)]
    pub stock: Option<u32>,
    #[serde(default)]
    pub per_member: Option<u32>,
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
        #[serde(default)]
        days: i64,
        #[serde(default)]
        months: i32,
    },
}

/// Somebody who works at the counter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffFile {
    pub store: String,
    pub code: String,
    pub pin: String,
    pub role: StaffRole,
    pub name: String,
}

/// What somebody at the counter may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    Clerk,
    Manager,
}

/// `members.json`: the members of a sample, each with a history.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembersFile {
    pub members: Vec<MemberFile>,
}

/// One member of a sample.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
    pub number: String,
    pub name: String,
    pub email: String,
    pub language: String,
    pub since: Day,
    pub state: MemberState,
    #[serde(default)]
    pub contact: Option<Contact>,
    #[serde(default)]
    pub unread_messages: u32,
    /// In any order; they are told in the order of their days.
    pub history: Vec<EventFile>,
    /// What repeats: told like the events above, all merged by day.
    #[serde(default)]
    pub habits: Vec<HabitFile>,
}

/// Something that happened, at noon of its day where `time` (HH:MM in the programme's zone) does not say otherwise.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFile {
    pub day: Day,
    #[serde(default)]
    pub time: Option<String>,
    #[serde(flatten)]
    pub what: WhatFile,
}

/// What happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum WhatFile {
    /// Bought for `total_minor`; `receipt` names it for a return.
    Purchase {
        store: String,
        total_minor: i64,
        #[serde(default)]
        receipt: Option<String>,
    },
    /// Brought back goods of the purchase `receipt` that had cost `amount_minor`.
    Return { receipt: String, amount_minor: i64, reason: Texts },
    /// The shop gave points.
    Bonus { points: Points, reason: Texts },
    /// Used points: as money at the till, or for a reward.
    Spend {
        #[serde(default)]
        points: Option<Points>,
        #[serde(default)]
        reward: Option<String>,
    },
}

/// A purchase (and now and then a spend) that repeats from one day to another, the lists taken in turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HabitFile {
    pub from: Day,
    pub until: Day,
    pub every_days: u32,
    pub stores: Vec<String>,
    pub totals_minor: Vec<i64>,
    /// After every so many purchases, use `spend_points` of the points as money (never more than there are).
    #[serde(default)]
    pub spend_every: Option<u32>,
    #[serde(default)]
    pub spend_points: Option<Points>,
}
