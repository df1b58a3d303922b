//! Proves the books: for every member, the balance is the sum of the entries and the sum of the lots, and every
//! running figure is what it says.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use loyalty_rules::calendar::day_of;
use sqlx::{AnyPool, FromRow};

use crate::clock::from_millis;
use crate::failure::Failure;
use crate::shop::Shop;

/// What is counted for one member, three ways.
#[derive(Debug, FromRow)]
struct Books {
    number: String,
    balance: i64,
    earned: i64,
    spent: i64,
    expired: i64,
    entry_count: i64,
    entries: i64,
    last_seq: i64,
    sum: i64,
    sum_earned: i64,
    sum_spent: i64,
    sum_expired: i64,
    lots: i64,
    lots_expired: i64,
}

const BOOKS: &str = "
select m.number, m.balance, m.earned, m.spent, m.expired, m.entry_count,
    coalesce(e.entries, 0) as entries, coalesce(e.last_seq, 0) as last_seq,
    cast(coalesce(e.sum, 0) as bigint) as sum,
    cast(coalesce(e.earned, 0) as bigint) as sum_earned,
    cast(coalesce(e.spent, 0) as bigint) as sum_spent,
    cast(coalesce(e.expired, 0) as bigint) as sum_expired,
    cast(coalesce(l.remaining, 0) as bigint) as lots,
    cast(coalesce(l.expired, 0) as bigint) as lots_expired
from members m
left join (
    select member_id, count(*) as entries, max(seq) as last_seq, sum(points) as sum,
        sum(case when kind in ('earn', 'bonus', 'return') then points else 0 end) as earned,
        sum(case when kind in ('spend', 'release', 'refund') then -points else 0 end) as spent,
        sum(case when kind = 'expire' then -points else 0 end) as expired
    from entries group by member_id
) e on e.member_id = m.id
left join (
    select member_id, sum(remaining) as remaining, sum(expired) as expired from lots group by member_id
) l on l.member_id = m.id
order by m.number";

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

const EARNED: &str = "
select m.number, p.occurred_at, p.points, coalesce(r.points, 0) as returned
from purchases p join members m on m.id = p.member_id
left join (
    select purchase_id, cast(sum(points) as bigint) as points from returns group by purchase_id
) r on r.purchase_id = p.id";

const QUALIFYING: &str = "select m.number, q.day, q.points from qualifying q join members m on m.id = q.member_id";

/// How much was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many members.
    pub members: usize,
    /// How many entries.
    pub entries: i64,
}

/// Verifies the whole database.
///
/// # Errors
/// [`Failure`] that names the first difference.
pub async fn verify(db: &AnyPool) -> Result<Verified, Failure> {
    let books: Vec<Books> = sqlx::query_as(BOOKS).fetch_all(db).await?;
    for member in &books {
        member.check()?;
    }
    let wrong: Option<(String, i64, i64, i64)> = sqlx::query_as(BALANCES_AFTER).fetch_optional(db).await?;
    if let Some((number, seq, said, sum)) = wrong {
        return Err(Failure::new(format!(
            "Member {number}: entry {seq} says that the balance was {said} after it, the entries until then add up to {sum}."
        )));
    }
    let wrong: Option<(String, String, i64, i64, i64)> = sqlx::query_as(RETURNED).fetch_optional(db).await?;
    if let Some((store, external_id, total, returned, amount)) = wrong {
        return Err(Failure::new(format!(
            "Purchase {external_id} of store {store}: of {total} it says that {returned} was returned, its returns add up to {amount}."
        )));
    }
    let wrong: Option<(String, i64, i64, i64, i64)> = sqlx::query_as(LOTS).fetch_optional(db).await?;
    if let Some((number, seq, points, remaining, expired)) = wrong {
        return Err(Failure::new(format!(
            "Member {number}: lot {seq} of {points} cannot have {remaining} left and {expired} expired."
        )));
    }
    let wrong: Option<(String, String, i64, i64, i64)> = sqlx::query_as(FORGIVEN).fetch_optional(db).await?;
    if let Some((store, external_id, forgiven, missing, expired)) = wrong {
        return Err(Failure::new(format!(
            "Purchase {external_id} of store {store}: it says that {forgiven} was forgiven, of its returns {missing} was not taken, and {expired} of it expired."
        )));
    }
    verify_days(db).await?;
    Ok(Verified {
        members: books.len(),
        entries: books.iter().map(|member| member.entries).sum(),
    })
}

/// What counts towards a tier is compared by the day, in the zone whose midnights the programme counts by.
async fn verify_days(db: &AnyPool) -> Result<(), Failure> {
    let Some(shop) = Shop::load(db)
        .await
        .map_err(|error| Failure::new(format!("{error}.")))?
    else {
        return Ok(());
    };
    let mut days: BTreeMap<(String, i64), (i64, i64)> = BTreeMap::new();
    let kept: Vec<(String, i64, i64)> = sqlx::query_as(QUALIFYING).fetch_all(db).await?;
    for (number, day, points) in kept {
        days.entry((number, day)).or_default().0 += points;
    }
    let earned: Vec<(String, i64, i64, i64)> = sqlx::query_as(EARNED).fetch_all(db).await?;
    for (number, at, points, returned) in earned {
        let day = day_of(from_millis(at), &shop.zone).to_epoch_days();
        days.entry((number, i64::from(day))).or_default().1 += points - returned;
    }
    match days.into_iter().find(|(_, (kept, counted))| kept != counted) {
        None => Ok(()),
        Some(((number, day), (kept, counted))) => {
            let day = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days);
            let day = day.map_or_else(|| "a day beyond the calendar".into(), |day| day.to_string());
            Err(Failure::new(format!(
                "Member {number}: what counts towards a tier on {day} is {kept}, but its purchases less their returns add up to {counted}."
            )))
        }
    }
}

impl Books {
    fn check(&self) -> Result<(), Failure> {
        let pairs = [
            ("the balance", self.balance, "its entries add up to", self.sum),
            ("the balance", self.balance, "its lots add up to", self.lots),
            ("what was earned", self.earned, "its entries add up to", self.sum_earned),
            ("what was spent", self.spent, "its entries add up to", self.sum_spent),
            ("what expired", self.expired, "its entries add up to", self.sum_expired),
            ("what expired", self.expired, "its lots add up to", self.lots_expired),
            ("the number of entries", self.entry_count, "there are", self.entries),
            (
                "the number of entries",
                self.entry_count,
                "the last one is",
                self.last_seq,
            ),
        ];
        match pairs.into_iter().find(|&(_, kept, _, counted)| kept != counted) {
            None => Ok(()),
            Some((what, kept, but, counted)) => Err(Failure::new(format!(
                "Member {}: {what} is {kept}, {but} {counted}.",
                self.number
            ))),
        }
    }
}
