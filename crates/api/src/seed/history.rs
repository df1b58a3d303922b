//! A member's history, told in the order of time.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};
use loyalty_contract::{Instant, Points};
use loyalty_rules::calendar::{add_days, start_of_day};
use loyalty_rules::worth::{cheapest, worth};

use crate::account::{Account, AccountError, Part, Sale};
use crate::failure::Failure;
use crate::programme_file::{EventFile, HabitFile, MemberFile, RewardFile, Texts, WhatFile};
use crate::shop::Shop;
use crate::token;

/// What was told so far, over all members.
pub struct Story<'a> {
    shop: &'a Shop,
    as_of: NaiveDate,
    now: Instant,
    tills: BTreeMap<(String, NaiveDate), u32>,
}

/// A member after everything that happened to them.
pub struct Told<'a> {
    /// Who.
    pub member: &'a MemberFile,
    /// Opaque.
    pub id: String,
    /// The day they joined.
    pub since: NaiveDate,
    /// Their points.
    pub account: Account<'a>,
    /// What they turned points into.
    pub redemptions: Vec<Redemption>,
}

/// Points that were turned into something and used at the till.
pub struct Redemption {
    /// Opaque.
    pub id: String,
    /// What the till took.
    pub code: String,
    /// Which reward; `None` for money off at the till.
    pub reward_id: Option<String>,
    /// The reward's title, as JSON in the programme's languages.
    pub title: Option<String>,
    /// What it cost.
    pub points: Points,
    /// What it took off, or was worth.
    pub money_minor: i64,
    /// When.
    pub at: Instant,
    /// Until when its voucher could be used.
    pub valid_until: Instant,
    /// From which lots its points came.
    pub parts: Vec<Part>,
}

/// What happens, before it is known whether it can.
enum Deed<'a> {
    Purchase {
        store: &'a str,
        total_minor: i64,
        receipt: Option<&'a str>,
    },
    Return {
        receipt: &'a str,
        amount_minor: i64,
        reason: &'a Texts,
    },
    Bonus {
        points: Points,
        reason: &'a Texts,
    },
    Reward {
        id: &'a str,
    },
    Money {
        points: Points,
    },
    /// Like `Money`, with what there is where that is less.
    MoneyUpTo {
        points: Points,
    },
}

impl<'a> Story<'a> {
    /// A story that ends now, with days relative to `as_of`.
    pub fn new(shop: &'a Shop, as_of: NaiveDate, now: Instant) -> Self {
        Self {
            shop,
            as_of,
            now,
            tills: BTreeMap::new(),
        }
    }

    /// Tells one member's history from the beginning until now.
    ///
    /// # Errors
    /// [`Failure`] that names the member and the day of what cannot have happened.
    pub fn tell(&mut self, member: &'a MemberFile) -> Result<Told<'a>, Failure> {
        let named = |day: Option<NaiveDate>, problem: String| {
            let day = day.map(|day| format!(", on {day}")).unwrap_or_default();
            Failure::new(format!("The sample's member {:?}{day}: {problem}.", member.name))
        };
        let mut deeds: Vec<(Instant, NaiveDate, Deed<'a>)> = vec![];
        for event in &member.history {
            deeds.push(self.dated(event).map_err(|problem| named(None, problem))?);
        }
        for habit in &member.habits {
            self.repeat(habit, &mut deeds).map_err(|problem| named(None, problem))?;
        }
        // The sort is stable: on the same instant, what the file names first happened first.
        deeds.sort_by_key(|&(at, ..)| at);

        let mut told = Told {
            member,
            id: token::id().map_err(|error| Failure::new(format!("Seeding failed: {error}.")))?,
            since: member.since.resolve(self.as_of)?,
            account: Account::new(self.shop),
            redemptions: vec![],
        };
        let mut receipts: BTreeMap<&str, String> = BTreeMap::new();
        for (at, day, deed) in deeds {
            self.happen(&mut told, &mut receipts, &deed, at, day)
                .map_err(|problem| named(Some(day), problem))?;
        }
        told.account
            .pass_time(self.now)
            .map_err(|error| named(None, error.to_string()))?;
        Ok(told)
    }

    fn happen(
        &mut self,
        told: &mut Told<'a>,
        receipts: &mut BTreeMap<&'a str, String>,
        deed: &Deed<'a>,
        at: Instant,
        day: NaiveDate,
    ) -> Result<(), String> {
        let words = |error: AccountError| error.to_string();
        let json = |texts: &Texts| serde_json::to_string(texts).map_err(|error| error.to_string());
        match *deed {
            Deed::Purchase {
                store,
                total_minor,
                receipt,
            } => {
                let number = receipt.map_or_else(|| self.receipt(store, day), str::to_owned);
                let sale = Sale {
                    id: token::id().map_err(|error| error.to_string())?,
                    store,
                    external_id: &number,
                    total_minor,
                    occurred_at: at,
                };
                told.account.earn(sale, at).map_err(words)?;
                if let Some(receipt) = receipt {
                    let made = told
                        .account
                        .purchases
                        .values()
                        .find(|purchase| purchase.external_id == receipt);
                    receipts.extend(made.map(|purchase| (receipt, purchase.id.clone())));
                }
            }
            Deed::Return {
                receipt,
                amount_minor,
                reason,
            } => {
                let purchase = receipts
                    .get(receipt)
                    .ok_or_else(|| format!("receipt {receipt:?} was not made before"))?;
                let number = format!("{receipt}-R{}", told.account.returns.len() + 1);
                told.account
                    .take_back(purchase, &number, amount_minor, Some(json(reason)?), at)
                    .map_err(words)?;
            }
            Deed::Bonus { points, reason } => told.account.give(points, Some(json(reason)?), at).map_err(words)?,
            Deed::Reward { id } => {
                let reward = self.shop.file.rewards.iter().find(|reward| reward.id == id);
                let reward = reward.ok_or_else(|| format!("there is no reward {id:?}"))?;
                self.redeem(told, Some(reward), reward.cost_points, at)?;
            }
            Deed::Money { points } => {
                let charged = self.charged(points)?;
                if !self.is_enough(charged) {
                    return Err(format!("{} points are fewer than can be used at once", points.0));
                }
                self.redeem(told, None, charged, at)?;
            }
            Deed::MoneyUpTo { points } => {
                told.account.pass_time(at).map_err(words)?;
                let available = told.account.available(at).map_err(|error| error.to_string())?;
                let charged = self.charged(points.min(available))?;
                if self.is_enough(charged) {
                    self.redeem(told, None, charged, at)?;
                }
            }
        }
        Ok(())
    }

    fn is_enough(&self, charged: Points) -> bool {
        charged >= self.shop.file.min_spend_points && charged > Points::ZERO
    }

    fn charged(&self, points: Points) -> Result<Points, String> {
        cheapest(points, &self.shop.file.point_value).map_err(|error| error.to_string())
    }

    fn redeem(
        &self,
        told: &mut Told<'a>,
        reward: Option<&RewardFile>,
        points: Points,
        at: Instant,
    ) -> Result<(), String> {
        let title = reward.map(|reward| serde_json::to_string(&reward.title));
        let own_minutes = reward.and_then(|reward| reward.voucher_valid_minutes);
        let minutes = own_minutes.unwrap_or(self.shop.file.voucher_valid_minutes);
        let id = token::id().map_err(|error| error.to_string())?;
        let parts = told.account.spend(points, &id, at).map_err(|error| error.to_string())?;
        let money = worth(points, &self.shop.file.point_value).map_err(|error| error.to_string())?;
        told.account.totals.saved_minor += money.minor;
        told.redemptions.push(Redemption {
            id,
            parts,
            code: token::voucher_code().map_err(|error| error.to_string())?,
            reward_id: reward.map(|reward| reward.id.clone()),
            title: title.transpose().map_err(|error| error.to_string())?,
            points,
            money_minor: money.minor,
            at,
            valid_until: at + TimeDelta::minutes(i64::from(minutes)),
        });
        Ok(())
    }

    /// A number as a till prints it: store, day, and the how manyth that day.
    fn receipt(&mut self, store: &str, day: NaiveDate) -> String {
        let count = self.tills.entry((store.to_owned(), day)).or_default();
        *count += 1;
        format!("{}-{}-{count:03}", store.to_uppercase(), day.format("%y%m%d"))
    }

    fn dated(&self, event: &'a EventFile) -> Result<(Instant, NaiveDate, Deed<'a>), String> {
        let day = event.day.resolve(self.as_of).map_err(|error| error.to_string())?;
        let deed = match &event.what {
            WhatFile::Purchase {
                store,
                total_minor,
                receipt,
            } => {
                self.check_purchase(store, *total_minor)?;
                Deed::Purchase {
                    store,
                    total_minor: *total_minor,
                    receipt: receipt.as_deref(),
                }
            }
            WhatFile::Return {
                receipt,
                amount_minor,
                reason,
            } => Deed::Return {
                receipt,
                amount_minor: *amount_minor,
                reason,
            },
            WhatFile::Bonus { points, reason } => Deed::Bonus {
                points: *points,
                reason,
            },
            WhatFile::Spend {
                points: Some(points),
                reward: None,
            } => Deed::Money { points: *points },
            WhatFile::Spend {
                points: None,
                reward: Some(id),
            } => Deed::Reward { id },
            WhatFile::Spend { .. } => return Err("a spend names either points or a reward".into()),
        };
        Ok((self.instant(day, event.time.as_deref())?, day, deed))
    }

    fn repeat(&self, habit: &'a HabitFile, deeds: &mut Vec<(Instant, NaiveDate, Deed<'a>)>) -> Result<(), String> {
        let resolve = |day: crate::programme_file::Day| day.resolve(self.as_of).map_err(|error| error.to_string());
        let (from, until) = (resolve(habit.from)?, resolve(habit.until)?);
        if habit.every_days == 0 || habit.stores.is_empty() || habit.totals_minor.is_empty() {
            return Err("a habit has no store, no total, or repeats every 0 days".into());
        }
        let days = (0..).map(|i| add_days(from, i * i64::from(habit.every_days)));
        let turns = habit.stores.iter().cycle().zip(habit.totals_minor.iter().cycle());
        for (count, (day, (store, &total_minor))) in (1..).zip(days.zip(turns)) {
            let day = day.map_err(|error| error.to_string())?;
            if until < day {
                break;
            }
            self.check_purchase(store, total_minor)?;
            let at = self.instant(day, None)?;
            deeds.push((
                at,
                day,
                Deed::Purchase {
                    store,
                    total_minor,
                    receipt: None,
                },
            ));
            if let (Some(every), Some(points)) = (habit.spend_every, habit.spend_points)
                && every > 0
                && count % every == 0
            {
                deeds.push((at, day, Deed::MoneyUpTo { points }));
            }
        }
        Ok(())
    }

    fn check_purchase(&self, store: &str, total_minor: i64) -> Result<(), String> {
        if !self.shop.file.stores.iter().any(|known| known.id == store) {
            return Err(format!("{store:?} is no store of this programme"));
        }
        if total_minor < 0 {
            Err("a purchase is below zero".into())
        } else {
            Ok(())
        }
    }

    /// Noon of the day, or that time of it; today not later than now.
    fn instant(&self, day: NaiveDate, time: Option<&str>) -> Result<Instant, String> {
        if self.as_of < day {
            return Err(format!("{day} lies in the future"));
        }
        let time = match time {
            None => NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default(),
            Some(text) => {
                NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| format!("{text:?} is no time of day"))?
            }
        };
        let local = self.shop.zone.from_local_datetime(&day.and_time(time));
        let at = match local.earliest() {
            Some(at) => at.to_utc(),
            // A clock change skipped it: as long after the day began as the time says.
            None => start_of_day(day, &self.shop.zone).map_err(|error| error.to_string())? + (time - NaiveTime::MIN),
        };
        Ok(at.min(self.now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures;
    use crate::programme_file::{MembersFile, ProgrammeFile, read};
    use crate::seed::sample::Sample;

    #[test]
    fn the_sample_is_the_same_whatever_day_it_is_seeded() {
        let sample = Sample::open(None).expect("built in");
        let content = |name| sample.file(name).expect(name);
        let file: ProgrammeFile = read("programme.json", &content("programme.json")).expect("a programme");
        let members: MembersFile = read("members.json", &content("members.json")).expect("members");
        let shop = |day| {
            let pictures = |name: &str| sample.file(&format!("media/{name}"));
            let (file, _) = pictures::resolve(file.clone(), day, pictures).expect("resolved");
            Shop::new(1, file, true).expect("a shop")
        };
        for now in [
            "2026-11-21T10:00:00Z",
            "2026-12-31T22:59:00Z",
            "2027-02-28T00:05:00Z",
            "2027-03-28T01:30:00Z",
            "2027-03-29T10:00:00Z",
            "2028-02-29T10:00:00Z",
        ] {
            let now: Instant = now.parse().expect("an instant");
            let day = loyalty_rules::calendar::day_of(now, &chrono_tz::Europe::Berlin);
            let shop = shop(day);
            let mut story = Story::new(&shop, day, now);
            for (name, available, pending) in [("Linh", 1250, 85), ("Amir", 0, 0), ("Olga", -40, 0)] {
                let member = members.members.iter().find(|member| member.name == name).expect(name);
                let account = story.tell(member).expect("a history").account;
                let found = (account.available(now), account.pending(now));
                assert_eq!(found, (Ok(Points(available)), Ok(Points(pending))), "{name} on {day}");
            }
        }
    }
}
