//! The model: what a loyalty programme does with points, told plainly from the contract, in memory and by its own
//! arithmetic. Time is told turn by turn, each instant at which something begins or ends.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use loyalty_contract::programme::TierWindow;
use loyalty_contract::{Instant, Points};
use loyalty_rules::calendar::{add_days, add_months, day_of, start_of_day};
use loyalty_rules::tiers::{Qualifying, standing};
use serde_json::{Value, json};

use crate::programme::{
    ADJUSTED_A_DAY, LADDER, MIN_SPEND, PER_MINOR, PERMILLE, POINTS_VALID_MONTHS, RETURN_WINDOW_DAYS, REWARDS, TIERS,
    VALUE_MINOR, VALUE_POINTS, VOUCHER_MINUTES, ZONE,
};

/// What a server is expected to answer: a status, and fields of the body.
pub type Expected = (u16, Value);

/// Points that came together; below zero, a debt.
struct Lot {
    left: i64,
    expired: i64,
    available_at: Instant,
    expires_at: Option<Instant>,
    /// The purchase that they were earned by.
    purchase: Option<usize>,
    /// They came back after their own end, for the last time.
    is_grace: bool,
}

#[derive(Default)]
struct Member {
    is_paused: bool,
    lots: Vec<Lot>,
    /// What the ledger's entries add up to.
    balance: i64,
    earned: i64,
    spent: i64,
    expired: i64,
    saved_minor: i64,
    qualifying: Vec<Qualifying>,
    /// Until when time was told.
    told: Instant,
}

struct Purchase {
    member: Option<usize>,
    total: i64,
    day: NaiveDate,
    rate: i64,
    permille: i64,
    returned: i64,
    forgiven: i64,
    answer: Value,
    /// By their number: the amount, and what was answered.
    returns: BTreeMap<usize, (i64, Value)>,
}

struct Quote {
    member: usize,
    reward: Option<usize>,
    points: i64,
    minor: i64,
    made_at: Instant,
    is_used: bool,
}

struct Voucher {
    member: usize,
    reward: Option<usize>,
    points: i64,
    minor: i64,
    valid_until: Instant,
    state: &'static str,
    /// Of which lots its points are, in the order in which they were taken.
    parts: Vec<(usize, i64)>,
    captured: (i64, i64),
}

/// The whole programme.
pub struct Model {
    pub now: Instant,
    /// Points for each [`PER_MINOR`].
    pub rate: i64,
    window: TierWindow,
    members: Vec<Member>,
    purchases: Vec<Purchase>,
    quotes: Vec<Quote>,
    vouchers: Vec<Voucher>,
    /// What is left of each reward, where that is counted.
    stock: Vec<Option<i64>>,
    /// What was given and taken on each day.
    adjusted: BTreeMap<NaiveDate, i64>,
}

fn refused(code: &str) -> Expected {
    let status = match code {
        "limit_exceeded" => 403,
        "not_found" => 404,
        "below_minimum" | "return_exceeds_purchase" => 422,
        _ => 409,
    };
    (status, json!({"code": code}))
}

fn euros(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

fn worth(points: i64) -> i64 {
    points.max(0) * VALUE_MINOR / VALUE_POINTS
}

/// The fewest points that are worth so much.
fn points_for(minor: i64) -> i64 {
    (minor.max(0) * VALUE_POINTS + VALUE_MINOR - 1) / VALUE_MINOR
}

fn earned(minor: i64, rate: i64, permille: i64) -> i64 {
    minor * rate * permille / (PER_MINOR * 1000)
}

fn midnight(day: NaiveDate, days: i64) -> Instant {
    start_of_day(add_days(day, days).unwrap(), &ZONE).unwrap()
}

/// When points of that day end.
fn end_of(day: NaiveDate) -> Instant {
    midnight(add_months(day, POINTS_VALID_MONTHS).unwrap(), 1)
}

impl Lot {
    fn is_over(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    fn counts(&self, now: Instant) -> bool {
        self.available_at <= now && !self.is_over(now)
    }
}

impl Member {
    fn available(&self, now: Instant) -> i64 {
        self.lots.iter().filter(|lot| lot.counts(now)).map(|lot| lot.left).sum()
    }

    fn pending(&self, now: Instant) -> i64 {
        self.lots
            .iter()
            .filter(|lot| now < lot.available_at)
            .map(|lot| lot.left)
            .sum()
    }

    /// Tells every instant until `now` at which points begin or end.
    fn pass(&mut self, now: Instant) {
        let turns = |lot: &Lot| [Some(lot.available_at), lot.expires_at];
        while let Some(turn) = self
            .lots
            .iter()
            .flat_map(turns)
            .flatten()
            .filter(|&turn| self.told < turn && turn <= now)
            .min()
        {
            self.told = turn;
            self.turn(turn);
        }
        self.told = now;
        self.turn(now);
    }

    /// What is over has expired; then what can be used pays what is owed, the oldest first.
    fn turn(&mut self, now: Instant) {
        for lot in self.lots.iter_mut().filter(|lot| lot.is_over(now)) {
            self.balance -= lot.left;
            self.expired += lot.left;
            lot.expired += lot.left;
            lot.left = 0;
        }
        for debt in 0..self.lots.len() {
            let mut payers: Vec<usize> = (0..self.lots.len()).filter(|&lot| self.lots[lot].counts(now)).collect();
            payers.sort_by_key(|&lot| (self.lots[lot].available_at, lot));
            for payer in payers {
                let paid = self.lots[payer].left.max(0).min(-self.lots[debt].left.min(0));
                self.lots[payer].left -= paid;
                self.lots[debt].left += paid;
            }
        }
    }

    fn hold(&mut self, points: i64, available_at: Instant, expires_at: Option<Instant>, purchase: Option<usize>) {
        self.lots.push(Lot {
            left: points,
            expired: 0,
            available_at,
            expires_at,
            purchase,
            is_grace: false,
        });
    }

    /// Takes up to so many points from these lots: by the earliest end, then the oldest.
    fn take(&mut self, points: i64, from: impl Fn(&Lot) -> bool) -> Vec<(usize, i64)> {
        let mut order: Vec<usize> = (0..self.lots.len())
            .filter(|&lot| self.lots[lot].left > 0 && from(&self.lots[lot]))
            .collect();
        order.sort_by_key(|&lot| (self.lots[lot].expires_at, self.lots[lot].available_at, lot));
        let (mut missing, mut parts) = (points, vec![]);
        for lot in order {
            let part = missing.min(self.lots[lot].left);
            if part > 0 {
                self.lots[lot].left -= part;
                missing -= part;
                parts.push((lot, part));
            }
        }
        parts
    }

    /// So many points of a voucher come back: what was taken last first, each to its lot; late once, for a week.
    fn bring_back(&mut self, points: i64, parts: &mut [(usize, i64)], now: Instant) {
        self.pass(now);
        self.balance += points;
        self.spent -= points;
        let mut missing = points;
        let mut late = vec![];
        for (lot, out) in parts.iter_mut().rev() {
            let back = missing.min(*out);
            missing -= back;
            *out -= back;
            let held = &mut self.lots[*lot];
            if !held.is_over(now) {
                held.left += back;
            } else if !held.is_grace {
                late.push((held.purchase, back));
            } else {
                held.expired += back;
                self.expired += back;
                self.balance -= back;
            }
        }
        // New lots stand in the order in which the points were taken.
        for (purchase, back) in late.into_iter().rev().filter(|&(_, back)| back > 0) {
            self.hold(back, now, Some(midnight(day_of(now, &ZONE), 8)), purchase);
            self.lots.last_mut().unwrap().is_grace = true;
        }
        self.pass(now);
    }

    fn tier(&self, window: TierWindow, at: Instant) -> (usize, i64) {
        let ladder = LADDER.map(Points);
        let found = standing(&ladder, window, &self.qualifying, at, &ZONE).unwrap().unwrap();
        (found.tier, found.qualifying.0)
    }
}

impl Model {
    pub fn new(now: Instant, window: TierWindow, members: usize) -> Self {
        Self {
            now,
            rate: 10,
            window,
            members: (0..members).map(|_| Member::default()).collect(),
            purchases: vec![],
            quotes: vec![],
            vouchers: vec![],
            stock: REWARDS.iter().map(|reward| reward.stock).collect(),
            adjusted: BTreeMap::new(),
        }
    }

    /// Lets time pass: vouchers lapse, each at its own instant, and points begin and end.
    pub fn pass(&mut self, now: Instant) {
        self.now = now;
        let mut over: Vec<usize> = (0..self.vouchers.len())
            .filter(|&voucher| self.vouchers[voucher].state == "reserved" && self.vouchers[voucher].valid_until <= now)
            .collect();
        over.sort_by_key(|&voucher| self.vouchers[voucher].valid_until);
        for voucher in over {
            self.give_up(voucher, "expired", self.vouchers[voucher].valid_until);
        }
        for member in &mut self.members {
            member.pass(now);
        }
    }

    /// A quote that has been over for a day may be known no more, or still be.
    pub fn is_forgotten(&self, quote: usize) -> bool {
        self.quotes[quote].made_at + TimeDelta::days(1) <= self.now
    }

    pub fn quote_member(&self, quote: usize) -> usize {
        self.quotes[quote].member
    }

    /// A voucher counted from the latest, those in this state first.
    pub fn voucher(&self, which: usize, state: &str) -> Option<usize> {
        let places = || (0..self.vouchers.len()).rev();
        let fitting = places().filter(|&place| self.vouchers[place].state == state);
        let others = places().filter(|&place| self.vouchers[place].state != state);
        fitting.chain(others).nth(which)
    }

    pub fn voucher_member(&self, voucher: usize) -> usize {
        self.vouchers[voucher].member
    }

    /// What is left of a purchase to be returned.
    pub fn kept(&self, purchase: usize) -> i64 {
        self.purchases[purchase].total - self.purchases[purchase].returned
    }

    /// Somebody buys; `named` is whether the till said a member's number, if only one that nobody has.
    pub fn buy(&mut self, member: Option<usize>, named: bool, total: i64, occurred_at: Instant) -> Expected {
        let day = day_of(occurred_at, &ZONE);
        let earner = member.filter(|&member| !self.members[member].is_paused);
        let permille = earner.map_or(0, |member| {
            PERMILLE[self.members[member].tier(self.window, occurred_at).0]
        });
        let points = earned(total, self.rate, permille);
        let state = match (member, earner) {
            (None, _) if named => "unknown",
            (None, _) => "anonymous",
            (Some(_), None) => "paused",
            (Some(_), Some(_)) => "active",
        };
        let available_at = midnight(day, RETURN_WINDOW_DAYS + 1);
        let place = self.purchases.len();
        if let Some(member) = earner.filter(|_| points > 0) {
            let member = &mut self.members[member];
            member.balance += points;
            member.earned += points;
            member.hold(points, available_at, Some(end_of(day)), Some(place));
            // A day is as good as an instant: a tier is asked for by days.
            member.qualifying.push(Qualifying {
                at: midnight(day, 0),
                points: Points(points),
            });
            member.pass(self.now);
        }
        let usable_from = (points > 0).then_some(available_at);
        let answer = json!({"points": points, "available_at": usable_from, "member_state": state});
        self.purchases.push(Purchase {
            member: earner,
            total,
            day,
            rate: self.rate,
            permille,
            returned: 0,
            forgiven: 0,
            answer: answer.clone(),
            returns: BTreeMap::new(),
        });
        (201, answer)
    }

    /// The till says a purchase again, in the same words or in others.
    pub fn buy_again(&self, purchase: usize, in_other_words: bool) -> Expected {
        if in_other_words {
            refused("purchase_conflict")
        } else {
            (201, self.purchases[purchase].answer.clone())
        }
    }

    /// Goods come back. `number` is the till's own for this return.
    pub fn bring_goods(&mut self, purchase: usize, number: usize, amount: i64) -> Expected {
        let bought = &mut self.purchases[purchase];
        if let Some((first, answer)) = bought.returns.get(&number) {
            return if *first == amount {
                (201, answer.clone())
            } else {
                refused("purchase_conflict")
            };
        }
        if bought.returned + amount > bought.total {
            return refused("return_exceeds_purchase");
        }
        let kept = bought.total - bought.returned;
        let points = earned(kept, bought.rate, bought.permille) - earned(kept - amount, bought.rate, bought.permille);
        bought.returned += amount;
        let answer = json!({"amount": euros(amount), "points": points, "returned": euros(bought.returned)});
        bought.returns.insert(number, (amount, answer.clone()));
        if let Some(member) = bought.member {
            let (member, now) = (&mut self.members[member], self.now);
            let is_own = |lot: &Lot| lot.purchase == Some(purchase);
            let sum = |parts: Vec<(usize, i64)>| parts.iter().map(|&(_, points)| points).sum::<i64>();
            let mut missing = points - sum(member.take(points, |lot| is_own(lot) && !lot.is_over(now)));
            let expired: i64 = member
                .lots
                .iter()
                .filter(|lot| is_own(lot))
                .map(|lot| lot.expired)
                .sum();
            let forgiven = missing.min(expired - bought.forgiven);
            bought.forgiven += forgiven;
            missing -= forgiven;
            missing -= sum(member.take(missing, |lot| lot.counts(now)));
            if missing > 0 {
                member.hold(-missing, now, None, None);
            }
            member.balance -= points - forgiven;
            member.earned -= points - forgiven;
            member.qualifying.push(Qualifying {
                at: midnight(bought.day, 0),
                points: Points(-points),
            });
        }
        (201, answer)
    }

    /// Money off: so many points, or so much money.
    pub fn quote_spend(&mut self, member: usize, points: Option<i64>, minor: i64) -> Expected {
        let minor = points.map_or(minor, worth);
        let charged = points_for(minor);
        let available = self.members[member].available(self.now);
        if self.members[member].is_paused {
            refused("member_paused")
        } else if charged < MIN_SPEND || minor == 0 {
            refused("below_minimum")
        } else if available < charged {
            refused("insufficient_balance")
        } else {
            self.keep_quote(member, None, charged, minor)
        }
    }

    pub fn quote_reward(&mut self, member: usize, reward: usize) -> Expected {
        let reasons = self.reasons(member, reward);
        if self.members[member].is_paused {
            refused("member_paused")
        } else if reasons.is_empty() {
            let cost = REWARDS[reward].cost;
            self.keep_quote(member, Some(reward), cost, worth(cost))
        } else {
            (409, json!({"code": "reward_not_available", "reason_codes": reasons}))
        }
    }

    fn keep_quote(&mut self, member: usize, reward: Option<usize>, points: i64, minor: i64) -> Expected {
        self.quotes.push(Quote {
            member,
            reward,
            points,
            minor,
            made_at: self.now,
            is_used: false,
        });
        let now = &self.members[member];
        let available = now.available(self.now) - points;
        let after = json!({"available": available, "pending": now.pending(self.now), "worth": euros(worth(available))});
        (
            201,
            json!({"points": points, "money": euros(minor), "balance_after": after}),
        )
    }

    /// Why a member cannot have a reward now, apart from being paused.
    fn reasons(&self, member: usize, reward: usize) -> Vec<&'static str> {
        let wanted = &REWARDS[reward];
        let held = self.vouchers.iter().filter(|voucher| {
            let is_held = ["reserved", "captured"].contains(&voucher.state);
            voucher.member == member && voucher.reward == Some(reward) && is_held
        });
        let is_limited = wanted.per_member.is_some_and(|most| held.count() >= most);
        let member = &self.members[member];
        let reasons = [
            (self.stock[reward] == Some(0), "out_of_stock"),
            (is_limited, "limit_reached"),
            (member.tier(self.window, self.now).0 < wanted.tier, "tier_required"),
            (member.available(self.now) < wanted.cost, "insufficient_balance"),
        ];
        reasons
            .into_iter()
            .filter(|&(holds, _)| holds)
            .map(|(_, code)| code)
            .collect()
    }

    pub fn redeem(&mut self, quote: usize) -> Expected {
        let Quote {
            member,
            reward,
            points,
            minor,
            made_at,
            is_used,
        } = self.quotes[quote];
        if self.members[member].is_paused {
            return refused("member_paused");
        }
        if is_used {
            return refused("quote_used");
        }
        if made_at + TimeDelta::minutes(5) <= self.now {
            return refused("quote_expired");
        }
        if let Some(reward) = reward {
            let reasons = self.reasons(member, reward);
            if reasons == ["insufficient_balance"] {
                return refused("insufficient_balance");
            }
            if !reasons.is_empty() {
                return (409, json!({"code": "reward_not_available", "reason_codes": reasons}));
            }
            self.stock[reward] = self.stock[reward].map(|left| left - 1);
        } else if self.members[member].available(self.now) < points {
            return refused("insufficient_balance");
        }
        self.quotes[quote].is_used = true;
        let (held, now) = (&mut self.members[member], self.now);
        let parts = held.take(points, |lot| lot.counts(now));
        held.balance -= points;
        held.spent += points;
        let minutes = reward.map_or(VOUCHER_MINUTES, |reward| REWARDS[reward].minutes);
        self.vouchers.push(Voucher {
            member,
            reward,
            points,
            minor,
            valid_until: now + TimeDelta::minutes(minutes),
            state: "reserved",
            parts,
            captured: (0, 0),
        });
        (
            201,
            json!({"state": "reserved", "points": points, "money": euros(minor)}),
        )
    }

    /// The whole voucher ends, and its points come back.
    fn give_up(&mut self, voucher: usize, state: &'static str, at: Instant) {
        let ended = &mut self.vouchers[voucher];
        ended.state = state;
        let out = ended.parts.iter().map(|&(_, out)| out).sum();
        self.members[ended.member].bring_back(out, &mut ended.parts, at);
        if let Some(reward) = ended.reward {
            self.stock[reward] = self.stock[reward].map(|left| left + 1);
        }
    }

    pub fn release(&mut self, voucher: usize) -> Expected {
        if self.vouchers[voucher].state != "reserved" {
            return refused("redemption_not_reserved");
        }
        self.give_up(voucher, "released", self.now);
        (200, json!({"state": "released"}))
    }

    pub fn capture(&mut self, voucher: usize, basket: Option<i64>) -> Expected {
        let used = &mut self.vouchers[voucher];
        if used.state != "reserved" {
            return refused("redemption_not_reserved");
        }
        used.state = "captured";
        used.captured = match basket {
            Some(basket) if used.reward.is_none() && basket < used.minor => (points_for(basket), basket),
            _ => (used.points, used.minor),
        };
        let (points, minor) = used.captured;
        let member = &mut self.members[used.member];
        member.bring_back(used.points - points, &mut used.parts, self.now);
        member.saved_minor += minor;
        (200, json!({"state": "captured"}))
    }

    pub fn refund(&mut self, voucher: usize) -> Expected {
        if self.vouchers[voucher].state != "captured" {
            return refused("redemption_not_captured");
        }
        self.give_up(voucher, "refunded", self.now);
        let taken_back = &self.vouchers[voucher];
        self.members[taken_back.member].saved_minor -= taken_back.captured.1;
        (200, json!({"state": "refunded"}))
    }

    pub fn adjust(&mut self, member: usize, points: i64) -> Expected {
        let today = day_of(self.now, &ZONE);
        let counted = self.adjusted.entry(today).or_default();
        if *counted + points.abs() > ADJUSTED_A_DAY {
            return refused("limit_exceeded");
        }
        *counted += points.abs();
        let (member, now) = (&mut self.members[member], self.now);
        member.balance += points;
        if points > 0 {
            member.hold(points, now, Some(end_of(today)), None);
        } else {
            let taken: i64 = member
                .take(-points, |lot| lot.counts(now))
                .iter()
                .map(|&(_, part)| part)
                .sum();
            if taken < -points {
                member.hold(points + taken, now, None, None);
            }
        }
        member.pass(now);
        let available = member.available(now);
        let after = json!({"available": available, "pending": member.pending(now), "worth": euros(worth(available))});
        (201, json!({"points": points, "balance_after": after}))
    }

    pub fn pause(&mut self, member: usize, paused: bool) {
        self.members[member].is_paused = paused;
    }

    /// What the member's status says.
    pub fn status(&self, member: usize) -> Value {
        let (member, now) = (&self.members[member], self.now);
        let (available, pending) = (member.available(now), member.pending(now));
        let entries = member.balance;
        assert_eq!(available + pending, entries, "the model itself is at odds");
        let waits = |lot: &&Lot| now < lot.available_at && lot.left > 0;
        let next = member.lots.iter().filter(waits).map(|lot| lot.available_at).min();
        let activation = next.map(|at| {
            let then = member.lots.iter().filter(waits).filter(|lot| lot.available_at == at);
            json!({"at": at, "points": then.map(|lot| lot.left).sum::<i64>()})
        });
        let mut ends: BTreeMap<Instant, i64> = BTreeMap::new();
        for lot in member.lots.iter().filter(|lot| lot.left > 0) {
            let soon = lot.expires_at.filter(|&end| end <= now + TimeDelta::days(90));
            soon.into_iter()
                .for_each(|end| *ends.entry(end).or_default() += lot.left);
        }
        let ends: Vec<Value> = ends
            .into_iter()
            .map(|(at, points)| json!({"at": at, "points": points, "worth": euros(worth(points))}))
            .collect();
        let (tier, qualifying) = member.tier(self.window, now);
        json!({
            "state": if member.is_paused { "paused" } else { "active" },
            "balance": {"available": available, "pending": pending, "worth": euros(worth(available))},
            "next_activation": activation,
            "expirations": ends,
            "tier": TIERS[tier],
            "qualifying": qualifying,
            "lifetime": {
                "earned": member.earned,
                "spent": member.spent,
                "expired": member.expired,
                "saved": euros(member.saved_minor),
            },
            "debt": (available < 0).then_some(-available),
        })
    }

    /// What the ledger's entries of a member add up to.
    pub fn balance(&self, member: usize) -> i64 {
        self.members[member].balance
    }

    /// The states of a member's vouchers, with each voucher's place.
    pub fn vouchers(&self, member: usize) -> impl Iterator<Item = (usize, &'static str)> {
        let own = self
            .vouchers
            .iter()
            .enumerate()
            .filter(move |(_, voucher)| voucher.member == member);
        own.map(|(place, voucher)| (place, voucher.state))
    }

    pub fn stock(&self, reward: usize) -> Option<i64> {
        self.stock[reward]
    }
}
