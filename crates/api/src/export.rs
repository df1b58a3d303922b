//! `loyalty-api export`: members, ledger and redemptions as CSV, for a CRM.
//!
//! Everything is read page by page on one snapshot of the database, so that a file of any size needs little memory and
//! nothing in it contradicts the rest.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, SecondsFormat};
use loyalty_contract::Instant;
use loyalty_contract::members::Consents;
use loyalty_rules::calendar::start_of_day;
use sqlx::{AnyConnection, FromRow};

use crate::clock::{Clock, from_millis, millis};
use crate::config::{Export, ExportWhat};
use crate::db::{self, Database};
use crate::failure::Failure;
use crate::http;
use crate::members::{Snapshot, from_day_number};
use crate::names;
use crate::programme_file::{Texts, json};
use crate::shop::Shop;

/// How many rows are read at once.
const ROWS_AT_ONCE: i64 = 1000;

const MEMBER_COLUMNS: [&str; 21] = [
    "number",
    "name",
    "email",
    "language",
    "since",
    "state",
    "birthday",
    "store",
    "referral_code",
    "consent_offers",
    "consent_reminders",
    "consent_surveys",
    "tier",
    "available",
    "pending",
    "earned",
    "spent",
    "expired",
    "adjusted",
    "saved",
    "phone",
];

const LEDGER_COLUMNS: [&str; 14] = [
    "id",
    "member",
    "at",
    "kind",
    "points",
    "worth",
    "balance_after",
    "reason",
    "store",
    "purchase",
    "return",
    "redemption",
    "available_at",
    "expires_at",
];

const REDEMPTION_COLUMNS: [&str; 14] = [
    "id",
    "member",
    "state",
    "reward",
    "title",
    "points",
    "worth",
    "captured_points",
    "captured",
    "store",
    "created_at",
    "valid_until",
    "captured_at",
    "ended_at",
];

/// Writes what was asked for.
///
/// # Errors
/// [`Failure`] where the file cannot be written, or the database does not answer.
pub async fn run(db: &Database, arguments: &Export, clock: &Clock) -> Result<(), Failure> {
    db::check_tables(&db.pool).await?;
    let shop = names::programme(&db.pool).await?;
    let now = clock.now();
    let Some(path) = &arguments.out else {
        let mut sheet = Sheet::new(Box::new(io::stdout()), "Standard output".into());
        let written = write(db, &shop, arguments, now, &mut sheet).await;
        // Whoever has read enough has closed it.
        return if sheet.is_closed { Ok(()) } else { written };
    };
    // Under its name stands a whole file or none: others fetch it.
    let part = beside(path);
    let failed = |error: io::Error| unwritten(path, &error);
    let file = create(&part).map_err(failed)?;
    let mut sheet = Sheet::new(Box::new(file), part.display().to_string());
    let written = write(db, &shop, arguments, now, &mut sheet).await;
    drop(sheet);
    let done = written.and_then(|()| fs::rename(&part, path).map_err(failed));
    if done.is_err() {
        // It is of no use to anybody.
        let _ = fs::remove_file(&part);
    }
    done
}

async fn write(db: &Database, shop: &Shop, arguments: &Export, now: Instant, sheet: &mut Sheet) -> Result<(), Failure> {
    let mut tx = db.begin_read().await?;
    match arguments.what {
        ExportWhat::Members => members(&mut tx, shop, arguments.since, now, sheet).await?,
        ExportWhat::Ledger => ledger(&mut tx, shop, first_instant(shop, arguments)?, sheet).await?,
        ExportWhat::Redemptions => redemptions(&mut tx, shop, first_instant(shop, arguments)?, sheet).await?,
    }
    sheet.flush()
}

#[derive(FromRow)]
struct MemberRow {
    id: String,
    number: String,
    name: String,
    email: Option<String>,
    language: String,
    since: i64,
    state: String,
    birthday: Option<i64>,
    phone: Option<String>,
    store: Option<String>,
    referral_code: Option<String>,
    consents: Option<String>,
}

async fn members(
    tx: &mut AnyConnection,
    shop: &Shop,
    since: Option<NaiveDate>,
    now: Instant,
    sheet: &mut Sheet,
) -> Result<(), Failure> {
    let since = since.map_or(i64::MIN, |day| i64::from(day.to_epoch_days()));
    sheet.head(&MEMBER_COLUMNS)?;
    let mut after = String::new();
    loop {
        let rows: Vec<MemberRow> = sqlx::query_as(
            "select id, number, name, email, language, since, state, birthday, phone, store, referral_code,
                consents
             from members where number > $1 and since >= $2 and state <> 'left' order by number limit $3",
        )
        .bind(&after)
        .bind(since)
        .bind(ROWS_AT_ONCE)
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after.clone_from(&last.number);
        for row in rows {
            let member = Snapshot::load(tx, shop, &row.id, now).await.map_err(failure)?;
            let consents: Consents = match &row.consents {
                Some(text) => serde_json::from_str(text).map_err(|error| {
                    Failure::new(format!("The consents of {} cannot be read: {error}.", row.number))
                })?,
                None => Consents::default(),
            };
            let balance = member.balance(shop, loyalty_contract::Points::ZERO, loyalty_contract::Points::ZERO);
            let balance = balance.map_err(failure)?;
            let totals = member.totals;
            sheet.row([
                ours(&row.number),
                text(&row.name),
                text(row.email.as_deref().unwrap_or_default()),
                text(&row.language),
                ours(from_day_number(row.since)),
                ours(&row.state),
                row.birthday.map(from_day_number).map(ours).unwrap_or_default(),
                text(row.store.as_deref().unwrap_or_default()),
                text(row.referral_code.as_deref().unwrap_or_default()),
                channels(&consents.offers)?,
                channels(&consents.reminders)?,
                channels(&consents.surveys)?,
                text(member.tier(shop).unwrap_or_default()),
                ours(balance.available.0),
                ours(balance.pending.0),
                ours(totals.earned.0),
                ours(totals.spent.0),
                ours(totals.expired.0),
                ours(totals.adjusted.0),
                money(shop, totals.saved_minor),
                row.phone.map(ours).unwrap_or_default(),
            ])?;
        }
    }
}

#[derive(FromRow)]
struct EntryRow {
    id: String,
    member_id: String,
    seq: i64,
    number: String,
    at: i64,
    kind: String,
    points: i64,
    worth_minor: i64,
    balance_after: i64,
    reason: Option<String>,
    store: Option<String>,
    purchase: Option<String>,
    return_number: Option<String>,
    redemption_id: Option<String>,
    available_at: Option<i64>,
    expires_at: Option<i64>,
}

async fn ledger(tx: &mut AnyConnection, shop: &Shop, since: i64, sheet: &mut Sheet) -> Result<(), Failure> {
    sheet.head(&LEDGER_COLUMNS)?;
    let (mut after, mut after_seq) = (String::new(), 0);
    loop {
        let rows: Vec<EntryRow> = sqlx::query_as(
            "select e.id, e.member_id, e.seq, m.number, e.at, e.kind, e.points, e.worth_minor, e.balance_after, e.reason,
                coalesce(p.store, r.store) as store, coalesce(p.external_id, rp.external_id) as purchase,
                r.external_id as return_number, e.redemption_id, e.available_at, e.expires_at
             from entries e
             join members m on m.id = e.member_id
             left join purchases p on p.id = e.purchase_id
             left join returns r on r.id = e.return_id
             left join purchases rp on rp.id = r.purchase_id
             where (e.member_id, e.seq) > ($1, $2) and e.at >= $3 order by e.member_id, e.seq limit $4",
        )
        .bind(&after)
        .bind(after_seq)
        .bind(since)
        .bind(ROWS_AT_ONCE)
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after.clone_from(&last.member_id);
        after_seq = last.seq;
        for row in rows {
            sheet.row([
                ours(&row.id),
                ours(&row.number),
                instant(row.at),
                ours(&row.kind),
                ours(row.points),
                money(shop, row.worth_minor),
                ours(row.balance_after),
                text(&worded(shop, row.reason.as_deref())?),
                text(row.store.as_deref().unwrap_or_default()),
                text(row.purchase.as_deref().unwrap_or_default()),
                text(row.return_number.as_deref().unwrap_or_default()),
                row.redemption_id.map(ours).unwrap_or_default(),
                row.available_at.map(instant).unwrap_or_default(),
                row.expires_at.map(instant).unwrap_or_default(),
            ])?;
        }
    }
}

#[derive(FromRow)]
struct RedemptionRow {
    id: String,
    member_id: String,
    number: String,
    state: String,
    reward_id: Option<String>,
    title: Option<String>,
    points: i64,
    money_minor: i64,
    captured_points: Option<i64>,
    captured_minor: Option<i64>,
    store: Option<String>,
    created_at: i64,
    valid_until: i64,
    captured_at: Option<i64>,
    ended_at: Option<i64>,
}

async fn redemptions(tx: &mut AnyConnection, shop: &Shop, since: i64, sheet: &mut Sheet) -> Result<(), Failure> {
    sheet.head(&REDEMPTION_COLUMNS)?;
    let mut after = (String::new(), 0, String::new());
    loop {
        // Not the code: whoever reads the file could use it.
        let rows: Vec<RedemptionRow> = sqlx::query_as(
            "select d.id, d.member_id, m.number, d.state, d.reward_id, d.title, d.points, d.money_minor,
                d.captured_points, d.captured_minor, d.store, d.created_at, d.valid_until, d.captured_at, d.ended_at
             from redemptions d join members m on m.id = d.member_id
             where (d.member_id, d.created_at, d.id) > ($1, $2, $3) and d.created_at >= $4
             order by d.member_id, d.created_at, d.id limit $5",
        )
        .bind(&after.0)
        .bind(after.1)
        .bind(&after.2)
        .bind(since)
        .bind(ROWS_AT_ONCE)
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = (last.member_id.clone(), last.created_at, last.id.clone());
        for row in rows {
            sheet.row([
                ours(&row.id),
                ours(&row.number),
                ours(&row.state),
                text(row.reward_id.as_deref().unwrap_or_default()),
                text(&worded(shop, row.title.as_deref())?),
                ours(row.points),
                money(shop, row.money_minor),
                row.captured_points.map(ours).unwrap_or_default(),
                row.captured_minor.map(|minor| money(shop, minor)).unwrap_or_default(),
                text(row.store.as_deref().unwrap_or_default()),
                instant(row.created_at),
                instant(row.valid_until),
                row.captured_at.map(instant).unwrap_or_default(),
                row.ended_at.map(instant).unwrap_or_default(),
            ])?;
        }
    }
}

/// A file of rows.
struct Sheet {
    name: String,
    file: csv::Writer<Box<dyn Write + Send>>,
    is_closed: bool,
}

impl Sheet {
    fn new(file: Box<dyn Write + Send>, name: String) -> Self {
        let file = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(file);
        Self {
            name,
            file,
            is_closed: false,
        }
    }

    fn head<const COLUMNS: usize>(&mut self, columns: &[&str; COLUMNS]) -> Result<(), Failure> {
        self.row(columns.map(str::to_owned))
    }

    fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) -> Result<(), Failure> {
        let written = self.file.write_record(cells);
        written.or_else(|error| self.failed(&error.into()))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let flushed = self.file.flush();
        flushed.or_else(|error| self.failed(&error))
    }

    fn failed(&mut self, error: &io::Error) -> Result<(), Failure> {
        self.is_closed = error.kind() == ErrorKind::BrokenPipe;
        Err(Failure::new(format!("{} cannot be written: {error}.", self.name)))
    }
}

/// A cell of ours: a number, an id or an instant, which no spreadsheet takes for a formula that does anything.
fn ours(value: impl ToString) -> String {
    value.to_string()
}

/// A cell that somebody else worded, such as a member's name.
fn text(text: &str) -> String {
    harmless(text).into_owned()
}

/// What a spreadsheet would run as a formula gets an apostrophe in front, by which it is shown as it is.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    const BEGINS_A_FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];
    if text.starts_with(BEGINS_A_FORMULA) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

fn instant(at: i64) -> String {
    from_millis(at).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// An amount in the programme's currency, with a dot.
pub(crate) fn money(shop: &Shop, minor: i64) -> String {
    decimal(minor, shop.file.currency.decimals())
}

fn decimal(minor: i64, decimals: u32) -> String {
    let decimals = decimals as usize;
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if decimals == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

/// A text of the shop's in its own language.
fn worded(shop: &Shop, stored: Option<&str>) -> Result<String, Failure> {
    let Some(stored) = stored else {
        return Ok(String::new());
    };
    let texts: Texts = serde_json::from_str(stored)
        .map_err(|error| Failure::new(format!("A stored text cannot be read: {error}.")))?;
    Ok(shop.text(&texts, &shop.file.languages[0]))
}

/// How the shop may write about something, with spaces between.
fn channels(channels: &[loyalty_contract::members::Channel]) -> Result<String, Failure> {
    let names = channels
        .iter()
        .map(|channel| json(channel).map(|name| name.trim_matches('"').to_owned()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(names.join(" "))
}

/// The first instant of the day that was asked for, as the database keeps it.
fn first_instant(shop: &Shop, arguments: &Export) -> Result<i64, Failure> {
    Ok(match arguments.since {
        Some(day) => millis(start_of_day(day, &shop.zone)?),
        None => i64::MIN,
    })
}

/// Nobody else may read what is in it.
fn create(part: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(part)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}.", path.display()))
}

fn failure(error: http::Error) -> Failure {
    match error {
        http::Error::Unavailable(cause) | http::Error::Internal(cause) => Failure::new(format!("It failed: {cause}.")),
        http::Error::Refused(refusal) => Failure::new(format!("It failed: {}.", refusal.detail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_with_its_decimals() {
        for (minor, decimals, text) in [
            (1250, 2, "12.50"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (0, 2, "0.00"),
            (1250, 0, "1250"),
            (1250, 3, "1.250"),
            (i64::MIN, 2, "-92233720368547758.08"),
        ] {
            assert_eq!(decimal(minor, decimals), text);
        }
    }
}
