//! The members of a file: each is there once its batch is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use loyalty_contract::Instant;
use loyalty_rules::calendar::day_of;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::table::Record;
use super::{Outcome, Reason};
use crate::db::{Value, insert_rows_or, next_rows, places};
use crate::http::{Result, email_address, is_language_tag, is_name, phone_number};
use crate::shop::Shop;
use crate::token;

/// The file's columns.
pub const COLUMNS: [&str; 5] = ["number", "name", "email", "language", "since"];

/// Columns that it may have beside them.
pub const OTHERS: [&str; 1] = ["phone"];

/// How many digits a member's number has.
const DIGITS: usize = 12;

/// Before that year nobody joined.
const FIRST_YEAR: i32 = 1900;

/// A member as the file has them.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
struct Row {
    number: String,
    name: String,
    email: Option<String>,
    language: String,
    since: i64,
    /// Of a member who is there already it is not read: they may have changed it.
    #[sqlx(skip)]
    phone: Option<String>,
}

/// Checks rows, and makes members of those that are right and not there yet.
///
/// # Errors
/// Where the database refuses.
pub async fn insert(tx: &mut AnyConnection, shop: &Shop, records: &[Record], now: Instant) -> Result<Outcome> {
    let today = day_of(now, &shop.zone);
    let mut outcome = Outcome::default();
    let mut first: BTreeMap<String, (i64, Row)> = BTreeMap::new();
    let mut again = vec![];
    for record in records {
        match check(record, today) {
            Err(reason) => outcome.rejects.push((record.line, reason)),
            Ok(row) if first.contains_key(&row.number) => again.push((record.line, row)),
            Ok(row) => _ = first.insert(row.number.clone(), (record.line, row)),
        }
    }
    let former = former(tx, first.keys().map(String::as_str).collect()).await?;
    let mut has_left = |line: i64, number: &str| {
        let is_former = former.contains(number);
        if is_former {
            outcome.rejects.push((line, "whoever had this number has left".into()));
        }
        is_former
    };
    again.retain(|(line, row)| !has_left(*line, &row.number));
    first.retain(|number, (line, _)| !has_left(*line, number));
    let rows = first.values().map(|(_, row)| values(row)).collect::<Result<_>>()?;
    let columns = [
        "id",
        "version",
        "number",
        "name",
        "email",
        "phone",
        "language",
        "since",
        "state",
        "unread_messages",
        "entry_count",
        "balance",
        "earned",
        "spent",
        "expired",
    ];
    let ending = "on conflict do nothing returning number";
    let made = insert_rows_or(tx, "members", &columns, rows, ending).await?;
    let made: BTreeSet<String> = made.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    outcome.booked = i64::try_from(made.len()).unwrap_or_default();

    let old = first.into_values().filter(|(_, row)| !made.contains(&row.number));
    let old: Vec<(i64, Row)> = old.chain(again).collect();
    let there = members(tx, old.iter().map(|(_, row)| row.number.as_str()).collect()).await?;
    for (line, row) in old {
        match there.get(&row.number) {
            Some(member) if *member == Row { phone: None, ..row } => outcome.known += 1,
            Some(_) => outcome.rejects.push((line, "another member has this number".into())),
            None => outcome.rejects.push((line, "another member has this address".into())),
        }
    }
    Ok(outcome)
}

fn check(record: &Record, today: NaiveDate) -> Result<Row, Reason> {
    let cells = record.cells.as_ref().map_err(Clone::clone)?;
    let [number, name, email, language, since, phone] = cells.as_slice() else {
        return Err("a field is missing".into());
    };
    if number.len() != DIGITS || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("the number is not {DIGITS} digits"));
    }
    let name = name.trim();
    if !is_name(name) {
        return Err("the name is not 1 to 80 characters".into());
    }
    let address = email_address(email);
    if address.is_none() && !email.is_empty() {
        return Err("the email is no e-mail address".into());
    }
    let telephone = phone_number(phone);
    if telephone.is_none() && !phone.is_empty() {
        return Err("the phone is no telephone number like +4930231250".into());
    }
    if !is_language_tag(language) {
        return Err("the language is no tag like en or pt-BR".into());
    }
    let day = NaiveDate::parse_from_str(since, "%Y-%m-%d").map_err(|_| "the since is no day like 2024-03-01")?;
    let begin = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or(DateTime::UNIX_EPOCH.date_naive());
    if day < begin || today < day {
        return Err(format!("the since does not lie between {FIRST_YEAR} and today"));
    }
    Ok(Row {
        number: number.clone(),
        name: name.to_owned(),
        email: address,
        language: language.clone(),
        since: i64::from(day.to_epoch_days()),
        phone: telephone,
    })
}

fn values(row: &Row) -> Result<Vec<Value>> {
    const NONE: i64 = 0;
    Ok(vec![
        token::id()?.into(),
        1.into(),
        row.number.as_str().into(),
        row.name.as_str().into(),
        row.email.clone().into(),
        row.phone.clone().into(),
        row.language.as_str().into(),
        row.since.into(),
        "active".into(),
        NONE.into(),
        NONE.into(),
        NONE.into(),
        NONE.into(),
        NONE.into(),
        NONE.into(),
    ])
}

/// Those who have these numbers, by number.
async fn members(tx: &mut AnyConnection, numbers: BTreeSet<&str>) -> Result<BTreeMap<String, Row>> {
    let mut there = BTreeMap::new();
    let mut numbers = numbers.into_iter().collect::<Vec<_>>().into_iter();
    loop {
        let some = next_rows(tx, &mut numbers, 1);
        if some.is_empty() {
            return Ok(there);
        }
        let statement = format!(
            "select number, name, email, language, since from members where number in (values {})",
            places(some.len(), 1)
        );
        // The text is made of placeholders; every value is bound.
        let mut select = sqlx::query_as(AssertSqlSafe(statement));
        for number in some {
            select = select.bind(number);
        }
        let found: Vec<Row> = select.fetch_all(&mut *tx).await?;
        there.extend(found.into_iter().map(|row| (row.number.clone(), row)));
    }
}

/// Which of these numbers nobody is to have again.
async fn former(tx: &mut AnyConnection, numbers: BTreeSet<&str>) -> Result<BTreeSet<String>> {
    let mut former = BTreeSet::new();
    let mut numbers = numbers.into_iter().collect::<Vec<_>>().into_iter();
    loop {
        let some = next_rows(tx, &mut numbers, 1);
        if some.is_empty() {
            return Ok(former);
        }
        let statement = format!(
            "select number from former_numbers where number in (values {})",
            places(some.len(), 1)
        );
        // The text is made of placeholders; every value is bound.
        let mut select = sqlx::query_scalar(AssertSqlSafe(statement));
        for number in some {
            select = select.bind(number);
        }
        former.extend(select.fetch_all(&mut *tx).await?);
    }
}
