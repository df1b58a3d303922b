//! Receipts that a member claims since their number was forgotten at the till.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use loyalty_contract::claims::{Claim, ClaimReason, ClaimState, NewClaim};
use loyalty_contract::list::PageQuery;
use loyalty_contract::rewards::Reason;
use loyalty_contract::{Instant, Money, Page, Points, Problem, ProblemCode};
use loyalty_rules::calendar::{add_days, day_of, start_of_day};
use sqlx::{AnyConnection, FromRow};

use super::App;
use super::answer::{accept_language, private};
use super::error::{Error, Result};
use super::extract::{Query, check_money, check_text};
use super::guesses::{self, Limit};
use super::idempotency::{Answer, Begun, Keyed, begin};
use super::page::{Listed, Paged};
use super::purchases::check_store;
use super::session::Session;
use crate::account::books::Books;
use crate::claims::{DAYS_OFF, first_day, take};
use crate::clock::{from_millis, millis};
use crate::db::Value;
use crate::members::from_day_number;
use crate::shop::Shop;
use crate::token;

/// How many receipts somebody can claim in a day that are not found as they say, or not yet.
const MISSES: Limit = Limit {
    most: 10,
    within: guesses::KEPT,
};

/// How far a till's clock may be ahead of this one.
const AT_MOST_AHEAD: TimeDelta = TimeDelta::minutes(5);

const COLUMNS: &str = "id, store, receipt, total_minor, bought_on, state, points, reason, created_at";

#[derive(FromRow)]
struct Row {
    id: String,
    store: String,
    receipt: String,
    total_minor: i64,
    bought_on: i64,
    state: String,
    points: Option<i64>,
    reason: Option<String>,
    created_at: i64,
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

impl Row {
    fn told(self, shop: &Shop) -> Claim {
        let state = ClaimState::ALL.into_iter().find(|state| state.as_str() == self.state);
        let reason = |name: String| ClaimReason::ALL.into_iter().find(|reason| reason.as_str() == name);
        Claim {
            claim_id: self.id,
            state: state.unwrap_or(ClaimState::Unknown),
            store: self.store,
            receipt: self.receipt,
            total: Money::new(self.total_minor, shop.file.currency),
            bought_on: from_day_number(self.bought_on),
            points: self.points.map(Points),
            reason: self.reason.map(|name| reason(name).unwrap_or(ClaimReason::Unknown)),
            created_at: from_millis(self.created_at),
        }
    }
}

/// Says that a purchase was the member's: it earns now, or once a till tells of it.
#[utoipa::path(post, path = "/me/claims", operation_id = "create_claim", tag = "me",
    security(("session" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters")),
    request_body = NewClaim,
    responses(
        (status = 201, body = Claim, description = "accepted, or waiting for a till to tell of it"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_claim(State(app): State<Arc<App>>, session: Session, request: Keyed<NewClaim>) -> Result<Response> {
    let shop = app.shop().await?;
    let new = &request.body;
    check_store(&shop, "/store", &new.store)?;
    check_text("/receipt", &new.receipt, 100)?;
    check_money(&shop, "/total", new.total)?;
    if new.total.minor == 0 {
        return Err(Error::field("/total/minor", "nothing earns nothing"));
    }
    let today = day_of(app.clock.now(), &shop.zone);
    let first = add_days(today, -i64::from(shop.file.return_window_days))?;
    if !(first..=today).contains(&new.bought_on) {
        return Err(Error::field("/bought_on", "this is not within the return window"));
    }
    match begin(&app, session.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let now = pending.now;
            let outcome = claim(&mut pending.tx, &shop, &session.member_id, new, now).await;
            let outcome = match outcome {
                // Counted in the very transaction, so that guesses at once are counted one by one.
                Ok(None) => Ok(request.refused(
                    ProblemCode::ClaimMismatch,
                    "no purchase that could be claimed is like that",
                )),
                Ok(Some(answer)) => Ok(answer),
                Err(error) => Err(error),
            };
            pending.finish(outcome).await
        }
    }
}

/// What came of a claim; `None` where there is a purchase of that number, and it cannot be theirs.
async fn claim(
    tx: &mut AnyConnection,
    shop: &Shop,
    member_id: &str,
    new: &NewClaim,
    now: Instant,
) -> Result<Option<Answer>> {
    let earliest = first_day(new.bought_on)?;
    let books = Books::open(tx, shop, member_id, Some(earliest), now).await?;
    let mut books = books.ok_or_else(Error::signed_out)?;
    let receipt = new.receipt.trim();
    let own: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from claims where member_id = $1 and store = $2 and receipt = $3"
    )))
    .bind(member_id)
    .bind(&new.store)
    .bind(receipt)
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(own) = own
        && own.state != ClaimState::Rejected.as_str()
        && (own.total_minor, from_day_number(own.bought_on)) == (new.total.minor, new.bought_on)
    {
        books.save(tx).await?;
        return Ok(Some(Answer::made(StatusCode::CREATED, None, &own.told(shop))?));
    }
    if books.is_paused() {
        let detail = "the membership is paused";
        let reasons = vec![Reason::MemberPaused];
        return Err(Error::because(ProblemCode::MemberPaused, detail, reasons));
    }
    let subject = format!("claim:{member_id}");
    MISSES.check(tx, &subject, now).await?;

    let today = day_of(now, &shop.zone);
    let window = add_days(today, -i64::from(shop.file.return_window_days))?;
    let from = start_of_day(earliest.max(window), &shop.zone)?;
    // What is bought later is nobody's to claim now.
    let until = start_of_day(add_days(new.bought_on, DAYS_OFF + 1)?, &shop.zone)?.min(now + AT_MOST_AHEAD);
    let found: Option<(String, Option<String>, i64, i64)> = sqlx::query_as(
        "select id, member_id, total_minor, occurred_at from purchases where store = $1 and external_id = $2",
    )
    .bind(&new.store)
    .bind(receipt)
    .fetch_optional(&mut *tx)
    .await?;
    let mut settled = None;
    match found {
        // Whoever claims what is yet to be told could try many a sum.
        None => guesses::count(tx, &subject, now).await?,
        Some((_, Some(owner), ..)) if owner == member_id => {
            let detail = "the purchase stands in the member's ledger already";
            return Err(Error::refuse(ProblemCode::AlreadyCounted, detail));
        }
        Some((id, None, total_minor, occurred_at))
            if total_minor == new.total.minor && (millis(from)..millis(until)).contains(&occurred_at) =>
        {
            settled = take(tx, shop, &mut books, &id).await?.map(|points| (id, points));
            if settled.is_none() {
                return missed(tx, books, &subject).await;
            }
        }
        Some(_) => return missed(tx, books, &subject).await,
    }
    let state = if settled.is_some() {
        ClaimState::Accepted
    } else {
        ClaimState::Waiting
    };
    let (purchase_id, points) = settled.unzip();
    let row: Row = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "insert into claims (id, member_id, store, receipt, total_minor, bought_on, bought_from, bought_until, state,
            points, purchase_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (member_id, store, receipt) do update set total_minor = excluded.total_minor,
            bought_on = excluded.bought_on, bought_from = excluded.bought_from, bought_until = excluded.bought_until,
            state = excluded.state, points = excluded.points, reason = null, purchase_id = excluded.purchase_id,
            created_at = excluded.created_at
         returning {COLUMNS}"
    )))
    .bind(token::id()?)
    .bind(member_id)
    .bind(&new.store)
    .bind(receipt)
    .bind(new.total.minor)
    .bind(i64::from(new.bought_on.to_epoch_days()))
    .bind(millis(from))
    .bind(millis(until))
    .bind(state.as_str())
    .bind(points.map(|points| points.0))
    .bind(purchase_id)
    .bind(millis(now))
    .fetch_one(&mut *tx)
    .await?;
    books.save(tx).await?;
    Ok(Some(Answer::made(StatusCode::CREATED, None, &row.told(shop))?))
}

async fn missed(tx: &mut AnyConnection, books: Books<'_>, subject: &str) -> Result<Option<Answer>> {
    guesses::count(tx, subject, books.now).await?;
    books.save(tx).await?;
    Ok(None)
}

/// The receipts that the member claimed.
#[utoipa::path(get, path = "/me/claims", operation_id = "list_claims", tag = "me",
    security(("session" = [])),
    params(PageQuery),
    responses(
        (status = 200, body = Page<Claim>, description = "newest first"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_claims(
    State(app): State<Arc<App>>,
    session: Session,
    Query(query): Query<PageQuery>,
    asked: HeaderMap,
) -> Result<Response> {
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    let mut page = Paged::new(query.limit, query.after.as_deref())?;
    page.only("member_id =", session.member_id.as_str());
    let select = format!("select {COLUMNS} from claims");
    let page = page.read(&app.db.pool, &select, |row: Row| Ok(row.told(&shop))).await?;
    private(&asked, language, &page)
}

/// All receipts that the member claimed, oldest first.
pub async fn claims_of(db: &mut AnyConnection, shop: &Shop, member_id: &str) -> Result<Vec<Claim>> {
    let statement = format!("select {COLUMNS} from claims where member_id = $1 order by created_at, id");
    // The text is made of this file's own words; the value is bound.
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(member_id)
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.told(shop)).collect())
}
