//! The purchases of a file: staged in the order of the file, booked by member in the order of time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use loyalty_contract::purchases::{NewPurchase, PurchaseMember, PurchaseRecorded};
use loyalty_contract::status::MemberState;
use loyalty_contract::{Instant, Money, Points};
use loyalty_rules::calendar::day_of;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::table::Record;
use super::{Outcome, Reason};
use crate::account::books::Books;
use crate::account::{AccountError, Sale};
use crate::clock::{from_millis, millis};
use crate::db::{Value, insert_rows_or, next_rows, places};
use crate::http::{Error, MOST_MINOR, Result, fingerprint};
use crate::shop::Shop;
use crate::token;

/// The file's columns.
pub const COLUMNS: [&str; 5] = ["external_id", "store", "occurred_at", "total", "member"];

/// How many rows of a member are booked in one transaction.
pub const ROWS_OF_A_MEMBER_AT_ONCE: usize = 500;

/// The longest number of a till for a purchase, in characters.
const LONGEST_ID: usize = 100;

/// Of what happened longer ago nobody is told: whoever listens would be flooded with what they know.
const TOLD_FOR: TimeDelta = TimeDelta::days(7);

/// A row that was checked.
#[derive(Clone, Debug)]
struct Staged {
    line: i64,
    member: String,
    store: String,
    external_id: String,
    occurred_at: i64,
    total_minor: i64,
}

/// Checks rows, and writes those that are right among those that wait to be booked.
///
/// # Errors
/// Where the database refuses.
pub async fn stage(
    tx: &mut AnyConnection,
    shop: &Shop,
    import_id: &str,
    records: &[Record],
    now: Instant,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut staged = vec![];
    for record in records {
        match check(shop, record, now) {
            Ok(row) => staged.push(row),
            Err(reason) => outcome.rejects.push((record.line, reason)),
        }
    }
    let numbers = staged.iter().map(|row| row.member.as_str()).collect();
    let known = members(tx, numbers).await?;
    staged.retain(|row| {
        let is_known = known.contains(&row.member);
        if !is_known {
            outcome.rejects.push((row.line, "nobody has this member number".into()));
        }
        is_known
    });
    let columns = [
        "import_id",
        "line",
        "member_number",
        "store",
        "external_id",
        "occurred_at",
        "total_minor",
    ];
    let rows = staged
        .iter()
        .map(|row| {
            vec![
                import_id.into(),
                row.line.into(),
                row.member.as_str().into(),
                row.store.as_str().into(),
                row.external_id.as_str().into(),
                row.occurred_at.into(),
                row.total_minor.into(),
            ]
        })
        .collect();
    let ending = "on conflict do nothing returning line";
    let made = insert_rows_or(tx, "import_rows", &columns, rows, ending).await?;
    let made: BTreeSet<i64> = made.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let twice = staged.iter().filter(|row| !made.contains(&row.line));
    let twice = twice.map(|row| (row.line, "an earlier line has the same store and external_id".into()));
    outcome.rejects.extend(twice);
    Ok(outcome)
}

fn check(shop: &Shop, record: &Record, now: Instant) -> Result<Staged, Reason> {
    let cells = record.cells.as_ref().map_err(Clone::clone)?;
    let [external_id, store, occurred_at, total, member] = cells.as_slice() else {
        return Err("a field is missing".into());
    };
    let length = external_id.chars().count();
    if external_id.trim().is_empty() || length > LONGEST_ID {
        return Err(format!("the external_id is not 1 to {LONGEST_ID} characters"));
    }
    if !shop.file.stores.iter().any(|known| known.id == *store) {
        return Err("the programme has no such store".into());
    }
    let at = DateTime::parse_from_rfc3339(occurred_at).map(|at| at.to_utc());
    let at = at.map_err(|_| "the occurred_at is not like 2024-03-01T12:30:00Z")?;
    if at < DateTime::UNIX_EPOCH {
        return Err("the occurred_at lies before 1970".into());
    }
    if now < at {
        return Err("the occurred_at lies in the future".into());
    }
    Ok(Staged {
        line: record.line,
        member: member.clone(),
        store: store.clone(),
        external_id: external_id.clone(),
        occurred_at: millis(at),
        total_minor: minor(total, shop.file.currency.decimals())?,
    })
}

/// An amount as it is written, in minor units: exact, or not at all.
fn minor(text: &str, decimals: u32) -> Result<i64, Reason> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let below_zero = whole.strip_prefix('-').filter(|rest| !rest.is_empty());
    if below_zero.is_some_and(is_digits) && is_digits(fraction) {
        return Err("the total is below zero".into());
    }
    if whole.is_empty() || text.ends_with('.') || !is_digits(whole) || !is_digits(fraction) {
        return Err("the total is not a number like 12.50".into());
    }
    let decimals = decimals as usize;
    if fraction.len() > decimals {
        return Err(format!(
            "the total has {} decimals, and the currency has {decimals}",
            fraction.len()
        ));
    }
    let minor = format!("{whole}{fraction:0<decimals$}").parse().ok();
    let minor = minor.filter(|&minor| minor <= MOST_MINOR);
    minor.ok_or_else(|| "the total is more than can be reckoned with".into())
}

/// Which of these numbers somebody has.
async fn members(tx: &mut AnyConnection, numbers: BTreeSet<&str>) -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    let mut numbers = numbers.into_iter().collect::<Vec<_>>().into_iter();
    loop {
        let some = next_rows(tx, &mut numbers, 1);
        if some.is_empty() {
            return Ok(known);
        }
        let statement = format!(
            "select number from members where number in (values {})",
            places(some.len(), 1)
        );
        // The text is made of placeholders; every value is bound.
        let mut select = sqlx::query_as(AssertSqlSafe(statement));
        for number in some {
            select = select.bind(number);
        }
        let found: Vec<(String,)> = select.fetch_all(&mut *tx).await?;
        known.extend(found.into_iter().map(|(number,)| number));
    }
}

/// Books the next rows of a member, and takes them from those that wait. `None` where that is more than can be
/// counted; the transaction is then to be undone.
///
/// # Errors
/// Where the database refuses.
pub async fn book(
    tx: &mut AnyConnection,
    shop: &Shop,
    import_id: &str,
    number: &str,
    now: Instant,
) -> Result<Option<Outcome>> {
    let mut staged = take(tx, import_id, number).await?;
    let mut outcome = Outcome {
        rows: staged.len(),
        ..Outcome::default()
    };
    if staged.is_empty() {
        return Ok(Some(outcome));
    }
    let member: Option<(String,)> = sqlx::query_as("select id from members where number = $1")
        .bind(number)
        .fetch_optional(&mut *tx)
        .await?;
    let Some((member_id,)) = member else {
        let gone = |row: &Staged| (row.line, "nobody has this member number any more".into());
        outcome.rejects.extend(staged.iter().map(gone));
        return Ok(Some(outcome));
    };
    // The numbers of the purchases are taken before the member is locked, as a till does it, and always in the same
    // order: so whoever waits for another is not waited for by them.
    let ids = take_numbers(tx, shop, &member_id, &mut staged).await?;
    sort_out(tx, &mut staged, &ids, &mut outcome).await?;
    let Some(first) = staged.first() else {
        return Ok(Some(outcome));
    };
    let day = day_of(from_millis(first.occurred_at), &shop.zone);
    let Some(mut books) = Books::open(tx, shop, &member_id, Some(day), now).await? else {
        return Ok(None);
    };
    if books.has_left {
        // Tried again, the number is nobody's, and nothing of the file is kept for them.
        return Err(Error::unavailable("a member has left at this moment"));
    }
    let mut settled = vec![];
    for row in &staged {
        let Some(id) = ids.get(&row.line) else { continue };
        let answer = match earn(&mut books, row, id) {
            Ok(answer) => answer,
            Err(AccountError::Overflow(_)) => return Ok(None),
            Err(other) => return Err(other.into()),
        };
        let earned = books.account.purchases.get(id);
        let (permille, points) = earned.map_or((0, 0), |purchase| {
            (i64::from(purchase.multiplier_permille), purchase.points.0)
        });
        settled.push(vec![
            id.as_str().into(),
            permille.into(),
            points.into(),
            serde_json::to_string(&answer)?.into(),
        ]);
    }
    settle(tx, settled).await?;
    outcome.booked = i64::try_from(staged.len()).unwrap_or_default();
    if books.is_paused() {
        outcome.paused = outcome.booked;
    }
    books.account.pass_time(now)?;
    books.save(tx).await?;
    Ok(Some(outcome))
}

/// Rejects the next rows of a member, who would have more than can be counted.
///
/// # Errors
/// Where the database refuses.
pub async fn reject(tx: &mut AnyConnection, import_id: &str, number: &str) -> Result<Outcome> {
    let staged = take(tx, import_id, number).await?;
    let reason = |row: &Staged| (row.line, "the member would have more points than can be counted".into());
    Ok(Outcome {
        rows: staged.len(),
        rejects: staged.iter().map(reason).collect(),
        ..Outcome::default()
    })
}

/// Takes the next rows of a member, in the order of time. That locks them: whoever else imports the same file does not
/// get them as well.
async fn take(tx: &mut AnyConnection, import_id: &str, number: &str) -> Result<Vec<Staged>> {
    let rows: Vec<(i64, String, String, i64, i64)> = sqlx::query_as(
        "delete from import_rows where import_id = $1 and line in (
            select line from import_rows where import_id = $1 and member_number = $2
            order by occurred_at, store, external_id limit $3)
         returning line, store, external_id, occurred_at, total_minor",
    )
    .bind(import_id)
    .bind(number)
    .bind(i64::try_from(ROWS_OF_A_MEMBER_AT_ONCE).unwrap_or_default())
    .fetch_all(tx)
    .await?;
    let staged = |(line, store, external_id, occurred_at, total_minor)| Staged {
        line,
        member: number.to_owned(),
        store,
        external_id,
        occurred_at,
        total_minor,
    };
    Ok(rows.into_iter().map(staged).collect())
}

/// Takes the numbers of these purchases in their stores, and gives the ids of those that were free, by line.
async fn take_numbers(
    tx: &mut AnyConnection,
    shop: &Shop,
    member_id: &str,
    staged: &mut [Staged],
) -> Result<BTreeMap<i64, String>> {
    staged.sort_by(|a, b| (&a.store, &a.external_id).cmp(&(&b.store, &b.external_id)));
    let earning = shop.file.earning;
    let mut lines = BTreeMap::new();
    let mut rows = vec![];
    for row in staged.iter() {
        let id = token::id()?;
        let told = NewPurchase {
            external_id: row.external_id.clone(),
            store: row.store.clone(),
            occurred_at: from_millis(row.occurred_at),
            total: Money::new(row.total_minor, shop.file.currency),
            member: Some(row.member.clone()),
            member_code: None,
            visit: None,
            lines: vec![],
        };
        rows.push(vec![
            id.as_str().into(),
            row.store.as_str().into(),
            row.external_id.as_str().into(),
            member_id.into(),
            row.member.as_str().into(),
            row.occurred_at.into(),
            row.total_minor.into(),
            earning.points.0.into(),
            earning.per_money.minor.into(),
            Value::Int(Some(0)),
            Value::Int(Some(0)),
            Value::Int(Some(0)),
            Value::Int(Some(0)),
            // A till that tells it once more is answered like one that told it before.
            fingerprint(&told)?.into(),
        ]);
        lines.insert(id, row.line);
    }
    let columns = [
        "id",
        "store",
        "external_id",
        "member_id",
        "member_number",
        "occurred_at",
        "total_minor",
        "earning_points",
        "earning_per_minor",
        "multiplier_permille",
        "points",
        "returned_minor",
        "forgiven",
        "fingerprint",
    ];
    let ending = "on conflict (store, external_id) do nothing returning id";
    let made = insert_rows_or(tx, "purchases", &columns, rows, ending).await?;
    let mut ids = BTreeMap::new();
    for row in made {
        let id: String = row.try_get(0)?;
        if let Some(&line) = lines.get(&id) {
            ids.insert(line, id);
        }
    }
    Ok(ids)
}

/// Leaves those whose numbers were free, in the order of time. Of the others, the same purchase is done, and another
/// one is a conflict.
async fn sort_out(
    tx: &mut AnyConnection,
    staged: &mut Vec<Staged>,
    ids: &BTreeMap<i64, String>,
    outcome: &mut Outcome,
) -> Result<()> {
    let (mut free, taken): (Vec<Staged>, Vec<Staged>) = std::mem::take(staged)
        .into_iter()
        .partition(|row| ids.contains_key(&row.line));
    free.sort_by(|a, b| {
        let key = |row: &Staged| (row.occurred_at, row.store.clone(), row.external_id.clone());
        key(a).cmp(&key(b))
    });
    *staged = free;
    let mut taken = taken.into_iter();
    loop {
        let rows = next_rows(tx, &mut taken, 2);
        if rows.is_empty() {
            return Ok(());
        }
        let statement = format!(
            "select p.store, p.external_id, p.occurred_at, p.total_minor, coalesce(p.member_number, m.number)
             from purchases p left join members m on m.id = p.member_id
             where (p.store, p.external_id) in (values {})",
            places(rows.len(), 2)
        );
        // The text is made of placeholders; every value is bound.
        let mut select = sqlx::query_as(AssertSqlSafe(statement));
        for row in &rows {
            select = select.bind(&row.store).bind(&row.external_id);
        }
        type There = (String, String, i64, i64, Option<String>);
        let there: Vec<There> = select.fetch_all(&mut *tx).await?;
        for row in rows {
            let is_same = there
                .iter()
                .any(|(store, external_id, occurred_at, total_minor, member)| {
                    (store, external_id) == (&row.store, &row.external_id)
                        && (*occurred_at, *total_minor) == (row.occurred_at, row.total_minor)
                        && member.as_ref() == Some(&row.member)
                });
            if is_same {
                outcome.known += 1;
            } else {
                let reason = "the store has another purchase of this external_id already";
                outcome.rejects.push((row.line, reason.into()));
            }
        }
    }
}

/// Books one purchase, as the member's till would have, and gives what the till would have been answered.
fn earn(books: &mut Books<'_>, row: &Staged, id: &str) -> Result<PurchaseRecorded, AccountError> {
    let occurred_at = from_millis(row.occurred_at);
    let mut answer = PurchaseRecorded {
        points: Points::ZERO,
        available_at: None,
        member_state: match books.state {
            MemberState::Paused => PurchaseMember::Paused,
            MemberState::Managed => PurchaseMember::Managed,
            MemberState::Active | MemberState::Unknown => PurchaseMember::Active,
        },
    };
    if books.is_paused() {
        return Ok(answer);
    }
    let sale = Sale {
        id: id.to_owned(),
        store: &row.store,
        external_id: &row.external_id,
        total_minor: row.total_minor,
        occurred_at,
    };
    let is_history = occurred_at < books.now - TOLD_FOR;
    let told = books.account.events.len();
    // What expired by then is written down before it, and what expires later after it: the ledger is in order.
    let now = if is_history { occurred_at } else { books.now };
    answer.available_at = books.account.earn(sale, now)?;
    if is_history {
        books.account.events.truncate(told);
    }
    let earned = books.account.purchases.get(id);
    answer.points = earned.map_or(Points::ZERO, |purchase| purchase.points);
    Ok(answer)
}

/// Writes down what the purchases earned: rows of id, multiplier, points and answer.
async fn settle(tx: &mut AnyConnection, rows: Vec<Vec<Value>>) -> Result<()> {
    const COLUMNS: usize = 4;
    let mut rows = rows.into_iter();
    loop {
        let chunk = next_rows(tx, &mut rows, COLUMNS);
        if chunk.is_empty() {
            return Ok(());
        }
        let statement = format!(
            "update purchases set multiplier_permille = v.column2, points = v.column3, answer = v.column4
             from (values {}) as v where purchases.id = v.column1",
            places(chunk.len(), COLUMNS)
        );
        // The text is made of placeholders; every value is bound.
        let mut update = sqlx::query(AssertSqlSafe(statement));
        for value in chunk.into_iter().flatten() {
            update = value.bind(update);
        }
        update.execute(&mut *tx).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_exact_or_refused() {
        for (text, decimals, minor_units) in [
            ("12.50", 2, 1250),
            ("12.5", 2, 1250),
            ("12", 2, 1200),
            ("0", 2, 0),
            ("0.005", 3, 5),
            ("1250", 0, 1250),
            ("0.29", 2, 29),
            ("90071992547.93", 2, 9_007_199_254_793),
        ] {
            assert_eq!(minor(text, decimals), Ok(minor_units), "{text}");
        }
        for (text, decimals, reason) in [
            ("-1.00", 2, "below zero"),
            ("12.505", 2, "3 decimals, and the currency has 2"),
            ("12.0", 0, "1 decimals, and the currency has 0"),
            ("12,50", 2, "not a number like"),
            ("1e3", 2, "not a number like"),
            ("+1", 2, "not a number like"),
            (" 1", 2, "not a number like"),
            ("1.", 2, "not a number like"),
            (".5", 2, "not a number like"),
            ("", 2, "not a number like"),
            ("-", 2, "not a number like"),
            ("NaN", 2, "not a number like"),
            ("१२", 2, "not a number like"),
            ("99999999999999999999", 2, "more than can be reckoned"),
            ("10000000000000.01", 2, "more than can be reckoned"),
        ] {
            let found = minor(text, decimals).expect_err(text);
            assert!(found.contains(reason), "{text}: {found}");
        }
    }
}
