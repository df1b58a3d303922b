//! Proves the books: for every member, the balance is the sum of the entries and the sum of the lots, every running
//! figure is what it says, every voucher is in one state with the entries that belong to it, and no purchase is
//! returned more than it was bought. All of it on one snapshot, and in memory that does not grow with the database.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use futures_util::TryStreamExt;
use loyalty_contract::programme::Earning;
use loyalty_contract::{Money, Points};
use loyalty_rules::calendar::day_of;
use loyalty_rules::earning::earned;
use loyalty_rules::tiers::{checkpoint_at, history_needed};
use sqlx::{AnyConnection, AnyPool, FromRow};

use crate::account::books::TierHistory;
use crate::account::by_day;
use crate::clock::from_millis;
use crate::db::begin_read;
use crate::failure::Failure;
use crate::members::from_day_number;
use crate::shop::Shop;

/// What is counted for one member, in several ways.
#[derive(Debug, FromRow)]
struct Books {
    number: String,
    balance: i64,
    earned: i64,
    spent: i64,
    expired: i64,
    adjusted: i64,
    saved_minor: i64,
    entry_count: i64,
    lot_count: i64,
    entries: i64,
    last_seq: i64,
    sum: i64,
    sum_earned: i64,
    sum_spent: i64,
    sum_expired: i64,
    sum_adjusted: i64,
    lots: i64,
    lot_number: i64,
    lots_expired: i64,
    captured: i64,
}

/// The first member of whom two of these differ.
const BOOKS: &str = "
select * from (
    select m.number, m.balance, m.earned, m.spent, m.expired, m.adjusted, m.saved_minor, m.entry_count, m.lot_count,
        coalesce(e.entries, 0) as entries, coalesce(e.last_seq, 0) as last_seq,
        cast(coalesce(e.sum, 0) as bigint) as sum,
        cast(coalesce(e.earned, 0) as bigint) as sum_earned,
        cast(coalesce(e.spent, 0) as bigint) as sum_spent,
        cast(coalesce(e.expired, 0) as bigint) as sum_expired,
        cast(coalesce(e.adjusted, 0) as bigint) as sum_adjusted,
        cast(coalesce(l.remaining, 0) as bigint) as lots,
        coalesce(l.number, 0) as lot_number,
        cast(coalesce(l.expired, 0) as bigint) as lots_expired,
        cast(coalesce(r.captured, 0) as bigint) as captured
    from members m
    left join (
        select member_id, count(*) as entries, max(seq) as last_seq, sum(points) as sum,
            sum(case when kind in ('earn', 'bonus', 'return') then points else 0 end) as earned,
            sum(case when kind in ('spend', 'release', 'refund') then -points else 0 end) as spent,
            sum(case when kind = 'expire' then -points else 0 end) as expired,
            sum(case when kind = 'adjust' then points else 0 end) as adjusted
        from entries group by member_id
    ) e on e.member_id = m.id
    left join (
        select member_id, count(*) as number, sum(remaining) as remaining, sum(expired) as expired
        from lots group by member_id
    ) l on l.member_id = m.id
    left join (
        select member_id, sum(captured_minor) as captured from redemptions where state = 'captured' group by member_id
    ) r on r.member_id = m.id
) b
where balance <> sum or balance <> lots or earned <> sum_earned or spent <> sum_spent or expired <> sum_expired
    or expired <> lots_expired or adjusted <> sum_adjusted or entry_count <> entries or entry_count <> last_seq
    or lot_count <> lot_number or saved_minor <> captured
order by number limit 1";

const BALANCES_AFTER: &str = "
select m.number, t.seq, t.balance_after, t.sum from (
    select member_id, seq, balance_after,
        cast(sum(points) over (partition by member_id order by seq) as bigint) as sum
    from entries
) t join members m on m.id = t.member_id
where t.sum <> t.balance_after order by m.number, t.seq limit 1";

const RETURNED: &str = "
select p.store, p.external_id, p.total_minor, p.returned_minor, cast(coalesce(r.amount, 0) as bigint) as amount
from purchases p
left join (select purchase_id, sum(amount_minor) as amount from returns group by purchase_id) r on r.purchase_id = p.id
where p.returned_minor <> coalesce(r.amount, 0) or p.returned_minor > p.total_minor
order by p.occurred_at limit 1";

/// A lot holds between nothing and all of what it was granted, and what expired of it is gone; a debt is the mirror
/// of that, and never expires.
const LOTS: &str = "
select m.number, l.seq, l.points, l.remaining, l.expired from lots l join members m on m.id = l.member_id
where l.expired < 0
    or (l.points >= 0 and (l.remaining < 0 or l.remaining + l.expired > l.points))
    or (l.points < 0 and (l.remaining > 0 or l.remaining < l.points or l.expired <> 0))
order by m.number, l.seq limit 1";

/// What a return did not take back had expired unused, and stands in no entry: what the returns of a purchase reckon
/// with is what their entries took, and what was forgiven.
const FORGIVEN: &str = "
select p.store, p.external_id, p.forgiven, cast(coalesce(r.points, 0) + coalesce(r.taken, 0) as bigint) as missing,
    cast(coalesce(l.expired, 0) as bigint) as expired
from purchases p
left join (
    select r.purchase_id, sum(r.points) as points, sum(coalesce(e.points, 0)) as taken
    from returns r left join entries e on e.return_id = r.id group by r.purchase_id
) r on r.purchase_id = p.id
left join (select purchase_id, sum(expired) as expired from lots group by purchase_id) l on l.purchase_id = p.id
where p.forgiven <> coalesce(r.points, 0) + coalesce(r.taken, 0)
    or p.forgiven < 0 or p.forgiven > coalesce(l.expired, 0)
order by p.occurred_at limit 1";

/// What a purchase earned stands in the ledger.
const EARNED: &str = "
select p.store, p.external_id, p.points, cast(coalesce(e.points, 0) as bigint) as booked
from purchases p
left join (select purchase_id, sum(points) as points from entries group by purchase_id) e on e.purchase_id = p.id
where p.points <> coalesce(e.points, 0) order by p.occurred_at limit 1";

/// A purchase that was claimed is its claimant's.
const CLAIMS: &str = "
select c.store, c.receipt, c.state from claims c left join purchases p on p.id = c.purchase_id
where (c.state = 'accepted' and (p.member_id is null or p.member_id <> c.member_id))
    or (c.state <> 'accepted' and c.purchase_id is not null)
order by c.id limit 1";

/// A voucher took its points once, and what came back of them is what its state says; the lots agree with both.
const REDEMPTIONS: &str = "
select id, state, points, taken, back, out, returned from (
    select r.id, r.state, r.points, r.captured_points,
        case when r.captured_at is null then 0 else 1 end as was_captured,
        case when r.ended_at is null then 0 else 1 end as has_ended,
        cast(coalesce(e.taken, 0) as bigint) as taken, cast(coalesce(e.back, 0) as bigint) as back,
        coalesce(e.spends, 0) as spends,
        cast(coalesce(l.points, 0) as bigint) as out, cast(coalesce(l.returned, 0) as bigint) as returned
    from redemptions r
    left join (
        select redemption_id, sum(case when kind = 'spend' then -points else 0 end) as taken,
            sum(case when kind in ('release', 'refund') then points else 0 end) as back,
            sum(case when kind = 'spend' then 1 else 0 end) as spends
        from entries where redemption_id is not null group by redemption_id
    ) e on e.redemption_id = r.id
    left join (
        select redemption_id, sum(points) as points, sum(returned) as returned
        from redemption_lots group by redemption_id
    ) l on l.redemption_id = r.id
) v
where spends <> 1 or taken <> points or out <> points or returned <> back
    or not (
        (state = 'reserved' and back = 0 and was_captured = 0 and has_ended = 0)
        or (state = 'captured' and back = points - captured_points and was_captured = 1 and has_ended = 0)
        or (state = 'released' and back = points and was_captured = 0 and has_ended = 1)
        or (state = 'expired' and back = points and was_captured = 0 and has_ended = 1)
        or (state = 'refunded' and back = points and was_captured = 1 and has_ended = 1)
    )
order by id limit 1";

/// A voucher that nobody uses lapses by itself, since its member is looked at then.
const LAPSES: &str = "
select r.id, m.number from redemptions r join members m on m.id = r.member_id
where r.state = 'reserved' and (m.due_at is null or m.due_at > r.valid_until)
order by r.id limit 1";

/// Of somebody who left nothing is known, and nothing is theirs.
const LEFT: &str = "
select m.number from members m
where m.state = 'left' and (m.balance > 0 or m.due_at is not null or m.name <> '' or m.email is not null
    or m.birthday is not null or m.phone is not null or m.contact is not null or m.consents is not null or m.own_referral_code is not null
    or exists (select 1 from sessions s where s.member_id = m.id)
    or exists (select 1 from code_keys k where k.member_id = m.id)
    or exists (select 1 from cards c where c.member_id = m.id))
order by m.number limit 1";

/// A quote is redeemed once.
const QUOTES: &str = "
select quote_id, count(*) as vouchers from redemptions where quote_id is not null
group by quote_id having count(*) > 1 order by quote_id limit 1";

/// Everything that counts towards tiers, member by member: what the running sums say (`kept`), then the purchases.
const DAYS: &str = "
select number, kept, at, points, total_minor, earning_points, earning_per_minor, multiplier_permille, returned,
    tier_history
from (
    select m.number, 1 as kept, q.day as at, q.points, 0 as total_minor, 0 as earning_points, 0 as earning_per_minor,
        0 as multiplier_permille, 0 as returned, m.tier_history
    from qualifying q join members m on m.id = q.member_id
    union all
    select m.number, 0 as kept, p.occurred_at as at, p.points, p.total_minor, p.earning_points, p.earning_per_minor,
        p.multiplier_permille, cast(coalesce(r.points, 0) as bigint) as returned, m.tier_history
    from purchases p join members m on m.id = p.member_id
    left join (select purchase_id, sum(points) as points from returns group by purchase_id) r on r.purchase_id = p.id
) d order by number";

#[derive(FromRow)]
struct Counted {
    number: String,
    kept: i64,
    at: i64,
    points: i64,
    total_minor: i64,
    earning_points: i64,
    earning_per_minor: i64,
    multiplier_permille: i64,
    returned: i64,
    tier_history: Option<String>,
}

/// How much was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many members.
    pub members: i64,
    /// How many entries.
    pub entries: i64,
}

/// Verifies the whole database.
///
/// # Errors
/// [`Failure`] that names the first difference.
pub async fn verify(db: &AnyPool) -> Result<Verified, Failure> {
    let shop = Shop::load(db).await;
    let shop = shop.map_err(|error| Failure::new(format!("{error}.")))?;
    let mut db = begin_read(db).await?;
    let wrong: Option<Books> = sqlx::query_as(BOOKS).fetch_optional(&mut *db).await?;
    if let Some(member) = wrong {
        return Err(member.difference());
    }
    let wrong: Option<(String, i64, i64, i64)> = sqlx::query_as(BALANCES_AFTER).fetch_optional(&mut *db).await?;
    if let Some((number, seq, said, sum)) = wrong {
        return Err(Failure::new(format!(
            "Member {number}: entry {seq} says that the balance was {said} after it, the entries until then add up to {sum}."
        )));
    }
    let wrong: Option<(String, i64, i64, i64, i64)> = sqlx::query_as(LOTS).fetch_optional(&mut *db).await?;
    if let Some((number, seq, points, remaining, expired)) = wrong {
        return Err(Failure::new(format!(
            "Member {number}: lot {seq} of {points} cannot have {remaining} left and {expired} expired."
        )));
    }
    let wrong: Option<(String,)> = sqlx::query_as(LEFT).fetch_optional(&mut *db).await?;
    if let Some((number,)) = wrong {
        return Err(Failure::new(format!(
            "Member {number}: they left, and something of theirs is still there."
        )));
    }
    verify_purchases(&mut db).await?;
    verify_redemptions(&mut db).await?;
    if let Some(shop) = shop {
        verify_days(&mut db, &shop).await?;
    }
    let (members, entries): (i64, i64) =
        sqlx::query_as("select (select count(*) from members), (select count(*) from entries)")
            .fetch_one(&mut *db)
            .await?;
    db.rollback().await?;
    Ok(Verified { members, entries })
}

async fn verify_purchases(db: &mut AnyConnection) -> Result<(), Failure> {
    let wrong: Option<(String, String, i64, i64, i64)> = sqlx::query_as(RETURNED).fetch_optional(&mut *db).await?;
    if let Some((store, external_id, total, returned, amount)) = wrong {
        return Err(Failure::new(format!(
            "Purchase {external_id} of store {store}: of {total} it says that {returned} was returned, its returns add up to {amount}."
        )));
    }
    let wrong: Option<(String, String, i64, i64)> = sqlx::query_as(EARNED).fetch_optional(&mut *db).await?;
    if let Some((store, external_id, points, booked)) = wrong {
        return Err(Failure::new(format!(
            "Purchase {external_id} of store {store}: it says that it earned {points}, the ledger says {booked}."
        )));
    }
    let wrong: Option<(String, String, String)> = sqlx::query_as(CLAIMS).fetch_optional(&mut *db).await?;
    if let Some((store, receipt, state)) = wrong {
        return Err(Failure::new(format!(
            "Purchase {receipt} of store {store}: a claim of it is {state}, which does not fit whose it is."
        )));
    }
    let wrong: Option<(String, String, i64, i64, i64)> = sqlx::query_as(FORGIVEN).fetch_optional(db).await?;
    if let Some((store, external_id, forgiven, missing, expired)) = wrong {
        return Err(Failure::new(format!(
            "Purchase {external_id} of store {store}: it says that {forgiven} was forgiven, of its returns {missing} was not taken, and {expired} of it expired."
        )));
    }
    Ok(())
}

async fn verify_redemptions(db: &mut AnyConnection) -> Result<(), Failure> {
    let wrong: Option<(String, String, i64, i64, i64, i64, i64)> =
        sqlx::query_as(REDEMPTIONS).fetch_optional(&mut *db).await?;
    if let Some((id, state, points, taken, back, out, returned)) = wrong {
        return Err(Failure::new(format!(
            "Voucher {id} of {points} points cannot be {state}: the ledger has {taken} taken and {back} back, its lots have {out} taken and {returned} back."
        )));
    }
    let wrong: Option<(String, String)> = sqlx::query_as(LAPSES).fetch_optional(&mut *db).await?;
    if let Some((id, number)) = wrong {
        return Err(Failure::new(format!(
            "Voucher {id} would not lapse on time: member {number} is looked at later, or never."
        )));
    }
    let wrong: Option<(String, i64)> = sqlx::query_as(QUOTES).fetch_optional(db).await?;
    if let Some((quote, vouchers)) = wrong {
        return Err(Failure::new(format!("Quote {quote} was redeemed {vouchers} times.")));
    }
    Ok(())
}

/// What counts towards a tier is compared by the day, in the zone whose midnights the programme counts by.
async fn verify_days(db: &mut AnyConnection, shop: &Shop) -> Result<(), Failure> {
    let mut rows = sqlx::query_as::<_, Counted>(DAYS).fetch(db);
    let mut member: Option<MemberDays> = None;
    while let Some(row) = rows.try_next().await? {
        if member.as_ref().is_none_or(|member| member.number != row.number) {
            let next = MemberDays::new(&row);
            if let Some(done) = member.replace(next) {
                done.check(shop)?;
            }
        }
        if let Some(member) = &mut member {
            member.add(&row, shop)?;
        }
    }
    member.map_or(Ok(()), |member| member.check(shop))
}

/// One member's days: what is kept of each, and what its purchases less their returns add up to.
struct MemberDays {
    number: String,
    tier_history: Option<String>,
    days: BTreeMap<NaiveDate, (i64, i64)>,
}

impl MemberDays {
    fn new(row: &Counted) -> Self {
        Self {
            number: row.number.clone(),
            tier_history: row.tier_history.clone(),
            days: BTreeMap::new(),
        }
    }

    fn add(&mut self, row: &Counted, shop: &Shop) -> Result<(), Failure> {
        if row.kept != 0 {
            self.days.entry(from_day_number(row.at)).or_default().0 += row.points;
            return Ok(());
        }
        let rate = Earning {
            points: Points(row.earning_points),
            per_money: Money::new(row.earning_per_minor, shop.file.currency),
        };
        let permille = u32::try_from(row.multiplier_permille).unwrap_or_default();
        let at_its_rate = earned(row.total_minor, &rate, permille)?;
        if at_its_rate.0 != row.points {
            return Err(Failure::new(format!(
                "Member {}: a purchase of {} says that it earned {}, but at its own rate it earns {}.",
                self.number, row.total_minor, row.points, at_its_rate.0
            )));
        }
        let day = day_of(from_millis(row.at), &shop.zone);
        self.days.entry(day).or_default().1 += row.points - row.returned;
        Ok(())
    }

    fn check(self, shop: &Shop) -> Result<(), Failure> {
        if let Some((day, (kept, counted))) = self.days.iter().find(|(_, (kept, counted))| kept != counted) {
            return Err(Failure::new(format!(
                "Member {}: what counts towards a tier on {day} is {kept}, but its purchases less their returns add up to {counted}.",
                self.number
            )));
        }
        let Some(mut stored) = self
            .tier_history
            .as_deref()
            .and_then(|text| TierHistory::stored(text, shop))
        else {
            return Ok(());
        };
        let window = shop.file.tier_window;
        let days: Vec<_> = self.days.iter().map(|(&day, &(kept, _))| (day, Points(kept))).collect();
        let mut told = TierHistory { checkpoint: None, days };
        if let Some(kept) = &stored.checkpoint {
            let history = by_day(told.days.iter().copied(), &shop.zone)?;
            let made = checkpoint_at(None, &shop.thresholds, window, &history, kept.day, &shop.zone)?;
            let needed = history_needed(&made, window)?;
            told.days.retain(|&(day, _)| needed <= day);
            told.checkpoint = Some(made);
        }
        // A day on which nothing is left, such as that of a purchase that earned nothing, may be kept or not.
        for history in [&mut told, &mut stored] {
            history.days.retain(|&(_, points)| points != Points::ZERO);
        }
        if told == stored {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Member {}: what is stored for reckoning their tier is not what their history says.",
            self.number
        )))
    }
}

impl Books {
    /// The first two figures that differ.
    fn difference(&self) -> Failure {
        let pairs = [
            ("the balance", self.balance, "its entries add up to", self.sum),
            ("the balance", self.balance, "its lots add up to", self.lots),
            ("what was earned", self.earned, "its entries add up to", self.sum_earned),
            ("what was spent", self.spent, "its entries add up to", self.sum_spent),
            ("what expired", self.expired, "its entries add up to", self.sum_expired),
            ("what expired", self.expired, "its lots add up to", self.lots_expired),
            (
                "what was corrected",
                self.adjusted,
                "its entries add up to",
                self.sum_adjusted,
            ),
            ("the number of entries", self.entry_count, "there are", self.entries),
            (
                "the number of entries",
                self.entry_count,
                "the last one is",
                self.last_seq,
            ),
            ("the number of lots", self.lot_count, "there are", self.lot_number),
            (
                "what vouchers took off",
                self.saved_minor,
                "those that were used add up to",
                self.captured,
            ),
        ];
        let found = pairs.into_iter().find(|&(_, kept, _, counted)| kept != counted);
        let (what, kept, but, counted) = found.unwrap_or(("a figure", 0, "another is", 0));
        Failure::new(format!("Member {}: {what} is {kept}, {but} {counted}.", self.number))
    }
}
