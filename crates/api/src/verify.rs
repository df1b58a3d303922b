//! Proves the books: for every member, the balance is the sum of the entries and the sum of the lots, and every
//! running figure is what it says.

use sqlx::{AnyPool, FromRow};

use crate::failure::Failure;

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
    qualifying: i64,
    qualified: i64,
}

const BOOKS: &str = "
select m.number, m.balance, m.earned, m.spent, m.expired, m.entry_count,
    coalesce(e.entries, 0) as entries, coalesce(e.last_seq, 0) as last_seq,
    cast(coalesce(e.sum, 0) as bigint) as sum,
    cast(coalesce(e.earned, 0) as bigint) as sum_earned,
    cast(coalesce(e.spent, 0) as bigint) as sum_spent,
    cast(coalesce(e.expired, 0) as bigint) as sum_expired,
    cast(coalesce(l.remaining, 0) as bigint) as lots,
    cast(coalesce(q.points, 0) as bigint) as qualifying,
    cast(coalesce(p.points, 0) - coalesce(r.points, 0) as bigint) as qualified
from members m
left join (
    select member_id, count(*) as entries, max(seq) as last_seq, sum(points) as sum,
        sum(case when kind in ('earn', 'bonus', 'return') then points else 0 end) as earned,
        sum(case when kind in ('spend', 'release', 'refund') then -points else 0 end) as spent,
        sum(case when kind = 'expire' then -points else 0 end) as expired
    from entries group by member_id
) e on e.member_id = m.id
left join (select member_id, sum(remaining) as remaining from lots group by member_id) l on l.member_id = m.id
left join (select member_id, sum(points) as points from qualifying group by member_id) q on q.member_id = m.id
left join (select member_id, sum(points) as points from purchases group by member_id) p on p.member_id = m.id
left join (
    select p.member_id, sum(r.points) as points from returns r join purchases p on p.id = r.purchase_id
    group by p.member_id
) r on r.member_id = m.id
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
    Ok(Verified {
        members: books.len(),
        entries: books.iter().map(|member| member.entries).sum(),
    })
}

impl Books {
    fn check(&self) -> Result<(), Failure> {
        let pairs = [
            ("the balance", self.balance, "its entries add up to", self.sum),
            ("the balance", self.balance, "its lots add up to", self.lots),
            ("what was earned", self.earned, "its entries add up to", self.sum_earned),
            ("what was spent", self.spent, "its entries add up to", self.sum_spent),
            ("what expired", self.expired, "its entries add up to", self.sum_expired),
            ("the number of entries", self.entry_count, "there are", self.entries),
            (
                "the number of entries",
                self.entry_count,
                "the last one is",
                self.last_seq,
            ),
            (
                "what counts towards a tier",
                self.qualifying,
                "its purchases less their returns add up to",
                self.qualified,
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
