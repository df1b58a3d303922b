//! What a counter or a till does with vouchers and balances.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use loyalty_contract::counter::{Adjusted, NewAdjustment, StaffRole};
use loyalty_contract::ledger::EntryKind;
use loyalty_contract::programme::PointValue;
use loyalty_contract::redemptions::{Capture, Redemption, RedemptionState};
use loyalty_contract::rewards::Reason;
use loyalty_contract::status::Balance;
use loyalty_contract::{Instant, Money, Points, Problem, ProblemCode};
use loyalty_rules::Overflow;
use loyalty_rules::calendar::day_of;
use loyalty_rules::worth::{points_for, worth};
use sqlx::AnyConnection;

use super::App;
use super::caller::Counter;
use super::error::{Error, Result};
use super::extract::{Path, Query, check_money, check_text};
use super::idempotency::{Answer, Begun, Keyed, begin};
use super::purchases::{StoreQuery, check_store};
use super::redemptions::{Nothing, Row, answer, not_reserved, undo};
use crate::account::books::Books;
use crate::clock::{from_millis, millis};
use crate::events::Event;
use crate::keys::Scope;
use crate::programme_file::Texts;
use crate::shop::{Edition, Shop};
use crate::token;

/// So many codes that nobody has lock whoever typed them.
const MISSES: i64 = 20;
/// For how long a miss counts.
const MISSES_COUNT_FOR: TimeDelta = TimeDelta::minutes(10);
/// The most points that are given or taken at once, far below what sums of them can hold.
const MOST_POINTS: i64 = 1_000_000_000_000;

/// Uses a voucher at the till.
#[utoipa::path(post, path = "/counter/redemptions/{code}/capture", operation_id = "capture_redemption", tag = "till",
    security(("key" = []), ("counter" = [])),
    params(
        ("code" = String, Path, description = "the voucher's code, as it is read aloud"),
        StoreQuery,
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body = Capture,
    responses(
        (status = 200, body = Redemption, description = "used, in part where the basket was smaller"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn capture_redemption(
    State(app): State<Arc<App>>,
    caller: Counter,
    Path(code): Path<String>,
    Query(query): Query<StoreQuery>,
    request: Keyed<Capture>,
) -> Result<Response> {
    caller.check(Scope::Capture)?;
    let shop = app.shop().await?;
    if let Some(basket) = request.body.basket {
        check_money(&shop, "/basket", basket)?;
        if basket.minor == 0 {
            return Err(Error::field("/basket/minor", "there is nothing to pay"));
        }
    }
    if let Some(store) = &query.store {
        check_store(&shop, "store", store)?;
    }
    let store = caller.store(query.store.as_deref(), "store")?;
    check_misses(&app, &caller).await?;
    match begin(&app, caller.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let edition = shop.edition(request.accept_language.as_deref());
            let now = pending.now;
            let found = find(&mut pending.tx, token::read_voucher_code(&code)).await;
            let is_miss = matches!(&found, Ok(None));
            let outcome = match found {
                Ok(Some((id, member_id))) => {
                    let voucher = Voucher { id, member_id };
                    let basket = request.body.basket;
                    capture(&mut pending.tx, &shop, edition, &voucher, basket, &store, now).await
                }
                Ok(None) => Err(Error::not_found()),
                Err(error) => Err(error),
            };
            let response = pending.finish(outcome).await;
            if is_miss {
                count_miss(&app, &caller).await?;
            }
            response
        }
    }
}

/// A voucher, and whose it is.
struct Voucher {
    id: String,
    member_id: String,
}

async fn find(tx: &mut AnyConnection, code: Option<String>) -> Result<Option<(String, String)>> {
    let Some(code) = code else { return Ok(None) };
    Ok(sqlx::query_as("select id, member_id from redemptions where code = $1")
        .bind(code)
        .fetch_optional(tx)
        .await?)
}

async fn capture(
    tx: &mut AnyConnection,
    shop: &Shop,
    edition: &Edition,
    voucher: &Voucher,
    basket: Option<Money>,
    store: &str,
    now: Instant,
) -> Result<Answer> {
    let (mut books, row) = open(tx, shop, voucher, now).await?;
    if row.state != RedemptionState::Reserved.as_str() {
        return Err(not_reserved());
    }
    // A reward is one thing, whatever else is in the basket; money off takes no more than there is to pay.
    let whole = (Points(row.points), row.money_minor);
    let (points, minor) = match basket {
        Some(basket) if row.reward_id.is_none() && basket.minor < row.money_minor => {
            // Where points were worth more when they were spent, no more of them are used than for that.
            let then = PointValue {
                points: whole.0,
                money: Money::new(row.money_minor, shop.file.currency),
            };
            let (fewest_now, fewest_then) = (
                points_for(basket.minor, &shop.file.point_value)?,
                points_for(basket.minor, &then)?,
            );
            (fewest_now.min(fewest_then), basket.minor)
        }
        _ => whole,
    };
    sqlx::query(
        "update redemptions set state = 'captured', captured_at = $1, captured_points = $2, captured_minor = $3,
            store = $4, version = (select version from members where id = redemptions.member_id)
         where id = $5",
    )
    .bind(millis(now))
    .bind(points.0)
    .bind(minor)
    .bind(store)
    .bind(&voucher.id)
    .execute(&mut *tx)
    .await?;
    books.voucher_ended();
    books
        .bring_back(tx, EntryKind::Release, whole.0 - points, &voucher.id, now)
        .await?;
    let totals = &mut books.account.totals;
    totals.saved_minor = totals.saved_minor.checked_add(minor).ok_or(Overflow)?;
    let money = Money::new(minor, shop.file.currency);
    let reward = row.reward_id.as_deref();
    let event = Event::captured(now, &voucher.id, points, money, reward, store);
    books.account.events.push(event);
    books.save(tx).await?;
    answer(tx, shop, edition, &voucher.id, StatusCode::OK).await
}

/// Locks the member, then reads the voucher as it is now.
async fn open<'s>(tx: &mut AnyConnection, shop: &'s Shop, voucher: &Voucher, now: Instant) -> Result<(Books<'s>, Row)> {
    let books = Books::open(tx, shop, &voucher.member_id, None, now).await?;
    let row = Row::read(tx, &voucher.id).await?;
    books.zip(row).ok_or_else(Error::not_found)
}

/// Takes a used voucher back: what the till used of it is there again.
#[utoipa::path(post, path = "/counter/redemptions/{id}/refund", operation_id = "refund_redemption", tag = "till",
    security(("key" = []), ("counter" = [])),
    params(
        ("id" = String, Path, description = "the voucher"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, body = Redemption, description = "refunded"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn refund_redemption(
    State(app): State<Arc<App>>,
    caller: Counter,
    Path(id): Path<String>,
    request: Keyed<Nothing>,
) -> Result<Response> {
    caller.check(Scope::Refund)?;
    let shop = app.shop().await?;
    match begin(&app, caller.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let edition = shop.edition(request.accept_language.as_deref());
            let now = pending.now;
            let outcome = refund(&mut pending.tx, &shop, edition, &id, now).await;
            pending.finish(outcome).await
        }
    }
}

async fn refund(tx: &mut AnyConnection, shop: &Shop, edition: &Edition, id: &str, now: Instant) -> Result<Answer> {
    if !token::is_id(id) {
        return Err(Error::not_found());
    }
    let found: Option<(String,)> = sqlx::query_as("select member_id from redemptions where id = $1")
        .bind(id)
        .fetch_optional(&mut *tx)
        .await?;
    let (member_id,) = found.ok_or_else(Error::not_found)?;
    let voucher = Voucher {
        id: id.to_owned(),
        member_id,
    };
    let (mut books, row) = open(tx, shop, &voucher, now).await?;
    if row.state != RedemptionState::Captured.as_str() {
        let detail = "the voucher is not one that was used";
        return Err(Error::refuse(ProblemCode::RedemptionNotCaptured, detail));
    }
    let points = Points(row.captured_points.unwrap_or(row.points));
    undo(tx, &mut books, &row, EntryKind::Refund, points).await?;
    books.account.totals.saved_minor -= row.captured_minor.unwrap_or(row.money_minor);
    books.save(tx).await?;
    answer(tx, shop, edition, id, StatusCode::OK).await
}

/// Gives points or takes them: a correction, which the member sees with its reason.
#[utoipa::path(post, path = "/counter/adjustments", operation_id = "create_adjustment", tag = "counter",
    security(("counter" = []), ("key" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters")),
    request_body = NewAdjustment,
    responses(
        (status = 201, body = Adjusted, description = "booked, and written into the audit"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_adjustment(
    State(app): State<Arc<App>>,
    caller: Counter,
    request: Keyed<NewAdjustment>,
) -> Result<Response> {
    caller.check(Scope::Adjust)?;
    let shop = app.shop().await?;
    let new = &request.body;
    check_text("/member", &new.member, 32)?;
    check_text("/reason", &new.reason, 300)?;
    if new.points == Points::ZERO || !(-MOST_POINTS..=MOST_POINTS).contains(&new.points.0) {
        return Err(Error::field(
            "/points",
            "this is nothing, or more than can be reckoned with",
        ));
    }
    match begin(&app, caller.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let outcome = adjust(&mut pending.tx, &shop, &caller, new, pending.now).await;
            pending.finish(outcome).await
        }
    }
}

async fn adjust(
    tx: &mut AnyConnection,
    shop: &Shop,
    caller: &Counter,
    new: &NewAdjustment,
    now: Instant,
) -> Result<Answer> {
    let forbidden = |detail: &str| Error::refuse(ProblemCode::Forbidden, detail);
    let books = Books::open_by_number(tx, shop, &new.member, None, now).await?;
    let mut books = books.ok_or_else(Error::not_found)?;
    let member_id = books.member_id.clone();
    let role = match caller {
        Counter::Staff(staff) if staff.member_id.as_deref() == Some(member_id.as_str()) => {
            return Err(forbidden("nobody adjusts their own account"));
        }
        Counter::Staff(staff) => staff.role,
        Counter::Key(_) => StaffRole::Manager,
    };
    count_day(tx, shop, caller, role, new.points, now).await?;

    let available = books.account.available(now)?;
    let missing = Points(-(available.0.saturating_add(new.points.0)));
    if role == StaffRole::Clerk && new.points < Points::ZERO && missing > Points::ZERO {
        let reason = Reason::InsufficientBalance {
            required: -new.points,
            available,
            missing,
        };
        let detail = "only a manager takes more than there is";
        return Err(Error::because(ProblemCode::InsufficientBalance, detail, vec![reason]));
    }
    // The member reads it in the language that it was written in, whichever theirs is.
    let reason: Texts = [(shop.file.languages[0].clone(), new.reason.clone())].into();
    let entry_id = books
        .account
        .adjust(new.points, Some(serde_json::to_string(&reason)?), now)?;
    let account = &books.account;
    let available = account.available(now)?;
    let answer = Adjusted {
        entry_id: entry_id.clone(),
        points: new.points,
        balance_after: Balance {
            available,
            pending: account.pending(now)?,
            worth: worth(available, &shop.file.point_value)?,
        },
    };
    books.save(tx).await?;
    audit(
        tx,
        caller,
        "adjust",
        Some(&member_id),
        &format!("{} points, entry {entry_id}", new.points.0),
        now,
    )
    .await?;
    Answer::made(StatusCode::CREATED, None, &answer)
}

/// Counts what is given and taken towards the caller's limit for the day, which locks their count.
async fn count_day(
    tx: &mut AnyConnection,
    shop: &Shop,
    caller: &Counter,
    role: StaffRole,
    points: Points,
    now: Instant,
) -> Result<()> {
    let limits = shop.file.adjustment_limits;
    let limit = match role {
        StaffRole::Clerk => limits.clerk,
        StaffRole::Manager => limits.manager,
    };
    let (counted,): (i64,) = sqlx::query_as(
        "insert into adjustment_days (actor, day, points) values ($1, $2, $3)
         on conflict (actor, day) do update set points = adjustment_days.points + excluded.points returning points",
    )
    .bind(caller.scope())
    .bind(i64::from(day_of(now, &shop.zone).to_epoch_days()))
    .bind(points.0.saturating_abs())
    .fetch_one(tx)
    .await?;
    if counted <= limit.0 {
        return Ok(());
    }
    let detail = format!("{} points a day can be given or taken in this role", limit.0);
    Err(Error::refuse(ProblemCode::LimitExceeded, detail))
}

/// Writes down who did what to whom; to nobody, where they looked for somebody who is not there.
///
/// # Errors
/// Where the database does not answer.
pub async fn audit(
    tx: &mut AnyConnection,
    caller: &Counter,
    action: &str,
    member_id: Option<&str>,
    detail: &str,
    now: Instant,
) -> Result<()> {
    sqlx::query("insert into audit (id, at, actor, action, member_id, detail) values ($1, $2, $3, $4, $5, $6)")
        .bind(token::id()?)
        .bind(millis(now))
        .bind(caller.scope())
        .bind(action)
        .bind(member_id)
        .bind(detail)
        .execute(tx)
        .await?;
    Ok(())
}

/// Refuses whoever has typed too many codes that nobody has.
async fn check_misses(app: &App, caller: &Counter) -> Result<()> {
    let now = app.clock.now();
    let since = now - MISSES_COUNT_FOR;
    let (misses, first): (i64, Option<i64>) =
        sqlx::query_as("select count(*), min(at) from wrong_guesses where subject = $1 and at > $2")
            .bind(miss_subject(caller))
            .bind(millis(since))
            .fetch_one(&app.db.pool)
            .await?;
    if misses < MISSES {
        return Ok(());
    }
    let wait = first.map_or(MISSES_COUNT_FOR, |first| from_millis(first) - since);
    let seconds = u32::try_from(wait.num_seconds()).unwrap_or_default().max(1);
    let detail = "too many codes that nobody has";
    Err(Error::wait(ProblemCode::TooManyAttempts, detail, seconds))
}

async fn count_miss(app: &App, caller: &Counter) -> Result<()> {
    let mut tx = app.db.begin_write().await?;
    sqlx::query("insert into wrong_guesses (id, subject, at) values ($1, $2, $3)")
        .bind(token::id()?)
        .bind(miss_subject(caller))
        .bind(millis(app.clock.now()))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// A staff member's session, or a key: what a lock holds for.
fn miss_subject(caller: &Counter) -> String {
    format!("code:{}", caller.place())
}
