//! "This is wrong": what a member tells the shop, which gets it by e-mail where it can.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use loyalty_contract::list::PageQuery;
use loyalty_contract::reports::{NewReport, Report, ReportMade};
use loyalty_contract::{Instant, Page, Problem, ProblemCode};
use loyalty_rules::calendar::day_of;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::App;
use super::answer::{accept_language, private};
use super::documents::words;
use super::error::{Error, Result};
use super::extract::Query;
use super::guesses::seconds;
use super::idempotency::{Answer, Begun, Keyed, begin};
use super::ledger::entry;
use super::page::{Listed, Paged};
use super::session::{Session, lock};
use crate::account::kind_name;
use crate::clock::{from_millis, millis};
use crate::db::Value;
use crate::events::{self, Event};
use crate::mail::{self, Mail};
use crate::shop::Shop;
use crate::token;

/// How many characters a report has at most.
const MOST: usize = 1000;

/// How many reports somebody can make in a day: each is a mail to the shop.
const A_DAY: i64 = 20;

/// How often another reference is tried where one is taken.
const REFERENCE_TRIES: usize = 5;

const COLUMNS: &str = "id, reference, entry_id, redemption_id, text, created_at, closed_at";

#[derive(FromRow)]
struct Row {
    id: String,
    reference: String,
    entry_id: Option<String>,
    redemption_id: Option<String>,
    text: String,
    created_at: i64,
    closed_at: Option<i64>,
}

impl Listed for Row {
    const PLACE: [&'static str; 2] = ["created_at", "id"];

    fn place(&self) -> (i64, String) {
        (self.created_at, self.id.clone())
    }

    fn own(text: &str) -> Option<Value> {
        token::is_id(text).then(|| text.into())
    }
}

impl From<Row> for Report {
    fn from(row: Row) -> Self {
        Self {
            report_id: row.id,
            reference: row.reference,
            entry_id: row.entry_id,
            redemption_id: row.redemption_id,
            text: row.text,
            created_at: from_millis(row.created_at),
            closed_at: row.closed_at.map(from_millis),
        }
    }
}

/// Tells the shop that something is wrong.
#[utoipa::path(post, path = "/me/reports", operation_id = "create_report", tag = "me",
    security(("session" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters")),
    request_body = NewReport,
    responses(
        (status = 201, body = ReportMade, description = "kept, and on its way to the shop"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_report(
    State(app): State<Arc<App>>,
    session: Session,
    request: Keyed<NewReport>,
) -> Result<Response> {
    let shop = app.shop().await?;
    let text = request.body.text.replace("\r\n", "\n");
    let is_text = !text.trim().is_empty() && !text.chars().any(|letter| letter.is_control() && letter != '\n');
    if !is_text || text.chars().count() > MOST {
        return Err(Error::field("/text", format!("this is 1 to {MOST} characters")));
    }
    match begin(&app, session.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let now = pending.now;
            let made = report(
                &mut pending.tx,
                &shop,
                &session.member_id,
                &request.body,
                text.trim(),
                now,
            )
            .await;
            let (outcome, mail) = match made {
                Ok((answer, mail)) => (Ok(answer), Some(mail)),
                Err(error) => (Err(error), None),
            };
            let response = pending.finish(outcome).await?;
            if let (Some(mailer), Some(mail)) = (&app.mailer, mail.filter(|mail| mail::is_address(&mail.address))) {
                mailer.send(mail);
            }
            Ok(response)
        }
    }
}

async fn report(
    tx: &mut AnyConnection,
    shop: &Shop,
    member_id: &str,
    new: &NewReport,
    text: &str,
    now: Instant,
) -> Result<(Answer, Mail)> {
    // So that those at once are counted one after another.
    let number = lock(tx, member_id).await?;
    let (made, first): (i64, Option<i64>) =
        sqlx::query_as("select count(*), min(created_at) from reports where member_id = $1 and created_at > $2")
            .bind(member_id)
            .bind(millis(now - TimeDelta::days(1)))
            .fetch_one(&mut *tx)
            .await?;
    if made >= A_DAY {
        let wait = first.map_or(TimeDelta::days(1), |first| {
            from_millis(first) + TimeDelta::days(1) - now
        });
        let detail = format!("{A_DAY} reports can be made in a day");
        return Err(Error::wait(ProblemCode::TooManyRequests, detail, seconds(wait)));
    }
    let about = about(tx, shop, member_id, new).await?;
    let id = token::id()?;
    let reference = insert(tx, &id, member_id, new, text, now).await?;
    let event = Event::reported(
        now,
        &id,
        &reference,
        new.entry_id.as_deref(),
        new.redemption_id.as_deref(),
    );
    events::record(tx, member_id, &number, vec![event]).await?;
    let language = mail::language(shop.file.languages.first().map(String::as_str));
    let name = shop.text(&shop.file.name, language);
    let address = shop.file.contact.email.clone();
    let mail = Mail::report(address, &reference, &number, &about, text, &name, language);
    let made = ReportMade {
        report_id: id,
        reference,
    };
    Ok((Answer::made(StatusCode::CREATED, None, &made)?, mail))
}

/// What it is about, for whoever reads the mail; what is somebody else's is not there.
async fn about(tx: &mut AnyConnection, shop: &Shop, member_id: &str, new: &NewReport) -> Result<String> {
    let language = mail::language(shop.file.languages.first().map(String::as_str));
    let mut about = vec![];
    if let Some(id) = &new.entry_id {
        is_own(tx, "entries", member_id, id, "/entry_id").await?;
        let entry = entry(tx, shop, id, language).await?;
        let (day, what) = (
            day_of(entry.at, &shop.zone),
            words(kind_name(entry.kind), language, &[]),
        );
        about.push(format!("{day}, {what}, {:+} ({id})", entry.points.0));
    }
    if let Some(id) = &new.redemption_id {
        is_own(tx, "redemptions", member_id, id, "/redemption_id").await?;
        about.push(id.clone());
    }
    Ok(if about.is_empty() {
        "-".to_owned()
    } else {
        about.join("; ")
    })
}

async fn is_own(tx: &mut AnyConnection, table: &str, member_id: &str, id: &str, pointer: &str) -> Result<()> {
    let statement = format!("select id from {table} where id = $1 and member_id = $2");
    let is_id = token::is_id(id);
    // The text is made of this file's own words; every value is bound.
    let found: Option<(String,)> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(if is_id { id } else { "" })
        .bind(member_id)
        .fetch_optional(tx)
        .await?;
    found
        .map(|_| ())
        .ok_or_else(|| Error::field(pointer, "there is no such thing here"))
}

async fn insert(
    tx: &mut AnyConnection,
    id: &str,
    member_id: &str,
    new: &NewReport,
    text: &str,
    now: Instant,
) -> Result<String> {
    for _ in 0..REFERENCE_TRIES {
        let reference = token::reference()?;
        let made = sqlx::query(
            "insert into reports (id, reference, member_id, entry_id, redemption_id, text, created_at)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (reference) do nothing",
        )
        .bind(id)
        .bind(&reference)
        .bind(member_id)
        .bind(&new.entry_id)
        .bind(&new.redemption_id)
        .bind(text)
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
        if made.rows_affected() > 0 {
            return Ok(reference);
        }
    }
    Err(Error::internal("no reference was free"))
}

/// What the member told the shop.
#[utoipa::path(get, path = "/me/reports", operation_id = "list_reports", tag = "me",
    security(("session" = [])),
    params(PageQuery),
    responses(
        (status = 200, body = Page<Report>, description = "newest first"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_reports(
    State(app): State<Arc<App>>,
    session: Session,
    Query(query): Query<PageQuery>,
    asked: HeaderMap,
) -> Result<Response> {
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    let mut page = Paged::new(query.limit, query.after.as_deref())?;
    page.only("member_id =", session.member_id.as_str());
    let select = format!("select {COLUMNS} from reports");
    let page = page
        .read(&app.db.pool, &select, |row: Row| Ok(Report::from(row)))
        .await?;
    private(&asked, language, &page)
}

/// Everything that the member told the shop, oldest first.
pub async fn reports_of(db: &mut AnyConnection, member_id: &str) -> Result<Vec<Report>> {
    let statement = format!("select {COLUMNS} from reports where member_id = $1 order by created_at, id");
    // The text is made of this file's own words; the value is bound.
    let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(member_id)
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(Report::from).collect())
}
