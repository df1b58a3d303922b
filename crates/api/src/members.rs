//! A member as the database has them, at one instant.

use chrono::{DateTime, NaiveDate, TimeDelta};
use loyalty_contract::rewards::Availability;
use loyalty_contract::status::{Balance, Member, MemberState};
use loyalty_contract::{Instant, Points};
use loyalty_rules::availability::Holder;
use loyalty_rules::lots::{self, Lot};
use loyalty_rules::tiers::{Standing, standing_from};
use loyalty_rules::worth::worth;
use sqlx::{AnyConnection, FromRow};

use crate::account::books::TierHistory;
use crate::account::{Totals, by_day};
use crate::clock::{from_millis, millis};
use crate::http::{Error, Result};
use crate::shop::Shop;

/// How far ahead expiries are told.
pub const EXPIRIES_TOLD_WITHIN: TimeDelta = TimeDelta::days(90);

/// A member, what they have and where they stand.
#[derive(Debug)]
pub struct Snapshot {
    /// When this was so.
    pub at: Instant,
    /// As they see themselves.
    pub member: Member,
    /// Messages that were not opened.
    pub unread_messages: u32,
    /// Running sums of the ledger, with what ended since its last entry counted as expired.
    pub totals: Totals,
    /// Lots of which something is left or owed, settled; those that are alike as one.
    pub lots: Vec<Lot>,
    /// The entry that made the oldest debt of which something is still owed.
    pub debt_entry: Option<String>,
    /// What the tier is reckoned from.
    history: TierHistory,
    /// Where they stand; `None` without a ladder.
    pub standing: Option<Standing>,
}

#[derive(FromRow)]
struct Row {
    number: String,
    name: String,
    since: i64,
    state: String,
    contact: Option<String>,
    unread_messages: i64,
    earned: i64,
    spent: i64,
    expired: i64,
    adjusted: i64,
    saved_minor: i64,
    tier_history: Option<String>,
    terms_version: Option<i64>,
}

impl Snapshot {
    /// Reads it. Costs as much as the member has open lots, however long their history is.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer, or there is no such member (any more).
    pub async fn load(db: &mut AnyConnection, shop: &Shop, member_id: &str, now: Instant) -> Result<Self> {
        let row: Row = sqlx::query_as(
            "select number, name, since, state, contact, unread_messages, earned, spent, expired, adjusted, saved_minor,
                tier_history, terms_version
             from members where id = $1",
        )
        .bind(member_id)
        .fetch_optional(&mut *db)
        .await?
        .ok_or_else(Error::signed_out)?;

        let (mut lots, entries) = open_lots(db, member_id, now).await?;
        lots::settle(&mut lots, now);
        let debt = lots.iter().position(|lot| lot.points < Points::ZERO);
        let debt_entry = debt.and_then(|oldest| entries.get(oldest).cloned());

        let history = TierHistory::read(db, shop, member_id, row.tier_history.as_deref(), None).await?;

        let over: Points = lots
            .iter()
            .filter(|lot| lot.is_expired(now))
            .map(|lot| lot.points)
            .sum();
        let totals = Totals {
            earned: Points(row.earned),
            spent: Points(row.spent),
            expired: Points(row.expired) + over,
            adjusted: Points(row.adjusted),
            saved_minor: row.saved_minor,
        };
        let contact = row.contact.map(|contact| serde_json::from_str(&contact)).transpose()?;
        let member = Member {
            number: row.number,
            name: row.name,
            since: from_day_number(row.since),
            state: state_of(&row.state),
            contact,
            accepted_terms_version: row.terms_version.and_then(|version| u32::try_from(version).ok()),
        };
        let mut found = Self {
            at: now,
            member,
            unread_messages: u32::try_from(row.unread_messages).unwrap_or_default(),
            totals,
            lots,
            debt_entry,
            history,
            standing: None,
        };
        found.standing = found.standing_with(shop, Points::ZERO)?;
        Ok(found)
    }

    /// Where they would stand with so many more points earned today.
    ///
    /// # Errors
    /// [`Error`] where a number does not fit.
    pub fn standing_with(&self, shop: &Shop, more: Points) -> Result<Option<Standing>> {
        let today = loyalty_rules::calendar::day_of(self.at, &shop.zone);
        let days = self.history.days.iter().copied().chain([(today, more)]);
        let history = by_day(days, &shop.zone)?;
        Ok(standing_from(
            self.history.checkpoint.as_ref(),
            &shop.thresholds,
            shop.file.tier_window,
            &history,
            self.at,
            &shop.zone,
        )?)
    }

    /// What can be used now.
    ///
    /// # Errors
    /// [`Error`] where the sum does not fit.
    pub fn available(&self) -> Result<Points> {
        Ok(lots::available(&self.lots, self.at)?)
    }

    /// What they have, after so many points left it and so many came to wait.
    ///
    /// # Errors
    /// [`Error`] where a number does not fit.
    pub fn balance(&self, shop: &Shop, less: Points, waiting: Points) -> Result<Balance> {
        let available = self
            .available()?
            .0
            .checked_sub(less.0)
            .map(Points)
            .ok_or(loyalty_rules::Overflow)?;
        let pending = lots::pending(&self.lots, self.at)?
            .0
            .checked_add(waiting.0)
            .ok_or(loyalty_rules::Overflow)?;
        Ok(Balance {
            available,
            pending: Points(pending),
            worth: worth(available, &shop.file.point_value)?,
        })
    }

    /// The tier held, by its id.
    pub fn tier<'a>(&self, shop: &'a Shop) -> Option<&'a str> {
        tier_id(shop, self.standing)
    }

    /// What a reward's availability depends on.
    ///
    /// # Errors
    /// [`Error`] where a number does not fit.
    pub fn holder<'a>(&self, shop: &'a Shop) -> Result<Holder<'a>> {
        Ok(Holder {
            available: self.available()?,
            tier: self.tier(shop),
            state: self.member.state,
        })
    }

    /// Whether the membership neither earns nor spends.
    pub fn is_paused(&self) -> bool {
        self.member.state == MemberState::Paused
    }
}

/// Reads lots of which something is left or owed. Those that can be used, and for longer than
/// [`EXPIRIES_TOLD_WITHIN`], are alike for whatever a snapshot is asked, and come as one: somebody who saves for years
/// has hundreds.
///
/// With a debt each is read by itself, since which of them pays it depends on each, and with the entry that made it.
async fn open_lots(db: &mut AnyConnection, member_id: &str, now: Instant) -> Result<(Vec<Lot>, Vec<String>)> {
    // All of it stands in the index `lots_open`.
    let found: Vec<(i64, i64, Option<i64>)> = sqlx::query_as(
        "select cast(sum(remaining) as bigint), min(available_at), min(expires_at) from lots
         where member_id = $1 and remaining <> 0 and remaining > 0 and available_at <= $2
            and (expires_at is null or expires_at > $3)
         having count(*) > 0
         union all
         select remaining, available_at, expires_at from lots
         where member_id = $1 and remaining <> 0 and (remaining < 0 or available_at > $2 or expires_at <= $3)",
    )
    .bind(member_id)
    .bind(millis(now))
    .bind(millis(now + EXPIRIES_TOLD_WITHIN))
    .fetch_all(&mut *db)
    .await?;
    if found.iter().all(|&(points, ..)| points >= 0) {
        return Ok((found.into_iter().map(lot).collect(), vec![]));
    }
    let found: Vec<(i64, i64, Option<i64>, String)> = sqlx::query_as(
        "select remaining, available_at, expires_at, entry_id from lots
         where member_id = $1 and remaining <> 0 order by seq",
    )
    .bind(member_id)
    .fetch_all(db)
    .await?;
    Ok(found
        .into_iter()
        .map(|(points, available_at, expires_at, entry)| (lot((points, available_at, expires_at)), entry))
        .unzip())
}

fn lot((points, available_at, expires_at): (i64, i64, Option<i64>)) -> Lot {
    Lot {
        points: Points(points),
        available_at: from_millis(available_at),
        expires_at: expires_at.map(from_millis),
    }
}

/// The id of the tier that somebody stands on.
pub fn tier_id(shop: &Shop, standing: Option<Standing>) -> Option<&str> {
    standing
        .and_then(|standing| shop.file.tiers.get(standing.tier))
        .map(|tier| tier.id.as_str())
}

/// Whether nothing stands in the way of having a reward.
pub fn is_ready(availability: &Availability) -> bool {
    matches!(availability, Availability::Ready)
}

/// A day from days since 1970; the epoch itself for one beyond the calendar, which nothing here writes.
pub fn from_day_number(day: i64) -> NaiveDate {
    let day = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days);
    day.unwrap_or_else(|| DateTime::UNIX_EPOCH.date_naive())
}

/// The state of that name.
pub fn state_of(name: &str) -> MemberState {
    match name {
        "active" => MemberState::Active,
        "paused" => MemberState::Paused,
        "managed" => MemberState::Managed,
        _ => MemberState::Unknown,
    }
}
