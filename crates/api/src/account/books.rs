//! A member's account in the database: read under the member's lock, changed by [`Account`], written back.
//!
//! [`Books::open`] first lets happen what time has brought meanwhile, so whatever is done with them is done now.

use chrono::{NaiveDate, TimeDelta};
use loyalty_contract::ledger::EntryKind;
use loyalty_contract::rewards::Reason;
use loyalty_contract::status::MemberState;
use loyalty_contract::{Instant, Points, ProblemCode};
use loyalty_rules::calendar::{add_days, day_of};
use loyalty_rules::lots::{Lot, expirations};
use loyalty_rules::returns::ReturnError;
use loyalty_rules::tiers::{Checkpoint, Standing, checkpoint_at, history_needed};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{Account, AccountError, BelongsTo, HeldLot, Part, Purchase, Return, Totals, by_day, kind_name};
use crate::clock::{from_millis, millis};
use crate::db::{Value, insert_rows, insert_rows_or};
use crate::events::{self, Event};
use crate::http::{Error, Result};
use crate::members::{from_day_number, state_of};
use crate::shop::Shop;

/// How long before their end points are told of, once.
const TOLD_BEFORE_EXPIRY: TimeDelta = TimeDelta::days(30);

/// How far behind today a checkpoint is made, in days: a till's purchase is never older, so it seldom has to be thrown away.
const CHECKPOINT_BEHIND_DAYS: i64 = 45;

/// How old a checkpoint may become before it is made anew, in days. Without one, from how long a history it is worth it.
const CHECKPOINT_RENEWED_DAYS: i64 = 120;

/// The state of somebody who is no member any more.
pub const LEFT: &str = "left";

/// Why points of somebody who left are written off, in each language.
const LEFT_REASON: &str = include_str!("left.json");

/// A member's account, locked until the transaction ends.
#[derive(Debug)]
pub struct Books<'a> {
    /// Opaque.
    pub member_id: String,
    /// Twelve digits.
    pub number: String,
    /// What they can do.
    pub state: MemberState,
    /// They are no member any more: their books are kept, and nothing is ever left in them.
    pub has_left: bool,
    /// When this is.
    pub now: Instant,
    /// Their points.
    pub account: Account<'a>,
    shop: &'a Shop,
    entry_count: i64,
    /// When the next voucher that is reserved lapses.
    lapses_at: Option<Instant>,
    voucher_ended: bool,
    told_tier: Option<String>,
    told_expiring_until: i64,
}

#[derive(FromRow)]
struct MemberRow {
    id: String,
    number: String,
    state: String,
    balance: i64,
    earned: i64,
    spent: i64,
    expired: i64,
    adjusted: i64,
    saved_minor: i64,
    entry_count: i64,
    lot_count: i64,
    told_tier: Option<String>,
    told_expiring_until: i64,
    tier_history: Option<String>,
}

#[derive(FromRow)]
struct LotRow {
    id: String,
    seq: i64,
    entry_id: String,
    purchase_id: Option<String>,
    points: i64,
    remaining: i64,
    expired: i64,
    available_at: i64,
    expires_at: Option<i64>,
    grace: i64,
}

#[derive(FromRow)]
struct PurchaseRow {
    id: String,
    store: String,
    external_id: String,
    occurred_at: i64,
    total_minor: i64,
    earning_points: i64,
    earning_per_minor: i64,
    multiplier_permille: i64,
    points: i64,
    returned_minor: i64,
    forgiven: i64,
}

/// What a tier is reckoned from, in one text on the member's row, so that a status reads one row however long a history
/// is. It holds for one ladder, and can always be made anew from the table `qualifying`.
#[derive(Deserialize, Serialize)]
struct StoredHistory {
    ladder: String,
    checkpoint: Option<StoredCheckpoint>,
    days: Vec<(i32, i64)>,
}

#[derive(Deserialize, Serialize)]
struct StoredCheckpoint {
    day: NaiveDate,
    tier: usize,
    last_day: Option<NaiveDate>,
}

/// What a member's tier is reckoned from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierHistory {
    /// Saves telling the days before it again.
    pub checkpoint: Option<Checkpoint>,
    /// The points of each day: all of them, or those that the checkpoint does not know.
    pub days: Vec<(NaiveDate, Points)>,
}

const LOT_COLUMNS: &str = "id, seq, entry_id, purchase_id, points, remaining, expired, available_at, expires_at, grace";

/// The columns that [`part_rows`] fills.
pub const PART_COLUMNS: [&str; 5] = ["redemption_id", "position", "lot_id", "points", "returned"];

impl<'a> Books<'a> {
    /// Locks the member and reads their account, after what has lapsed or expired by now. `None` if there is no such
    /// member.
    ///
    /// `since` is the earliest day whose purchases this is about, today unless told: a checkpoint must not be younger.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer.
    pub async fn open(
        tx: &mut AnyConnection,
        shop: &'a Shop,
        member_id: &str,
        since: Option<NaiveDate>,
        now: Instant,
    ) -> Result<Option<Self>> {
        Self::open_where(tx, shop, ("id = $1", member_id), since, now).await
    }

    /// The same as [`Books::open`], for whoever knows the member by their number only.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer.
    pub async fn open_by_number(
        tx: &mut AnyConnection,
        shop: &'a Shop,
        number: &str,
        since: Option<NaiveDate>,
        now: Instant,
    ) -> Result<Option<Self>> {
        Self::open_where(tx, shop, ("number = $1", number), since, now).await
    }

    async fn open_where(
        tx: &mut AnyConnection,
        shop: &'a Shop,
        (condition, value): (&str, &str),
        since: Option<NaiveDate>,
        now: Instant,
    ) -> Result<Option<Self>> {
        let statement = format!(
            "update members set version = version + 1 where {condition}
             returning id, number, state, balance, earned, spent, expired, adjusted, saved_minor, entry_count,
                lot_count, told_tier, told_expiring_until, tier_history"
        );
        // The text is made of this file's own words; the value is bound.
        let row: Option<MemberRow> = sqlx::query_as(AssertSqlSafe(statement))
            .bind(value)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let member_id = row.id;
        let history = TierHistory::read(tx, shop, &member_id, row.tier_history.as_deref(), since).await?;
        let mut account = Account::new(shop);
        account.balance = Points(row.balance);
        account.totals = Totals {
            earned: Points(row.earned),
            spent: Points(row.spent),
            expired: Points(row.expired),
            adjusted: Points(row.adjusted),
            saved_minor: row.saved_minor,
        };
        account.lot_count = row.lot_count;
        account.open = lots_where(tx, "where member_id = $1 and remaining <> 0", &member_id).await?;
        account.qualifying = history.days.into_iter().collect();
        account.checkpoint = history.checkpoint;
        let mut books = Self {
            member_id,
            number: row.number,
            state: state_of(&row.state),
            has_left: row.state == LEFT,
            now,
            account,
            shop,
            entry_count: row.entry_count,
            lapses_at: None,
            voucher_ended: false,
            told_tier: row.told_tier,
            told_expiring_until: row.told_expiring_until,
        };
        books.read_lapse(tx).await?;
        if books.lapses_at.is_some_and(|at| at <= now) {
            books.lapse(tx).await?;
        }
        books.account.pass_time(now)?;
        Ok(Some(books))
    }

    /// Whether the membership neither earns nor spends.
    pub fn is_paused(&self) -> bool {
        self.state == MemberState::Paused || self.has_left
    }

    /// Ends the membership: whatever is left is written off, now and whenever something comes back later.
    pub fn leave(&mut self) {
        self.has_left = true;
    }

    /// Where the member stands now.
    ///
    /// # Errors
    /// [`Error`] where a number does not fit.
    pub fn standing(&self) -> Result<Option<Standing>> {
        Ok(self.account.standing(self.now)?)
    }

    /// Says that a voucher was made, which may be the next to lapse.
    pub fn voucher_made(&mut self, valid_until: Instant) {
        self.lapses_at = Some(self.lapses_at.map_or(valid_until, |next| next.min(valid_until)));
    }

    /// Says that a voucher has ended, so that the next to lapse may be another one.
    pub fn voucher_ended(&mut self) {
        self.voucher_ended = true;
    }

    /// Reads a purchase and all of its lots, for a return.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer.
    pub async fn read_purchase(&mut self, tx: &mut AnyConnection, purchase_id: &str) -> Result<()> {
        let row: Option<PurchaseRow> = sqlx::query_as(
            "select id, store, external_id, occurred_at, total_minor, earning_points, earning_per_minor,
                multiplier_permille, points, returned_minor, forgiven
             from purchases where id = $1 and member_id = $2",
        )
        .bind(purchase_id)
        .bind(&self.member_id)
        .fetch_optional(&mut *tx)
        .await?;
        let row = row.ok_or(AccountError::UnknownPurchase)?;
        let purchase = Purchase {
            occurred_at: from_millis(row.occurred_at),
            total_minor: row.total_minor,
            earning: loyalty_contract::programme::Earning {
                points: Points(row.earning_points),
                per_money: loyalty_contract::Money::new(row.earning_per_minor, self.shop.file.currency),
            },
            multiplier_permille: u32::try_from(row.multiplier_permille).unwrap_or_default(),
            points: Points(row.points),
            returned_minor: row.returned_minor,
            forgiven: Points(row.forgiven),
            kept: Some((row.returned_minor, Points(row.forgiven))),
            id: row.id.clone(),
            store: row.store,
            external_id: row.external_id,
        };
        self.account.purchases.insert(row.id, purchase);
        let statement = "where purchase_id = $1";
        let lots = lots_where(tx, statement, purchase_id).await?;
        self.hold_closed(lots);
        Ok(())
    }

    /// Reads which points a voucher took, and their lots, so that they can be brought back.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer.
    pub async fn read_parts(&mut self, tx: &mut AnyConnection, redemption_id: &str) -> Result<Vec<Part>> {
        let parts: Vec<(String, i64, i64)> = sqlx::query_as(
            "select lot_id, points, returned from redemption_lots where redemption_id = $1 order by position",
        )
        .bind(redemption_id)
        .fetch_all(&mut *tx)
        .await?;
        let statement = "where id in (select lot_id from redemption_lots where redemption_id = $1)";
        let lots = lots_where(tx, statement, redemption_id).await?;
        self.hold_closed(lots);
        Ok(parts
            .into_iter()
            .map(|(lot_id, points, returned)| Part {
                lot_id,
                points: Points(points),
                returned: Points(returned),
            })
            .collect())
    }

    /// Brings so many points of a voucher back, and writes down of which parts they were.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer, or a number does not fit.
    pub async fn bring_back(
        &mut self,
        tx: &mut AnyConnection,
        kind: EntryKind,
        points: Points,
        redemption_id: &str,
        at: Instant,
    ) -> Result<()> {
        let mut parts = self.read_parts(tx, redemption_id).await?;
        self.account.bring_back(kind, points, redemption_id, &mut parts, at)?;
        for (position, part) in (0_i64..).zip(&parts) {
            sqlx::query("update redemption_lots set returned = $1 where redemption_id = $2 and position = $3")
                .bind(part.returned.0)
                .bind(redemption_id)
                .bind(position)
                .execute(&mut *tx)
                .await?;
        }
        self.voucher_ended();
        Ok(())
    }

    /// Reads when the next voucher lapses.
    ///
    /// By a statement of its own, which begins when the member is locked: one that had waited for that lock would not
    /// see what others did to the vouchers meanwhile.
    async fn read_lapse(&mut self, tx: &mut AnyConnection) -> Result<()> {
        let (next,): (Option<i64>,) =
            sqlx::query_as("select min(valid_until) from redemptions where member_id = $1 and state = 'reserved'")
                .bind(&self.member_id)
                .fetch_one(tx)
                .await?;
        self.lapses_at = next.map(from_millis);
        Ok(())
    }

    /// Ends vouchers whose time is over, each at its own instant, and gives their points back.
    async fn lapse(&mut self, tx: &mut AnyConnection) -> Result<()> {
        let over: Vec<(String, i64, i64, Option<String>)> = sqlx::query_as(
            "select id, points, valid_until, reward_id from redemptions
             where member_id = $1 and state = 'reserved' and valid_until <= $2 order by valid_until, id",
        )
        .bind(&self.member_id)
        .bind(millis(self.now))
        .fetch_all(&mut *tx)
        .await?;
        let mut rewards: Vec<String> = vec![];
        for (id, points, valid_until, reward_id) in over {
            sqlx::query(
                "update redemptions set state = 'expired', ended_at = $1,
                    version = (select version from members where id = redemptions.member_id)
                 where id = $2",
            )
            .bind(valid_until)
            .bind(&id)
            .execute(&mut *tx)
            .await?;
            let at = from_millis(valid_until);
            self.bring_back(tx, EntryKind::Release, Points(points), &id, at).await?;
            rewards.extend(reward_id);
        }
        // In one order for all members, so that no two wait for each other.
        rewards.sort_unstable();
        for reward_id in rewards {
            put_back(tx, &reward_id).await?;
        }
        Ok(())
    }

    /// Writes everything that changed, and what others are to be told of it.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer, or a number does not fit.
    pub async fn save(mut self, tx: &mut AnyConnection) -> Result<()> {
        if self.has_left {
            self.account.write_off(Some(LEFT_REASON.trim().to_owned()), self.now)?;
        }
        self.save_purchases(tx).await?;
        let entries = self.save_entries(tx).await?;
        self.save_lots(tx).await?;
        self.save_days(tx).await?;

        let standing = self.standing()?;
        if self.has_left {
            // Nobody is told of somebody who is not there any more.
            self.account.events.clear();
        } else {
            self.tell(standing)?;
        }
        let events = std::mem::take(&mut self.account.events);
        events::record(tx, &self.member_id, &self.number, events).await?;

        if self.voucher_ended {
            self.read_lapse(tx).await?;
        }
        let history = self.history()?.write(self.shop)?;
        let totals = self.account.totals;
        sqlx::query(
            "update members set balance = $1, earned = $2, spent = $3, expired = $4, adjusted = $5, saved_minor = $6,
                entry_count = $7, lot_count = $8, due_at = $9, told_tier = $10, told_expiring_until = $11,
                tier_history = $12
             where id = $13",
        )
        .bind(self.account.balance.0)
        .bind(totals.earned.0)
        .bind(totals.spent.0)
        .bind(totals.expired.0)
        .bind(totals.adjusted.0)
        .bind(totals.saved_minor)
        .bind(self.entry_count + entries)
        .bind(self.account.lot_count)
        .bind(self.due_at(standing).map(millis))
        .bind(&self.told_tier)
        .bind(self.told_expiring_until)
        .bind(history)
        .bind(&self.member_id)
        .execute(&mut *tx)
        .await?;
        Ok(())
    }

    async fn save_purchases(&mut self, tx: &mut AnyConnection) -> Result<()> {
        for purchase in self.account.purchases.values() {
            // A new one has its row from the receipt, and nothing of it is returned yet.
            let is_now = (purchase.returned_minor, purchase.forgiven);
            if purchase.kept.is_none_or(|kept| kept == is_now) {
                continue;
            }
            sqlx::query("update purchases set returned_minor = $1, forgiven = $2 where id = $3")
                .bind(purchase.returned_minor)
                .bind(purchase.forgiven.0)
                .bind(&purchase.id)
                .execute(&mut *tx)
                .await?;
        }
        let returns = self.account.returns.iter().map(return_row).collect();
        Ok(insert_rows(tx, "returns", &RETURN_COLUMNS, returns).await?)
    }

    /// Writes the new entries, and tells how many they are.
    async fn save_entries(&mut self, tx: &mut AnyConnection) -> Result<i64> {
        let rows: Vec<Vec<Value>> = (self.entry_count + 1..)
            .zip(&self.account.entries)
            .map(|(seq, entry)| entry_row(entry, &self.member_id, seq))
            .collect();
        let count = i64::try_from(rows.len()).unwrap_or_default();
        insert_rows(tx, "entries", &ENTRY_COLUMNS, rows).await?;
        Ok(count)
    }

    async fn save_lots(&mut self, tx: &mut AnyConnection) -> Result<()> {
        let mut new = vec![];
        for held in self.account.open.iter().chain(&self.account.closed) {
            match held.kept {
                None => new.push(lot_row(held, &self.member_id)),
                Some(kept) if kept != (held.lot.points, held.expired) => {
                    sqlx::query("update lots set remaining = $1, expired = $2 where id = $3")
                        .bind(held.lot.points.0)
                        .bind(held.expired.0)
                        .bind(&held.id)
                        .execute(&mut *tx)
                        .await?;
                }
                Some(_) => {}
            }
        }
        Ok(insert_rows(tx, "lots", &LOT_ROW_COLUMNS, new).await?)
    }

    async fn save_days(&mut self, tx: &mut AnyConnection) -> Result<()> {
        let days = self.account.changed_days.iter();
        let rows = days
            .map(|day| {
                let points = self.account.qualifying.get(day).copied().unwrap_or_default();
                vec![
                    self.member_id.as_str().into(),
                    i64::from(day.to_epoch_days()).into(),
                    points.0.into(),
                ]
            })
            .collect();
        let columns = ["member_id", "day", "points"];
        let ending = "on conflict (member_id, day) do update set points = excluded.points";
        insert_rows_or(tx, "qualifying", &columns, rows, ending).await?;
        Ok(())
    }

    /// Finds what others do not know yet: another tier, and points that end soon.
    fn tell(&mut self, standing: Option<Standing>) -> Result<()> {
        let tier = crate::members::tier_id(self.shop, standing);
        if tier != self.told_tier.as_deref() {
            if let (Some(from), Some(to)) = (&self.told_tier, tier) {
                self.account.events.push(Event::tier_changed(self.now, from, to));
            }
            self.told_tier = tier.map(str::to_owned);
        }
        let until = self.now + TOLD_BEFORE_EXPIRY;
        for (end, points) in expirations(&self.account.lots(), self.now, until)? {
            if millis(end) > self.told_expiring_until {
                self.told_expiring_until = millis(end);
                let event = Event::expiring(self.now, points, end, self.shop)?;
                self.account.events.push(event);
            }
        }
        Ok(())
    }

    /// The next instant at which something happens to this account by itself.
    fn due_at(&self, standing: Option<Standing>) -> Option<Instant> {
        if self.has_left {
            return None;
        }
        let lots = self.account.open.iter().map(|held| &held.lot);
        let turns = lots.flat_map(|lot| {
            let notice = lot
                .expires_at
                .filter(|&end| millis(end) > self.told_expiring_until)
                .map(|end| end - TOLD_BEFORE_EXPIRY);
            [Some(lot.available_at), lot.expires_at, notice].into_iter().flatten()
        });
        turns
            .chain(self.lapses_at)
            .chain(standing.and_then(|standing| standing.valid_until))
            .filter(|&at| self.now < at)
            .min()
    }

    /// What the tier is reckoned from the next time: with the checkpoint that there is, or a younger one where that
    /// has become old.
    fn history(&self) -> Result<TierHistory> {
        let shop = self.shop;
        let window = shop.file.tier_window;
        let mut days: Vec<_> = self
            .account
            .qualifying
            .iter()
            .map(|(&day, &points)| (day, points))
            .collect();
        let mut checkpoint = self.account.checkpoint;
        let today = day_of(self.now, &shop.zone);
        let oldest = checkpoint
            .map(|checkpoint| checkpoint.day)
            .or(days.first().map(|&(day, _)| day));
        if oldest.is_some_and(|day| (today - day).num_days() > CHECKPOINT_RENEWED_DAYS) {
            let day = add_days(today, -CHECKPOINT_BEHIND_DAYS)?;
            let history = by_day(days.iter().copied(), &shop.zone)?;
            let made = checkpoint_at(checkpoint.as_ref(), &shop.thresholds, window, &history, day, &shop.zone)?;
            let needed = history_needed(&made, window)?;
            days.retain(|&(day, _)| needed <= day);
            checkpoint = Some(made);
        }
        Ok(TierHistory { checkpoint, days })
    }

    fn hold_closed(&mut self, lots: Vec<HeldLot>) {
        let account = &mut self.account;
        for lot in lots {
            let is_held = account.open.iter().chain(&account.closed).any(|held| held.id == lot.id);
            if !is_held {
                account.closed.push(lot);
            }
        }
    }
}

/// A purchase's number in its store, taken before it is known what the purchase earns.
#[derive(Clone, Debug)]
pub struct Receipt<'s> {
    /// The purchase's id, opaque.
    pub id: &'s str,
    /// The store's id.
    pub store: &'s str,
    /// The till's number.
    pub external_id: &'s str,
    /// What was paid.
    pub total_minor: i64,
    /// When.
    pub occurred_at: Instant,
    /// The member's number as the till said it.
    pub member_number: Option<&'s str>,
    /// Of everything that the till said.
    pub fingerprint: &'s str,
}

impl Receipt<'_> {
    /// Takes the number; `false` where the store has a purchase of it already. Whoever else wants it waits.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn take(&self, tx: &mut AnyConnection, shop: &Shop) -> Result<bool> {
        let earning = shop.file.earning;
        let made = sqlx::query(
            "insert into purchases (id, store, external_id, member_number, occurred_at, total_minor, earning_points,
                earning_per_minor, multiplier_permille, points, returned_minor, forgiven, fingerprint)
             values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, $9)
             on conflict (store, external_id) do nothing",
        )
        .bind(self.id)
        .bind(self.store)
        .bind(self.external_id)
        .bind(self.member_number)
        .bind(millis(self.occurred_at))
        .bind(self.total_minor)
        .bind(earning.points.0)
        .bind(earning.per_money.minor)
        .bind(self.fingerprint)
        .execute(tx)
        .await?;
        Ok(made.rows_affected() > 0)
    }

    /// Writes down whose the purchase was, what it earned and what was answered.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn settle(
        &self,
        tx: &mut AnyConnection,
        member_id: Option<&str>,
        earned: Option<&Purchase>,
        answer: &str,
    ) -> Result<()> {
        // What earns nothing is kept at a multiplier of nothing, so that its returns take nothing.
        let (permille, points) = earned.map_or((0, 0), |purchase| {
            (i64::from(purchase.multiplier_permille), purchase.points.0)
        });
        sqlx::query(
            "update purchases set member_id = $1, multiplier_permille = $2, points = $3, answer = $4 where id = $5",
        )
        .bind(member_id)
        .bind(permille)
        .bind(points)
        .bind(answer)
        .bind(self.id)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// One piece of a reward is there again.
///
/// # Errors
/// Where the database does not answer.
pub async fn put_back(tx: &mut AnyConnection, reward_id: &str) -> Result<()> {
    sqlx::query("update rewards set stock = stock + 1 where id = $1 and stock is not null")
        .bind(reward_id)
        .execute(tx)
        .await?;
    Ok(())
}

impl TierHistory {
    /// What was stored, or the whole history where that does not hold for the ladder as it is now, or not for a change
    /// on the day `since`.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer.
    pub async fn read(
        db: &mut AnyConnection,
        shop: &Shop,
        member_id: &str,
        stored: Option<&str>,
        since: Option<NaiveDate>,
    ) -> Result<Self> {
        let is_before = |checkpoint: &Checkpoint| since.is_none_or(|since| checkpoint.day <= since);
        let stored = stored.and_then(|text| Self::stored(text, shop));
        if let Some(history) = stored.filter(|history| history.checkpoint.as_ref().is_none_or(is_before)) {
            return Ok(history);
        }
        let days: Vec<(i64, i64)> =
            sqlx::query_as("select day, points from qualifying where member_id = $1 order by day")
                .bind(member_id)
                .fetch_all(db)
                .await?;
        let days = days
            .into_iter()
            .map(|(day, points)| (from_day_number(day), Points(points)));
        Ok(Self {
            checkpoint: None,
            days: days.collect(),
        })
    }

    /// What was stored, if it holds for the ladder as it is now.
    pub fn stored(text: &str, shop: &Shop) -> Option<Self> {
        let stored: StoredHistory = serde_json::from_str(text).ok()?;
        let days = stored
            .days
            .into_iter()
            .map(|(day, points)| (from_day_number(day.into()), Points(points)));
        (stored.ladder == shop.ladder).then(|| Self {
            checkpoint: stored.checkpoint.map(|checkpoint| Checkpoint {
                day: checkpoint.day,
                tier: checkpoint.tier,
                last_day: checkpoint.last_day,
            }),
            days: days.collect(),
        })
    }

    fn write(self, shop: &Shop) -> Result<String> {
        let stored = StoredHistory {
            ladder: shop.ladder.clone(),
            checkpoint: self.checkpoint.map(|checkpoint| StoredCheckpoint {
                day: checkpoint.day,
                tier: checkpoint.tier,
                last_day: checkpoint.last_day,
            }),
            days: self
                .days
                .iter()
                .map(|(day, points)| (day.to_epoch_days(), points.0))
                .collect(),
        };
        Ok(serde_json::to_string(&stored)?)
    }
}

async fn lots_where(tx: &mut AnyConnection, condition: &str, value: &str) -> Result<Vec<HeldLot>> {
    let statement = format!("select {LOT_COLUMNS} from lots {condition} order by seq");
    // The text is made of this file's own words; the value is bound.
    let rows: Vec<LotRow> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(value)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(HeldLot::from).collect())
}

impl From<LotRow> for HeldLot {
    fn from(row: LotRow) -> Self {
        Self {
            id: row.id,
            entry_id: row.entry_id,
            purchase_id: row.purchase_id,
            seq: row.seq,
            granted: Points(row.points),
            expired: Points(row.expired),
            is_grace: row.grace != 0,
            lot: Lot {
                points: Points(row.remaining),
                available_at: from_millis(row.available_at),
                expires_at: row.expires_at.map(from_millis),
            },
            kept: Some((Points(row.remaining), Points(row.expired))),
        }
    }
}

/// The columns that [`entry_row`] fills.
pub const ENTRY_COLUMNS: [&str; 14] = [
    "id",
    "member_id",
    "seq",
    "at",
    "kind",
    "points",
    "worth_minor",
    "balance_after",
    "reason",
    "purchase_id",
    "return_id",
    "redemption_id",
    "available_at",
    "expires_at",
];

/// A ledger entry as a row.
pub fn entry_row(entry: &super::Entry, member_id: &str, seq: i64) -> Vec<Value> {
    let (mut purchase, mut returned, mut redemption) = (None, None, None);
    match &entry.belongs_to {
        BelongsTo::Nothing => {}
        BelongsTo::Purchase(id) => purchase = Some(id.clone()),
        BelongsTo::Return(id) => returned = Some(id.clone()),
        BelongsTo::Redemption(id) => redemption = Some(id.clone()),
    }
    vec![
        entry.id.as_str().into(),
        member_id.into(),
        seq.into(),
        millis(entry.at).into(),
        kind_name(entry.kind).into(),
        entry.points.0.into(),
        entry.worth_minor.into(),
        entry.balance_after.0.into(),
        entry.reason.clone().into(),
        purchase.into(),
        returned.into(),
        redemption.into(),
        entry.available_at.map(millis).into(),
        entry.expires_at.map(millis).into(),
    ]
}

/// The columns that [`return_row`] fills.
pub const RETURN_COLUMNS: [&str; 7] = [
    "id",
    "purchase_id",
    "external_id",
    "store",
    "occurred_at",
    "amount_minor",
    "points",
];

/// A return as a row.
pub fn return_row(returned: &Return) -> Vec<Value> {
    vec![
        returned.id.as_str().into(),
        returned.purchase_id.as_str().into(),
        returned.external_id.as_str().into(),
        returned.store.as_str().into(),
        millis(returned.occurred_at).into(),
        returned.amount_minor.into(),
        returned.points.0.into(),
    ]
}

/// The columns that [`lot_row`] fills.
pub const LOT_ROW_COLUMNS: [&str; 11] = [
    "id",
    "member_id",
    "seq",
    "entry_id",
    "purchase_id",
    "points",
    "remaining",
    "expired",
    "available_at",
    "expires_at",
    "grace",
];

/// A lot as a row.
pub fn lot_row(held: &HeldLot, member_id: &str) -> Vec<Value> {
    vec![
        held.id.as_str().into(),
        member_id.into(),
        held.seq.into(),
        held.entry_id.as_str().into(),
        held.purchase_id.clone().into(),
        held.granted.0.into(),
        held.lot.points.0.into(),
        held.expired.0.into(),
        millis(held.lot.available_at).into(),
        held.lot.expires_at.map(millis).into(),
        i64::from(held.is_grace).into(),
    ]
}

/// From which lots a redemption's points came, as rows.
pub fn part_rows(redemption_id: &str, parts: &[Part]) -> Vec<Vec<Value>> {
    (0..)
        .zip(parts)
        .map(|(position, part)| {
            vec![
                redemption_id.into(),
                Value::Int(Some(position)),
                part.lot_id.as_str().into(),
                part.points.0.into(),
                part.returned.0.into(),
            ]
        })
        .collect()
}

impl From<AccountError> for Error {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Shortfall(short) => Self::because(
                ProblemCode::InsufficientBalance,
                "the balance does not cover it",
                vec![Reason::InsufficientBalance {
                    required: short.available + short.missing,
                    available: short.available,
                    missing: short.missing,
                }],
            ),
            AccountError::Return(ReturnError::ExceedsPurchase) => Self::refuse(
                ProblemCode::ReturnExceedsPurchase,
                "more would be returned than was bought",
            ),
            other => Self::internal(other),
        }
    }
}
