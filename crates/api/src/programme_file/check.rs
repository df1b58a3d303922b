//! A programme file is checked whole before any of it is used, so that nothing of it can fail later.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use loyalty_contract::rewards::RewardKind;
use loyalty_contract::status::MemberState;
use loyalty_contract::{Money, Points};
use loyalty_rules::calendar::add_months;

use super::{Day, MemberFile, MembersFile, ProgrammeFile, RewardFile, Texts, WhatFile};
use crate::failure::Failure;
use crate::http::phone_number;
use crate::staff::is_pin;

/// Far beyond any programme, and so far below what 64 bits hold that differences of such figures always fit.
const MOST_POINTS: Points = Points(1_000_000_000_000);
const LONGEST_RETURN_WINDOW_DAYS: u32 = 366;
const LONGEST_VALIDITY_MONTHS: u32 = 1200;

type Checked = Result<(), String>;

impl ProgrammeFile {
    /// The zone whose midnights count.
    ///
    /// # Errors
    /// [`Failure`] where nobody knows it.
    pub fn zone(&self) -> Result<Tz, Failure> {
        let zone = self.time_zone.parse();
        zone.map_err(|_| {
            wrong(&format!(
                "time_zone {:?} is not in the IANA time zone database",
                self.time_zone
            ))
        })
    }

    /// Checks everything that its types do not say.
    ///
    /// `has_file` tells whether a picture exists.
    ///
    /// # Errors
    /// [`Failure`] that names the first thing that is wrong.
    pub fn check(&self, day_of_seeding: NaiveDate, has_file: impl Fn(&str) -> bool) -> Result<(), Failure> {
        self.check_numbers()
            .and_then(|()| self.check_ladder())
            .and_then(|()| self.check_texts())
            .and_then(|()| self.check_places())
            .and_then(|()| self.check_rewards(day_of_seeding, &has_file))
            .map_err(|problem| wrong(&problem))
            .and_then(|()| self.zone().map(|_| ()))
    }

    fn check_numbers(&self) -> Checked {
        check_ids("the programme", std::iter::once(self.id.as_str()))?;
        check_points("point_value.points", self.point_value.points, 1)?;
        self.check_price("point_value.money", self.point_value.money)?;
        check_points("earning.points", self.earning.points, 0)?;
        self.check_price("earning.per_money", self.earning.per_money)?;
        self.check_times()?;
        self.check_changes()?;
        check_points("min_spend_points", self.min_spend_points, 0)?;
        check_points("adjustment_limits.clerk", self.adjustment_limits.clerk, 0)?;
        check_points("adjustment_limits.manager", self.adjustment_limits.manager, 0)?;
        require(self.voucher_valid_minutes >= 1, || {
            "voucher_valid_minutes is below 1".into()
        })?;
        require(is_colour(&self.theme.accent), || {
            format!("theme.accent {:?} is not #rrggbb", self.theme.accent)
        })
    }

    fn check_changes(&self) -> Checked {
        for (i, change) in self.announced_changes.iter().enumerate() {
            let field = format!("announced_changes[{i}]");
            if let Some(value) = change.point_value {
                check_points(&format!("{field}.point_value.points"), value.points, 1)?;
                self.check_price(&format!("{field}.point_value.money"), value.money)?;
            }
            if let Some(earning) = change.earning {
                check_points(&format!("{field}.earning.points"), earning.points, 0)?;
                self.check_price(&format!("{field}.earning.per_money"), earning.per_money)?;
            }
            if let Some(months) = change.points_valid_months {
                self.check_validity(&format!("{field}.points_valid_months"), months)?;
            }
        }
        Ok(())
    }

    fn check_times(&self) -> Checked {
        let window = self.return_window_days;
        require(window <= LONGEST_RETURN_WINDOW_DAYS, || {
            format!("return_window_days is above {LONGEST_RETURN_WINDOW_DAYS}")
        })?;
        let months = self.points_valid_months;
        months.map_or(Ok(()), |months| self.check_validity("points_valid_months", months))
    }

    fn check_validity(&self, field: &str, months: u32) -> Checked {
        let window = self.return_window_days;
        require((1..=LONGEST_VALIDITY_MONTHS).contains(&months), || {
            format!("{field} is not 1 to {LONGEST_VALIDITY_MONTHS}; for ever is null")
        })?;
        require(i64::from(window) < fewest_days(months), || {
            format!("points would expire after {months} months before a return window of {window} days ends")
        })
    }

    fn check_price(&self, field: &str, money: Money) -> Checked {
        require(money.minor >= 1, || format!("{field} is not above zero"))?;
        self.check_currency(field, money)
    }

    fn check_currency(&self, field: &str, money: Money) -> Checked {
        require(money.currency == self.currency, || {
            format!("{field} is in {}, the programme in {}", money.currency, self.currency)
        })
    }

    fn check_ladder(&self) -> Checked {
        check_ids("tiers", self.tiers.iter().map(|tier| tier.id.as_str()))?;
        let Some(lowest) = self.tiers.first() else {
            return Ok(());
        };
        require(lowest.threshold == Points::ZERO, || {
            format!("the lowest tier, {:?}, does not begin at 0", lowest.id)
        })?;
        for tier in &self.tiers {
            check_points(&format!("the threshold of tier {:?}", tier.id), tier.threshold, 0)?;
        }
        for pair in self.tiers.windows(2) {
            require(pair[0].threshold < pair[1].threshold, || {
                format!(
                    "the threshold of tier {:?} is not above that of {:?}",
                    pair[1].id, pair[0].id
                )
            })?;
        }
        Ok(())
    }

    fn check_texts(&self) -> Checked {
        let first = self.languages.first().ok_or("languages is empty")?;
        check_unique("languages", self.languages.iter().map(String::as_str))?;
        for language in &self.languages {
            let is_tag = language
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            require(is_tag, || {
                format!("{language:?} is no language tag like \"en\" or \"pt-BR\"")
            })?;
        }
        require(self.point_name.contains_key(first), || {
            format!("point_name is missing in {first:?}")
        })?;
        self.check_text("name", &self.name)?;
        self.check_text("promise", &self.promise)?;
        self.check_list("spend_conditions", &self.spend_conditions)?;
        self.check_terms()?;
        for (i, change) in self.announced_changes.iter().enumerate() {
            self.check_text(&format!("announced_changes[{i}].text"), &change.text)?;
        }
        for tier in &self.tiers {
            self.check_text(&format!("the name of tier {:?}", tier.id), &tier.name)?;
            self.check_list(&format!("the benefits of tier {:?}", tier.id), &tier.benefits)?;
        }
        Ok(())
    }

    fn check_terms(&self) -> Checked {
        let present = self.terms.version;
        require(present >= 1, || "terms.version is below 1".into())?;
        self.check_list("terms.items", &self.terms.items)?;
        self.check_list("terms.changes", &self.terms.changes)?;
        let mut versions = BTreeSet::new();
        for (i, terms) in self.earlier_terms.iter().enumerate() {
            let version = terms.version;
            require((1..present).contains(&version), || {
                format!("earlier_terms[{i}].version {version} is not one before {present}")
            })?;
            require(versions.insert(version), || {
                format!("earlier_terms has version {version} twice")
            })?;
            self.check_list(&format!("earlier_terms[{i}].items"), &terms.items)?;
            self.check_list(&format!("earlier_terms[{i}].changes"), &terms.changes)?;
        }
        Ok(())
    }

    fn check_list(&self, field: &str, list: &[Texts]) -> Checked {
        list.iter()
            .enumerate()
            .try_for_each(|(i, texts)| self.check_text(&format!("{field}[{i}]"), texts))
    }

    fn check_text(&self, field: &str, texts: &Texts) -> Checked {
        let first = self.languages.first().ok_or("languages is empty")?;
        require(texts.get(first).is_some_and(|text| !text.trim().is_empty()), || {
            format!("{field} is missing in {first:?}, the programme's first language")
        })?;
        match texts.keys().find(|language| !self.languages.contains(language)) {
            Some(other) => Err(format!(
                "{field} is written in {other:?}, which languages does not name"
            )),
            None => Ok(()),
        }
    }

    fn check_places(&self) -> Checked {
        check_ids("stores", self.stores.iter().map(|store| store.id.as_str()))?;
        for store in &self.stores {
            self.check_text(&format!("the name of store {:?}", store.id), &store.name)?;
            self.check_text(&format!("the hours of store {:?}", store.id), &store.hours)?;
        }
        check_unique(
            "staff",
            self.staff.iter().map(|staff| format!("{} {}", staff.store, staff.code)),
        )?;
        for staff in &self.staff {
            require(self.stores.iter().any(|store| store.id == staff.store), || {
                format!(
                    "staff {:?} works at {:?}, which is no store of this programme",
                    staff.code, staff.store
                )
            })?;
            require(is_pin(&staff.pin), || {
                format!("the PIN of staff {:?} is not 4 to 12 digits", staff.code)
            })?;
        }
        Ok(())
    }

    fn check_rewards(&self, day_of_seeding: NaiveDate, has_file: &impl Fn(&str) -> bool) -> Checked {
        check_ids("rewards", self.rewards.iter().map(|reward| reward.id.as_str()))?;
        if let Some(logo) = &self.theme.logo {
            require(has_file(logo), || format!("theme.logo {logo:?} does not exist"))?;
        }
        for reward in &self.rewards {
            self.check_reward(reward, day_of_seeding, has_file)
                .map_err(|problem| format!("in reward {:?}, {problem}", reward.id))?;
        }
        Ok(())
    }

    fn check_reward(
        &self,
        reward: &RewardFile,
        day_of_seeding: NaiveDate,
        has_file: &impl Fn(&str) -> bool,
    ) -> Checked {
        require(reward.kind != RewardKind::Other, || {
            "the kind is not one of the seven".into()
        })?;
        check_points("cost_points", reward.cost_points, 1)?;
        if let Some(price) = reward.shop_price {
            self.check_currency("shop_price", price)?;
            require(price.minor >= 0, || "shop_price is below zero".into())?;
        }
        self.check_text("category", &reward.category)?;
        self.check_text("title", &reward.title)?;
        self.check_text("description", &reward.description)?;
        self.check_list("conditions", &reward.conditions)?;
        if let Some(picture) = &reward.picture {
            require(has_file(picture), || format!("picture {picture:?} does not exist"))?;
        }
        if let Some(tier) = &reward.tier_required {
            require(self.tiers.iter().any(|known| known.id == *tier), || {
                format!("tier_required {tier:?} is no tier of this programme")
            })?;
        }
        require(reward.voucher_valid_minutes != Some(0), || {
            "voucher_valid_minutes is 0".into()
        })?;
        let day = |day: Option<Day>| day.map(|day| day.resolve(day_of_seeding)).transpose();
        let (Ok(from), Ok(until)) = (day(reward.valid_from), day(reward.valid_until)) else {
            return Err("a day lies beyond the calendar".into());
        };
        require(from.is_none() || until.is_none() || from <= until, || {
            "valid_until lies before valid_from".into()
        })
    }
}

impl MembersFile {
    /// Checks everything that its types do not say, and that can be told without telling the histories.
    ///
    /// # Errors
    /// [`Failure`] that names the first thing that is wrong.
    pub fn check(&self, programme: &ProgrammeFile) -> Result<(), Failure> {
        let (mut numbers, mut emails) = (BTreeMap::new(), BTreeMap::new());
        for member in &self.members {
            let is_only = |field: &str, other: Option<&str>| match other {
                Some(other) => Err(format!("the {field} is that of {other:?} too")),
                None => Ok(()),
            };
            let name = member.name.as_str();
            member
                .check(programme)
                .and_then(|()| is_only("number", numbers.insert(member.number.as_str(), name)))
                .and_then(|()| is_only("email", emails.insert(member.email.to_lowercase(), name)))
                .map_err(|problem| Failure::new(format!("The sample's member {name:?}: {problem}.")))?;
        }
        Ok(())
    }
}

impl MemberFile {
    fn check(&self, programme: &ProgrammeFile) -> Checked {
        let is_digits = self.number.bytes().all(|byte| byte.is_ascii_digit());
        require(is_digits && self.number.len() == 12, || {
            format!("the number {:?} is not 12 digits", self.number)
        })?;
        require(self.phone == self.phone.as_deref().and_then(phone_number), || {
            format!("the phone {:?} is not like +4930231250", self.phone)
        })?;
        require(programme.languages.contains(&self.language), || {
            format!("the programme has no texts in {:?}", self.language)
        })?;
        require(self.state != MemberState::Unknown, || {
            "the state is none of active, paused and managed".into()
        })?;
        let version = self.accepted_terms_version.unwrap_or(programme.terms.version);
        require(programme.versions().any(|terms| terms.version == version), || {
            format!("the programme has no version {version} of its terms")
        })?;
        for event in &self.history {
            match event.what {
                WhatFile::Bonus { points, .. } => check_points("the points of a bonus", points, 1)?,
                WhatFile::Spend {
                    points: Some(points), ..
                } => check_points("the points of a spend", points, 1)?,
                WhatFile::Purchase { .. } | WhatFile::Return { .. } | WhatFile::Spend { points: None, .. } => {}
            }
        }
        let mut spends = self.habits.iter().filter_map(|habit| habit.spend_points);
        spends.try_for_each(|points| check_points("spend_points", points, 1))
    }
}

fn wrong(problem: &str) -> Failure {
    Failure::new(format!("The programme file is wrong: {problem}."))
}

fn require(holds: bool, problem: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(problem()) }
}

fn check_unique(list: &str, ids: impl Iterator<Item = impl Into<String>>) -> Checked {
    let mut seen = BTreeSet::new();
    for id in ids.map(Into::into) {
        require(!id.is_empty(), || format!("{list} has an empty id"))?;
        require(seen.insert(id.clone()), || format!("{list} has {id:?} twice"))?;
    }
    Ok(())
}

/// Ids stand in addresses and in cursors, so they are plain.
fn check_ids<'a>(list: &str, ids: impl Iterator<Item = &'a str> + Clone) -> Checked {
    check_unique(list, ids.clone())?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    for id in ids {
        require(id.len() <= 64 && id.bytes().all(is_plain), || {
            format!("{list} has {id:?}, and an id is 1 to 64 of a-z, 0-9, - and _")
        })?;
    }
    Ok(())
}

fn check_points(field: &str, points: Points, least: i64) -> Checked {
    require(points >= Points(least), || format!("{field} is below {least}"))?;
    require(points <= MOST_POINTS, || format!("{field} is above {}", MOST_POINTS.0))
}

/// How many days so many months have at least: those from the first of February in a common year.
fn fewest_days(months: u32) -> i64 {
    let first = NaiveDate::from_ymd_opt(2025, 2, 1).unwrap_or_default();
    let last = i32::try_from(months)
        .ok()
        .and_then(|months| add_months(first, months).ok());
    last.map_or(i64::MAX, |last| (last - first).num_days())
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use loyalty_rules::calendar::add_days;

    use super::*;

    #[test]
    fn no_months_are_shorter_than_those_from_february() {
        let begin = NaiveDate::from_ymd_opt(2023, 1, 1).expect("a day");
        for months in 1..=13 {
            let length = |day: i64| {
                let day = add_days(begin, day).expect("a day");
                (add_months(day, months).expect("a day") - day).num_days()
            };
            let shortest = (0..1461).map(length).min();
            assert_eq!(shortest, Some(fewest_days(months.unsigned_abs())), "{months}");
        }
    }
}
