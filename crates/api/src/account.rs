//! One member's points while something happens to them: the lots and the ledger that a purchase, a bonus, a spend
//! or a return leaves behind. The arithmetic is `loyalty_rules`'; this keeps the books by it.
//!
//! Events are told in the order of time. Before each, [`Account::pass_time`] writes down what ended meanwhile.

pub mod books;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use loyalty_contract::ledger::EntryKind;
use loyalty_contract::programme::Earning;
use loyalty_contract::{Instant, Points};
use loyalty_rules::Overflow;
use loyalty_rules::calendar::{available_at, day_of, expires_at, start_of_day};
use loyalty_rules::earning::{PLAIN_RATE_PERMILLE, earned};
use loyalty_rules::lots::{
    ComesBack, Lot, Shortfall, TakeError, available, comes_back, give_back, pending, settle, take, take_up_to,
};
use loyalty_rules::returns::{ReturnError, allocate, taken_back};
use loyalty_rules::tiers::{Checkpoint, Qualifying, Standing, standing_from};
use loyalty_rules::worth::worth;

use crate::events::Event;
use crate::shop::Shop;
use crate::token::{self, NoRandomness};

/// Why something did not happen to an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The balance does not cover it.
    #[error("{} points are missing", .0.missing.0)]
    Shortfall(#[from] Shortfall),
    /// The return cannot be.
    #[error(transparent)]
    Return(#[from] ReturnError),
    /// There is no such purchase in this account.
    #[error("the purchase is not one of this member's")]
    UnknownPurchase,
    /// There is no such lot in this account.
    #[error("the lot is not one of this member's")]
    UnknownLot,
    /// A number does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// No identifier could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl From<TakeError> for AccountError {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Shortfall(short) => Self::Shortfall(short),
            TakeError::Overflow(overflow) => Self::Overflow(overflow),
        }
    }
}

/// A ledger entry, before it is worded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Opaque.
    pub id: String,
    /// When it happened.
    pub at: Instant,
    /// What happened.
    pub kind: EntryKind,
    /// How many points came or went.
    pub points: Points,
    /// What that many were worth then, in minor units.
    pub worth_minor: i64,
    /// Available plus pending, after it.
    pub balance_after: Points,
    /// Why, as JSON in the programme's languages.
    pub reason: Option<String>,
    /// What it belongs to.
    pub belongs_to: BelongsTo,
    /// The first instant at which these points can be used.
    pub available_at: Option<Instant>,
    /// The first instant at which they cannot.
    pub expires_at: Option<Instant>,
}

/// What a ledger entry belongs to, by its id.
#[derive(Clone, Debug, Default)]
pub enum BelongsTo {
    /// Only to itself.
    #[default]
    Nothing,
    /// A purchase.
    Purchase(String),
    /// A return of a purchase.
    Return(String),
    /// A redemption.
    Redemption(String),
}

/// A lot, with what its books need beyond what is left of it.
#[derive(Clone, Debug)]
pub struct HeldLot {
    /// Opaque.
    pub id: String,
    /// The entry that made it.
    pub entry_id: String,
    /// The purchase that earned it.
    pub purchase_id: Option<String>,
    /// Its place among the member's lots.
    pub seq: i64,
    /// How many there were at first; below zero for a debt.
    pub granted: Points,
    /// How many of them expired unused.
    pub expired: Points,
    /// They came back after their own end, for a week and for the last time.
    pub is_grace: bool,
    /// What is left, and when it can be used.
    pub lot: Lot,
    /// What the database has as left and as expired; `None` while it has nothing of the lot.
    pub kept: Option<(Points, Points)>,
}

/// Points of one lot that a redemption took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which lot.
    pub lot_id: String,
    /// How many were taken.
    pub points: Points,
    /// How many of them went back.
    pub returned: Points,
}

/// A purchase, at the rate that it earned by.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// Opaque.
    pub id: String,
    /// The store's id.
    pub store: String,
    /// The till's number.
    pub external_id: String,
    /// When.
    pub occurred_at: Instant,
    /// What was paid.
    pub total_minor: i64,
    /// The programme's rate at that time.
    pub earning: Earning,
    /// The multiplier of the tier held just before.
    pub multiplier_permille: u32,
    /// What it earned.
    pub points: Points,
    /// What of it was returned.
    pub returned_minor: i64,
    /// What returns did not take back, since it had expired unused.
    pub forgiven: Points,
    /// What the database has as returned and as forgiven; `None` while it has nothing of the purchase.
    pub kept: Option<(i64, Points)>,
}

/// A purchase, before it is known what it earns.
#[derive(Clone, Debug)]
pub struct Sale<'s> {
    /// Opaque.
    pub id: String,
    /// The store's id.
    pub store: &'s str,
    /// The till's number.
    pub external_id: &'s str,
    /// What was paid.
    pub total_minor: i64,
    /// When.
    pub occurred_at: Instant,
}

/// A return of a purchase, or of a part of it.
#[derive(Clone, Debug)]
pub struct Return {
    /// Opaque.
    pub id: String,
    /// Of which purchase.
    pub purchase_id: String,
    /// The till's number.
    pub external_id: String,
    /// The store's id.
    pub store: String,
    /// When.
    pub occurred_at: Instant,
    /// What the goods had cost.
    pub amount_minor: i64,
    /// What the purchase earned less by it.
    pub points: Points,
}

/// Running sums of a ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Earned and given, less what returns took back.
    pub earned: Points,
    /// Used, less what came back.
    pub spent: Points,
    /// Expired unused.
    pub expired: Points,
    /// Given by staff, less what they took.
    pub adjusted: Points,
    /// What used vouchers took off, in minor units.
    pub saved_minor: i64,
}

impl Totals {
    /// Counts one entry in.
    ///
    /// # Errors
    /// [`Overflow`]; then nothing has changed.
    pub fn add(&mut self, kind: EntryKind, points: Points) -> Result<(), Overflow> {
        let mut next = *self;
        let gone = Points(points.0.checked_neg().ok_or(Overflow)?);
        match kind {
            EntryKind::Earn | EntryKind::Bonus | EntryKind::Return => next.earned = sum(self.earned, points)?,
            EntryKind::Spend | EntryKind::Release | EntryKind::Refund => next.spent = sum(self.spent, gone)?,
            EntryKind::Expire => next.expired = sum(self.expired, gone)?,
            EntryKind::Adjust => next.adjusted = sum(self.adjusted, points)?,
            EntryKind::Unknown => {}
        }
        *self = next;
        Ok(())
    }
}

fn sum(a: Points, b: Points) -> Result<Points, Overflow> {
    a.0.checked_add(b.0).map(Points).ok_or(Overflow)
}

/// One member's points.
#[derive(Debug)]
pub struct Account<'a> {
    shop: &'a Shop,
    /// The ledger, oldest first; of an account that was read, what was written since.
    pub entries: Vec<Entry>,
    /// What its entries add up to: available plus pending.
    pub balance: Points,
    /// Running sums of it.
    pub totals: Totals,
    /// Lots of which something is left, or owed.
    pub open: Vec<HeldLot>,
    /// Lots that are empty; of an account that was read, those that it was about.
    pub closed: Vec<HeldLot>,
    /// How many lots there ever were.
    pub lot_count: i64,
    /// By their id.
    pub purchases: BTreeMap<String, Purchase>,
    /// In the order in which they happened.
    pub returns: Vec<Return>,
    /// What counts towards a tier, by day: all of it, or what the checkpoint does not know.
    pub qualifying: BTreeMap<NaiveDate, Points>,
    /// Saves telling the days before it again.
    pub checkpoint: Option<Checkpoint>,
    /// Days on which something changed.
    pub changed_days: BTreeSet<NaiveDate>,
    /// What others are to be told.
    pub events: Vec<Event>,
}

impl<'a> Account<'a> {
    /// The account of somebody who has just joined.
    pub fn new(shop: &'a Shop) -> Self {
        Self {
            shop,
            entries: vec![],
            balance: Points::ZERO,
            totals: Totals::default(),
            open: vec![],
            closed: vec![],
            lot_count: 0,
            purchases: BTreeMap::new(),
            returns: vec![],
            qualifying: BTreeMap::new(),
            checkpoint: None,
            changed_days: BTreeSet::new(),
            events: vec![],
        }
    }

    /// Lets points that became available pay what is owed, and writes down what expired, each at its own instant.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn pass_time(&mut self, now: Instant) -> Result<(), AccountError> {
        self.with_lots(|lots| settle(lots, now));
        let mut over: BTreeMap<Instant, Points> = BTreeMap::new();
        for held in self.open.iter_mut().filter(|held| held.lot.is_expired(now)) {
            if let Some(end) = held.lot.expires_at {
                *over.entry(end).or_default() += held.lot.points;
                held.expired += held.lot.points;
                held.lot.points = Points::ZERO;
            }
        }
        self.close_empty();
        for (end, points) in over.into_iter().filter(|&(_, points)| points != Points::ZERO) {
            self.write(end, EntryKind::Expire, -points, None, BelongsTo::Nothing, None)?;
        }
        Ok(())
    }

    /// Books a purchase at the rate of the tier held just before it, and tells from when its points can be used.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn earn(&mut self, sale: Sale<'_>, now: Instant) -> Result<Option<Instant>, AccountError> {
        self.earn_at(sale, self.shop.file.earning, now)
    }

    /// The same as [`Account::earn`], at the rate that the programme had when the purchase was told.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn earn_at(&mut self, sale: Sale<'_>, earning: Earning, now: Instant) -> Result<Option<Instant>, AccountError> {
        self.pass_time(now)?;
        let multiplier_permille = self
            .standing(sale.occurred_at)?
            .and_then(|standing| self.shop.file.tiers.get(standing.tier))
            .map_or(PLAIN_RATE_PERMILLE, |tier| tier.multiplier_permille);
        let points = earned(sale.total_minor, &earning, multiplier_permille)?;
        let day = day_of(sale.occurred_at, &self.shop.zone);
        let purchase = Purchase {
            id: sale.id,
            store: sale.store.to_owned(),
            external_id: sale.external_id.to_owned(),
            occurred_at: sale.occurred_at,
            total_minor: sale.total_minor,
            earning,
            multiplier_permille,
            points,
            returned_minor: 0,
            forgiven: Points::ZERO,
            kept: None,
        };
        let mut usable_from = None;
        if points > Points::ZERO {
            let life = (
                available_at(day, self.shop.file.return_window_days, &self.shop.zone)?,
                expires_at(day, self.shop.file.points_valid_months, &self.shop.zone)?,
            );
            usable_from = Some(life.0);
            self.grant(
                sale.occurred_at,
                EntryKind::Earn,
                points,
                None,
                Some(&purchase.id),
                life,
            )?;
            self.qualify(day, points)?;
            self.events.push(Event::earned(now, &purchase, life.0, self.shop));
        }
        self.purchases.insert(purchase.id.clone(), purchase);
        // What was bought long ago may have become available meanwhile, or be over.
        self.pass_time(now)?;
        Ok(usable_from)
    }

    /// Books points that the shop gives: usable at once, for the usual time.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn give(&mut self, points: Points, reason: Option<String>, now: Instant) -> Result<(), AccountError> {
        self.present(EntryKind::Bonus, points, reason, now)?;
        Ok(())
    }

    /// Books what staff correct, up or down, and gives the entry's id. What is taken beyond what can be used is owed.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn adjust(&mut self, points: Points, reason: Option<String>, now: Instant) -> Result<String, AccountError> {
        if points >= Points::ZERO {
            return self.present(EntryKind::Adjust, points, reason, now);
        }
        self.pass_time(now)?;
        let mut owed = Points(points.0.checked_neg().ok_or(Overflow)?);
        for part in take_up_to(&self.lots(), owed, now) {
            self.open[part.lot].lot.points = self.open[part.lot].lot.points - part.points;
            owed = owed - part.points;
        }
        self.close_empty();
        let entry_id = self.write(now, EntryKind::Adjust, points, reason, BelongsTo::Nothing, None)?;
        if owed > Points::ZERO {
            self.hold(entry_id.clone(), None, -owed, (now, None), false)?;
        }
        Ok(entry_id)
    }

    /// Ends all points that are left, whether they can be used yet or not. What is owed stays.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn write_off(&mut self, reason: Option<String>, now: Instant) -> Result<(), AccountError> {
        self.pass_time(now)?;
        let mut over = Points::ZERO;
        for held in self.open.iter_mut().filter(|held| held.lot.points > Points::ZERO) {
            over = sum(over, held.lot.points)?;
            held.expired += held.lot.points;
            held.lot.points = Points::ZERO;
        }
        self.close_empty();
        if over > Points::ZERO {
            self.write(now, EntryKind::Expire, -over, reason, BelongsTo::Nothing, None)?;
        }
        Ok(())
    }

    fn present(
        &mut self,
        kind: EntryKind,
        points: Points,
        reason: Option<String>,
        now: Instant,
    ) -> Result<String, AccountError> {
        self.pass_time(now)?;
        let day = day_of(now, &self.shop.zone);
        let end = expires_at(day, self.shop.file.points_valid_months, &self.shop.zone)?;
        let entry_id = self.grant(now, kind, points, reason, None, (now, end))?;
        // What was just given pays what is owed at once.
        self.pass_time(now)?;
        Ok(entry_id)
    }

    /// Books that points were turned into the redemption of that id, and tells from which lots they came.
    ///
    /// # Errors
    /// [`AccountError::Shortfall`] where the balance does not cover it; then nothing was taken.
    pub fn spend(&mut self, points: Points, redemption_id: &str, now: Instant) -> Result<Vec<Part>, AccountError> {
        self.pass_time(now)?;
        let taken = take(&self.lots(), points, now)?;
        let mut parts = vec![];
        for part in taken {
            let held = &mut self.open[part.lot];
            held.lot.points = held.lot.points - part.points;
            parts.push(Part {
                lot_id: held.id.clone(),
                points: part.points,
                returned: Points::ZERO,
            });
        }
        self.close_empty();
        let belongs_to = BelongsTo::Redemption(redemption_id.to_owned());
        self.write(now, EntryKind::Spend, -points, None, belongs_to, None)?;
        self.events.push(Event::spent(now, points, redemption_id, self.shop)?);
        Ok(parts)
    }

    /// Books that so many points of a redemption came back: to the lots that they came from, with their own end.
    ///
    /// What is over meanwhile comes back for a week, and what came back so before is over. The lots of the parts are
    /// in this account.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn bring_back(
        &mut self,
        kind: EntryKind,
        points: Points,
        redemption_id: &str,
        parts: &mut [Part],
        now: Instant,
    ) -> Result<(), AccountError> {
        self.pass_time(now)?;
        if points <= Points::ZERO {
            return Ok(());
        }
        let still_out: Vec<Points> = parts.iter().map(|part| part.points - part.returned).collect();
        if still_out.iter().copied().sum::<Points>() < points {
            return Err(AccountError::UnknownLot);
        }
        let belongs_to = BelongsTo::Redemption(redemption_id.to_owned());
        let entry_id = self.write(now, kind, points, None, belongs_to.clone(), None)?;
        let mut over = Points::ZERO;
        for (part, back) in parts.iter_mut().zip(give_back(&still_out, points)) {
            if back == Points::ZERO {
                continue;
            }
            part.returned += back;
            let zone = &self.shop.zone;
            let held = self.lot_mut(&part.lot_id).ok_or(AccountError::UnknownLot)?;
            match comes_back(held.lot.expires_at, held.is_grace, now, zone)? {
                ComesBack::ToLot => held.lot.points += back,
                ComesBack::ForGrace { expires_at } => {
                    let purchase_id = held.purchase_id.clone();
                    let life = (now, Some(expires_at));
                    self.hold(entry_id.clone(), purchase_id.as_deref(), back, life, true)?;
                }
                ComesBack::Over => {
                    held.expired += back;
                    over += back;
                }
            }
        }
        let is_open = |held: &mut HeldLot| held.lot.points != Points::ZERO;
        self.open.extend(self.closed.extract_if(.., is_open));
        // The order of lots decides between equals.
        self.open.sort_by_key(|held| held.seq);
        if over > Points::ZERO {
            self.write(now, EntryKind::Expire, -over, None, belongs_to, None)?;
        }
        self.pass_time(now)
    }

    /// Books that goods of a purchase came back, and gives the return's id. The purchase's lots are in this account.
    ///
    /// # Errors
    /// [`AccountError::Return`] where more comes back than was bought.
    pub fn take_back(
        &mut self,
        purchase_id: &str,
        external_id: &str,
        amount_minor: i64,
        reason: Option<String>,
        now: Instant,
    ) -> Result<String, AccountError> {
        let id = token::id()?;
        self.take_back_as(id.clone(), purchase_id, external_id, amount_minor, reason, now)?;
        Ok(id)
    }

    /// The same as [`Account::take_back`], for a return that has its id already.
    ///
    /// # Errors
    /// [`AccountError::Return`] where more comes back than was bought.
    pub fn take_back_as(
        &mut self,
        id: String,
        purchase_id: &str,
        external_id: &str,
        amount_minor: i64,
        reason: Option<String>,
        now: Instant,
    ) -> Result<(), AccountError> {
        self.pass_time(now)?;
        let purchase = self
            .purchases
            .get(purchase_id)
            .cloned()
            .ok_or(AccountError::UnknownPurchase)?;
        let points = taken_back(purchase.total_minor, purchase.returned_minor, amount_minor, |minor| {
            earned(minor, &purchase.earning, purchase.multiplier_permille)
        })?;
        let of_purchase = |held: &HeldLot| held.purchase_id.as_deref() == Some(purchase_id);
        let expired: Points = self
            .open
            .iter()
            .chain(&self.closed)
            .filter(|&held| of_purchase(held))
            .map(|held| held.expired)
            .sum();
        let own: Vec<usize> = (0..self.open.len())
            .filter(|&lot| of_purchase(&self.open[lot]))
            .collect();
        let found = allocate(points, &own, expired - purchase.forgiven, &self.lots(), now);
        for part in &found.taken {
            self.open[part.lot].lot.points = self.open[part.lot].lot.points - part.points;
        }
        self.close_empty();

        self.qualify(day_of(purchase.occurred_at, &self.shop.zone), -points)?;
        let returned = Return {
            id,
            purchase_id: purchase_id.to_owned(),
            external_id: external_id.to_owned(),
            store: purchase.store.clone(),
            occurred_at: now,
            amount_minor,
            points,
        };
        if let Some(purchase) = self.purchases.get_mut(purchase_id) {
            purchase.returned_minor += amount_minor;
            purchase.forgiven += found.forgiven;
        }
        let taken = points - found.forgiven;
        if taken > Points::ZERO {
            let belongs_to = BelongsTo::Return(returned.id.clone());
            let entry_id = self.write(now, EntryKind::Return, -taken, reason, belongs_to, None)?;
            if found.owed > Points::ZERO {
                self.hold(entry_id, None, -found.owed, (now, None), false)?;
            }
            self.events
                .push(Event::returned(now, taken, &purchase, &returned, self.shop)?);
        }
        self.returns.push(returned);
        Ok(())
    }

    fn qualify(&mut self, day: NaiveDate, points: Points) -> Result<(), Overflow> {
        let counted = self.qualifying.entry(day).or_default();
        *counted = sum(*counted, points)?;
        self.changed_days.insert(day);
        Ok(())
    }

    fn lot_mut(&mut self, id: &str) -> Option<&mut HeldLot> {
        self.open.iter_mut().chain(&mut self.closed).find(|held| held.id == id)
    }

    /// What can be used now.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn available(&self, now: Instant) -> Result<Points, Overflow> {
        available(&self.lots(), now)
    }

    /// What waits for its return window to end.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn pending(&self, now: Instant) -> Result<Points, Overflow> {
        pending(&self.lots(), now)
    }

    /// Where the member stands now.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn standing(&self, now: Instant) -> Result<Option<Standing>, Overflow> {
        let shop = self.shop;
        let history = by_day(self.qualifying.iter().map(|(&day, &points)| (day, points)), &shop.zone)?;
        let checkpoint = self.checkpoint.as_ref();
        standing_from(
            checkpoint,
            &shop.thresholds,
            shop.file.tier_window,
            &history,
            now,
            &shop.zone,
        )
    }

    fn lots(&self) -> Vec<Lot> {
        self.open.iter().map(|held| held.lot.clone()).collect()
    }

    fn with_lots(&mut self, change: impl FnOnce(&mut [Lot])) {
        let mut lots = self.lots();
        change(&mut lots);
        for (held, lot) in self.open.iter_mut().zip(lots) {
            held.lot = lot;
        }
        self.close_empty();
    }

    fn close_empty(&mut self) {
        let is_empty = |held: &mut HeldLot| held.lot.points == Points::ZERO;
        self.closed.extend(self.open.extract_if(.., is_empty));
    }

    fn grant(
        &mut self,
        at: Instant,
        kind: EntryKind,
        points: Points,
        reason: Option<String>,
        purchase_id: Option<&str>,
        life: (Instant, Option<Instant>),
    ) -> Result<String, AccountError> {
        let belongs_to = purchase_id.map_or(BelongsTo::Nothing, |id| BelongsTo::Purchase(id.to_owned()));
        let entry_id = self.write(at, kind, points, reason, belongs_to, Some(life))?;
        self.hold(entry_id.clone(), purchase_id, points, life, false)?;
        Ok(entry_id)
    }

    fn hold(
        &mut self,
        entry_id: String,
        purchase_id: Option<&str>,
        points: Points,
        (available_at, expires_at): (Instant, Option<Instant>),
        is_grace: bool,
    ) -> Result<(), AccountError> {
        self.lot_count = self.lot_count.checked_add(1).ok_or(Overflow)?;
        self.open.push(HeldLot {
            id: token::id()?,
            entry_id,
            purchase_id: purchase_id.map(str::to_owned),
            seq: self.lot_count,
            granted: points,
            expired: Points::ZERO,
            is_grace,
            lot: Lot {
                points,
                available_at,
                expires_at,
            },
            kept: None,
        });
        Ok(())
    }

    fn write(
        &mut self,
        at: Instant,
        kind: EntryKind,
        points: Points,
        reason: Option<String>,
        belongs_to: BelongsTo,
        life: Option<(Instant, Option<Instant>)>,
    ) -> Result<String, AccountError> {
        let id = token::id()?;
        let size = Points(points.0.checked_abs().ok_or(Overflow)?);
        let balance = sum(self.balance, points)?;
        self.totals.add(kind, points)?;
        self.balance = balance;
        self.entries.push(Entry {
            id: id.clone(),
            at,
            kind,
            points,
            worth_minor: worth(size, &self.shop.file.point_value)?.minor,
            balance_after: balance,
            reason,
            belongs_to,
            available_at: life.map(|(begin, _)| begin),
            expires_at: life.and_then(|(_, end)| end),
        });
        Ok(id)
    }
}

/// What counts towards a tier, as the rules want it, from the sums of days that the books keep.
///
/// A day is as good as an instant here: returns are dated as their purchase, and the ladder asks by days.
///
/// # Errors
/// [`Overflow`] at the end of the calendar.
pub fn by_day(days: impl Iterator<Item = (NaiveDate, Points)>, zone: &Tz) -> Result<Vec<Qualifying>, Overflow> {
    days.map(|(day, points)| {
        Ok(Qualifying {
            at: start_of_day(day, zone)?,
            points,
        })
    })
    .collect()
}

/// A kind as the database keeps it: the same word as on the wire.
pub fn kind_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Earn => "earn",
        EntryKind::Bonus => "bonus",
        EntryKind::Spend => "spend",
        EntryKind::Release => "release",
        EntryKind::Refund => "refund",
        EntryKind::Return => "return",
        EntryKind::Expire => "expire",
        EntryKind::Adjust => "adjust",
        EntryKind::Unknown => "unknown",
    }
}

/// The kind of that name.
pub fn kind_of(name: &str) -> EntryKind {
    use EntryKind::{Adjust, Bonus, Earn, Expire, Refund, Release, Return, Spend, Unknown};
    [Earn, Bonus, Spend, Release, Refund, Return, Expire, Adjust]
        .into_iter()
        .find(|&kind| kind_name(kind) == name)
        .unwrap_or(Unknown)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::programme_file::{ProgrammeFile, read};

    fn shop() -> Shop {
        let file = read("programme.json", include_bytes!("../sample/programme.json")).expect("a programme");
        Shop::new(
            1,
            ProgrammeFile {
                rewards: vec![],
                ..file
            },
            true,
        )
        .expect("a shop")
    }

    fn day(number: i64) -> Instant {
        let first: Instant = "2025-01-01T11:00:00Z".parse().expect("an instant");
        first + TimeDelta::days(number)
    }

    fn earn(account: &mut Account<'_>, number: &str, total_minor: i64, now: Instant) -> Result<(), AccountError> {
        let sale = Sale {
            id: token::id()?,
            store: "main",
            external_id: number,
            total_minor,
            occurred_at: now,
        };
        account.earn(sale, now).map(|_| ())
    }

    fn bought(account: &Account<'_>, external_id: &str) -> String {
        let found = account
            .purchases
            .values()
            .find(|purchase| purchase.external_id == external_id);
        found.expect("a purchase").id.clone()
    }

    fn points_by_kind(account: &Account<'_>) -> Vec<(&'static str, i64)> {
        account
            .entries
            .iter()
            .map(|entry| (kind_name(entry.kind), entry.points.0))
            .collect()
    }

    #[test]
    fn a_return_of_what_was_spent_goes_below_zero_and_the_next_points_pay_it() {
        let shop = shop();
        let mut account = Account::new(&shop);
        earn(&mut account, "kettle", 4000, day(0)).expect("earned");
        account.spend(Points(360), "voucher", day(20)).expect("spent");
        account
            .take_back(&bought(&account, "kettle"), "back", 4000, None, day(30))
            .expect("returned");
        assert_eq!(account.available(day(30)), Ok(Points(-360)));
        earn(&mut account, "tea", 5000, day(31)).expect("earned");
        assert_eq!(
            (account.available(day(31)), account.pending(day(31))),
            (Ok(Points(-360)), Ok(Points(500)))
        );
        account.pass_time(day(46)).expect("time passes");
        assert_eq!(account.available(day(46)), Ok(Points(140)));
        let told = [("earn", 400), ("spend", -360), ("return", -400), ("earn", 500)];
        assert_eq!(points_by_kind(&account), told, "a debt is paid without an entry");
    }

    #[test]
    fn what_expired_unused_is_not_taken_again() {
        let shop = shop();
        let mut account = Account::new(&shop);
        earn(&mut account, "kettle", 4000, day(0)).expect("earned");
        account.spend(Points(100), "voucher", day(20)).expect("spent");
        earn(&mut account, "tea", 5000, day(300)).expect("earned");
        account
            .take_back(&bought(&account, "kettle"), "back", 4000, None, day(400))
            .expect("returned");
        let told = [
            ("earn", 400),
            ("spend", -100),
            ("earn", 500),
            ("expire", -300),
            ("return", -100),
        ];
        assert_eq!(points_by_kind(&account), told);
        assert_eq!(
            account.entries[3].at,
            "2026-01-01T23:00:00Z".parse::<Instant>().expect("an instant")
        );
        let again = account.take_back(&bought(&account, "kettle"), "more", 1, None, day(401));
        assert!(matches!(again, Err(AccountError::Return(ReturnError::ExceedsPurchase))));
    }

    #[test]
    fn the_tier_held_before_a_purchase_sets_its_rate() {
        let shop = shop();
        let mut account = Account::new(&shop);
        earn(&mut account, "large", 20_000, day(0)).expect("earned");
        earn(&mut account, "small", 1000, day(1)).expect("earned");
        assert_eq!(points_by_kind(&account), [("earn", 2000), ("earn", 120)]);
        account
            .take_back(&bought(&account, "large"), "back", 20_000, None, day(2))
            .expect("returned");
        earn(&mut account, "other", 1000, day(3)).expect("earned");
        assert_eq!(account.entries.last().map(|entry| entry.points), Some(Points(100)));
    }

    #[test]
    fn no_more_comes_back_than_was_taken() {
        let shop = shop();
        let mut account = Account::new(&shop);
        account.give(Points(100), None, day(0)).expect("given");
        let mut parts = account.spend(Points(60), "voucher", day(1)).expect("spent");
        let again = [(Points(61), false), (Points(60), true), (Points(1), false)];
        for (points, is_done) in again {
            let done = account.bring_back(EntryKind::Release, points, "voucher", &mut parts, day(2));
            assert_eq!(done.is_ok(), is_done, "{points:?}");
        }
        assert_eq!(
            points_by_kind(&account),
            [("bonus", 100), ("spend", -60), ("release", 60)]
        );
    }

    #[derive(Clone, Debug)]
    enum Step {
        Earn(i64),
        Give(i64),
        Spend(i64),
        BringBack(usize, i64),
        Adjust(i64),
        TakeBack(usize, i64),
        Wait,
    }

    fn any_step() -> impl Strategy<Value = (i64, Step)> {
        let step = prop_oneof![
            (0..30_000i64).prop_map(Step::Earn),
            (1..500i64).prop_map(Step::Give),
            (1..2000i64).prop_map(Step::Spend),
            (0..6usize, 1..2000i64).prop_map(|(which, points)| Step::BringBack(which, points)),
            (-300..300i64).prop_map(Step::Adjust),
            (0..20usize, 0..30_000i64).prop_map(|(which, amount)| Step::TakeBack(which, amount)),
            Just(Step::Wait),
        ];
        (0..90i64, step)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
        #[test]
        fn the_balance_is_its_entries_and_its_lots(steps in prop::collection::vec(any_step(), 0..40)) {
            let shop = shop();
            let mut account = Account::new(&shop);
            let mut today = 0;
            let mut vouchers: Vec<(String, Vec<Part>)> = vec![];
            for (number, (days, step)) in steps.into_iter().enumerate() {
                today += days;
                let now = day(today);
                // A refusal is as good as anything else here, as long as it changes nothing.
                let _ = match step {
                    Step::Earn(total) => earn(&mut account, &number.to_string(), total, now),
                    Step::Give(points) => account.give(Points(points), None, now),
                    Step::Spend(points) => account.spend(Points(points), &number.to_string(), now).map(|parts| {
                        vouchers.push((number.to_string(), parts));
                    }),
                    Step::BringBack(which, points) => match vouchers.get_mut(which) {
                        None => account.pass_time(now),
                        Some((id, parts)) => {
                            let out: Points = parts.iter().map(|part| part.points - part.returned).sum();
                            account.bring_back(EntryKind::Release, out.min(Points(points)), id, parts, now)
                        }
                    },
                    Step::Adjust(points) => account.adjust(Points(points), None, now).map(|_| ()),
                    Step::TakeBack(which, amount) => {
                        let id = account.purchases.keys().nth(which).cloned().unwrap_or_default();
                        account.take_back(&id, &number.to_string(), amount, None, now).map(|_| ())
                    }
                    Step::Wait => account.pass_time(now),
                };
                let entries: Points = account.entries.iter().map(|entry| entry.points).sum();
                let lots: Points = account.open.iter().map(|held| held.lot.points).sum();
                prop_assert_eq!(account.balance, entries);
                prop_assert_eq!(entries, lots);
                prop_assert_eq!(account.available(now).expect("fits") + account.pending(now).expect("fits"), lots);
                let totals = account.totals;
                prop_assert_eq!(account.balance, totals.earned - totals.spent - totals.expired + totals.adjusted);
                let expired: Points = account.open.iter().chain(&account.closed).map(|held| held.expired).sum();
                prop_assert_eq!(expired, totals.expired);
                let returned: Points = account.returns.iter().map(|returned| returned.points).sum();
                let earned: Points = account.purchases.values().map(|purchase| purchase.points).sum();
                prop_assert_eq!(account.qualifying.values().copied().sum::<Points>(), earned - returned);
            }
        }
    }
}
