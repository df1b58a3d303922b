//! `GET /me/statement`: what happened to a balance in a period, for a program, a printer or a spreadsheet.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use chrono::{NaiveDate, TimeDelta};
use loyalty_contract::ledger::{EntryKind, LedgerEntry, Reference};
use loyalty_contract::statement::{Statement, StatementFormat, StatementQuery};
use loyalty_contract::{Instant, Points, Problem};
use loyalty_rules::Overflow;
use loyalty_rules::calendar::{add_days, day_of, start_of_day};
use sqlx::AnyConnection;

use super::App;
use super::answer::{accept_language, asking_in, private};
use super::documents::{download, words};
use super::error::{Error, Result};
use super::extract::Query;
use super::ledger::entries_between;
use super::problems;
use super::session::Session;
use crate::account::kind_name;
use crate::clock::millis;
use crate::export::{harmless, money};
use crate::shop::Shop;

/// The most days that a statement has: a year, whichever.
const MOST_DAYS: i64 = 366;

/// By which a spreadsheet knows that a file is UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

const CSV: &str = "text/csv";

/// Everything that happened in a period, with what there was before and after it.
#[utoipa::path(get, path = "/me/statement", operation_id = "get_statement", tag = "me",
    security(("session" = [])),
    params(StatementQuery),
    responses(
        (status = 200, description = "the sums and every entry, oldest first; as CSV a file with a row for each",
            content((Statement = "application/json"), (String = "text/csv"))),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_statement(
    State(app): State<Arc<App>>,
    session: Session,
    Query(query): Query<StatementQuery>,
    asked: HeaderMap,
) -> Result<Response> {
    let asked = asking_in(query.language.as_deref(), asked)?;
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    let (from, until) = period(&shop, &query)?;
    let mut db = app.db.begin_read().await?;
    let opening = balance_before(&mut db, &session.member_id, from).await?;
    let entries = entries_between(&mut db, &shop, &session.member_id, (from, until), language).await?;
    db.rollback().await?;
    let statement = told(&query, opening, entries)?;
    if wants_csv(&query, &asked) {
        let language = problems::language(&asked);
        let name = format!("statement-{}-{}.csv", query.from, query.to);
        let content = csv(&statement, &shop, language)?;
        return download("text/csv; charset=utf-8; header=present", &name, language, content);
    }
    let mut response = private(&asked, language, &statement)?;
    let varies = HeaderValue::from_static("Cookie, Accept, Accept-Language");
    response.headers_mut().insert(header::VARY, varies);
    Ok(response)
}

fn wants_csv(query: &StatementQuery, asked: &HeaderMap) -> bool {
    let accept = asked.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    match query.format {
        Some(format) => format == StatementFormat::Csv,
        None => accept.is_some_and(|accept| accept.trim_start().starts_with(CSV)),
    }
}

/// The first instant of the period, and the first after it.
fn period(shop: &Shop, query: &StatementQuery) -> Result<(Instant, Instant)> {
    let days = query.to.signed_duration_since(query.from).num_days() + 1;
    if days < 1 {
        return Err(Error::field("to", "this is before the first day"));
    }
    if days > MOST_DAYS {
        let detail = format!("a statement has {MOST_DAYS} days at most");
        return Err(Error::field("to", detail));
    }
    let from = start_of_day(query.from, &shop.zone);
    let until = add_days(query.to, 1).and_then(|day| start_of_day(day, &shop.zone));
    from.and_then(|from| Ok((from, until?)))
        .map_err(|Overflow| Error::field("from", "this is beyond the calendar"))
}

async fn balance_before(db: &mut AnyConnection, member_id: &str, from: Instant) -> Result<Points> {
    let (sum,): (i64,) =
        sqlx::query_as("select cast(coalesce(sum(points), 0) as bigint) from entries where member_id = $1 and at < $2")
            .bind(member_id)
            .bind(millis(from))
            .fetch_one(db)
            .await?;
    Ok(Points(sum))
}

/// Adds up what happened, in its own order: what was told late has its place there too, and what it left.
fn told(query: &StatementQuery, opening: Points, entries: Vec<LedgerEntry>) -> Result<Statement> {
    let mut statement = Statement {
        from: query.from,
        to: query.to,
        opening,
        closing: opening,
        earned: Points::ZERO,
        bonus: Points::ZERO,
        spent: Points::ZERO,
        returned: Points::ZERO,
        given_back: Points::ZERO,
        expired: Points::ZERO,
        adjusted: Points::ZERO,
        entries,
    };
    for entry in &mut statement.entries {
        let sum = match entry.kind {
            EntryKind::Earn => &mut statement.earned,
            EntryKind::Bonus => &mut statement.bonus,
            EntryKind::Spend => &mut statement.spent,
            EntryKind::Return => &mut statement.returned,
            EntryKind::Release | EntryKind::Refund => &mut statement.given_back,
            EntryKind::Expire => &mut statement.expired,
            EntryKind::Adjust | EntryKind::Unknown => &mut statement.adjusted,
        };
        for sum in [sum, &mut statement.closing] {
            sum.0 = sum.0.checked_add(entry.points.0).ok_or(Overflow)?;
        }
        entry.balance_after = statement.closing;
    }
    Ok(statement)
}

fn csv(statement: &Statement, shop: &Shop, language: &str) -> Result<String> {
    let currency = shop.file.currency.to_string();
    let word = |name: &str| words(name, language, &[("{currency}", currency.as_str())]);
    let mut file = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(vec![]);
    let columns = [
        "date",
        "what",
        "details",
        "store",
        "receipt",
        "points",
        "worth",
        "balance",
        "usable_from",
        "usable_until",
    ];
    let empty = String::new;
    let balance = |day: NaiveDate, name: &str, points: Points| {
        let before = [day.to_string(), word(name), empty(), empty(), empty(), empty(), empty()];
        before.into_iter().chain([points.0.to_string(), empty(), empty()])
    };
    file.write_record(columns.map(word)).map_err(Error::internal)?;
    file.write_record(balance(statement.from, "opening", statement.opening))
        .map_err(Error::internal)?;
    for entry in &statement.entries {
        let (details, store, receipt) = reference(entry);
        file.write_record([
            day_of(entry.at, &shop.zone).to_string(),
            word(kind_name(entry.kind)),
            harmless(&details).into_owned(),
            harmless(&store).into_owned(),
            harmless(&receipt).into_owned(),
            entry.points.0.to_string(),
            money(shop, entry.worth.minor),
            entry.balance_after.0.to_string(),
            entry
                .available_at
                .map(|at| day_of(at, &shop.zone).to_string())
                .unwrap_or_default(),
            entry
                .expires_at
                .map(|end| last_day(end, shop).to_string())
                .unwrap_or_default(),
        ])
        .map_err(Error::internal)?;
    }
    file.write_record(balance(statement.to, "closing", statement.closing))
        .map_err(Error::internal)?;
    let content = file.into_inner().map_err(|error| Error::internal(error.into_error()))?;
    let content = String::from_utf8(content).map_err(Error::internal)?;
    Ok(format!("{BYTE_ORDER_MARK}{content}"))
}

/// The last day on which something can be used that ends then.
pub fn last_day(end: Instant, shop: &Shop) -> NaiveDate {
    day_of(end - TimeDelta::milliseconds(1), &shop.zone)
}

/// What stands beside an entry, where it was, and on which receipt.
fn reference(entry: &LedgerEntry) -> (String, String, String) {
    let reason = entry.reason.clone().unwrap_or_default();
    match &entry.reference {
        Some(Reference::Purchase { external_id, store, .. }) => (reason, store.clone(), external_id.clone()),
        Some(Reference::Return { purchase, store, .. }) => (reason, store.clone(), purchase.clone()),
        Some(Reference::Redemption { reward, .. }) => (reward.clone().unwrap_or(reason), String::new(), String::new()),
        Some(Reference::Unknown) | None => (reason, String::new(), String::new()),
    }
}
