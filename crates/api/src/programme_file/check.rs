//! A programme file is checked whole before any of it is used, so that nothing of it can fail later.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use chrono_tz::Tz;
use loyalty_contract::rewards::RewardKind;
use loyalty_contract::{Money, Points};

use super::{Day, ProgrammeFile, RewardFile, Texts};
use crate::failure::Failure;

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
        require(!self.id.is_empty(), || "id is empty".into())?;
        require(self.point_value.points >= Points(1), || {
            "point_value.points is below 1".into()
        })?;
        require(self.point_value.money.minor >= 1, || {
            "point_value.money is not above zero".into()
        })?;
        self.check_currency("point_value.money", self.point_value.money)?;
        require(self.earning.points >= Points::ZERO, || {
            "earning.points is below zero".into()
        })?;
        require(self.earning.per_money.minor >= 1, || {
            "earning.per_money is not above zero".into()
        })?;
        self.check_currency("earning.per_money", self.earning.per_money)?;
        require(self.points_valid_months != Some(0), || {
            "points_valid_months is 0; for ever is null".into()
        })?;
        require(self.min_spend_points >= Points::ZERO, || {
            "min_spend_points is below zero".into()
        })?;
        require(self.voucher_valid_minutes >= 1, || {
            "voucher_valid_minutes is below 1".into()
        })?;
        require(is_colour(&self.theme.accent), || {
            format!("theme.accent {:?} is not #rrggbb", self.theme.accent)
        })
    }

    fn check_currency(&self, field: &str, money: Money) -> Checked {
        require(money.currency == self.currency, || {
            format!("{field} is in {}, the programme in {}", money.currency, self.currency)
        })
    }

    fn check_ladder(&self) -> Checked {
        check_unique("tiers", self.tiers.iter().map(|tier| tier.id.as_str()))?;
        let Some(lowest) = self.tiers.first() else {
            return Ok(());
        };
        require(lowest.threshold == Points::ZERO, || {
            format!("the lowest tier, {:?}, does not begin at 0", lowest.id)
        })?;
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
        require(self.point_name.contains_key(first), || {
            format!("point_name is missing in {first:?}")
        })?;
        self.check_text("name", &self.name)?;
        self.check_text("promise", &self.promise)?;
        self.check_list("spend_conditions", &self.spend_conditions)?;
        self.check_list("terms.items", &self.terms.items)?;
        self.check_list("terms.changes", &self.terms.changes)?;
        for (i, change) in self.announced_changes.iter().enumerate() {
            self.check_text(&format!("announced_changes[{i}].text"), &change.text)?;
        }
        for tier in &self.tiers {
            self.check_text(&format!("the name of tier {:?}", tier.id), &tier.name)?;
            self.check_list(&format!("the benefits of tier {:?}", tier.id), &tier.benefits)?;
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
        check_unique("stores", self.stores.iter().map(|store| store.id.as_str()))?;
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
            let digits = staff.pin.bytes().all(|byte| byte.is_ascii_digit());
            require(digits && (4..=12).contains(&staff.pin.len()), || {
                format!("the PIN of staff {:?} is not 4 to 12 digits", staff.code)
            })?;
        }
        Ok(())
    }

    fn check_rewards(&self, day_of_seeding: NaiveDate, has_file: &impl Fn(&str) -> bool) -> Checked {
        check_unique("rewards", self.rewards.iter().map(|reward| reward.id.as_str()))?;
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
        require(reward.cost_points >= Points(1), || "cost_points is below 1".into())?;
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

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
