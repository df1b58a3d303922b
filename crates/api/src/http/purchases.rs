//! What a till tells: purchases and their returns.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{NaiveDate, TimeDelta};
use loyalty_contract::purchases::{
    NewPurchase, NewReturn, PurchaseMember, PurchaseRecorded, ReturnRecorded, ReturnedLine,
};
use loyalty_contract::status::MemberState;
use loyalty_contract::{Instant, Money, Points, Problem, ProblemCode};
use loyalty_rules::calendar::day_of;
use loyalty_rules::returns::{amount_of_lines, line_value};
use serde::Deserialize;
use sqlx::{AnyConnection, Connection};

use super::App;
use super::caller::Counter;
use super::error::{Error, Result};
use super::extract::{Path, Query, check_money, check_text};
use super::idempotency::{Answer, Begun, Keyed, begin};
use super::identify::{Clue, check_refusals, count_refusal, find_member, use_visit};
use crate::account::books::{Books, RETURN_COLUMNS, Receipt, return_row};
use crate::account::{Return, Sale};
use crate::clock::from_millis;
use crate::db::{Value, insert_rows};
use crate::keys::Scope;
use crate::shop::Shop;
use crate::token;

/// How old a purchase may be when a till tells it; older ones come by import.
const AT_MOST_AGO: TimeDelta = TimeDelta::days(7);
/// How far a till's clock may be ahead.
const AT_MOST_AHEAD: TimeDelta = TimeDelta::minutes(5);
/// The most lines that a receipt can have, far above any that 64 KiB hold.
const MOST_LINES: usize = 1000;

/// Which store a caller speaks for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StoreQuery {
    /// The store's id, where the caller may speak for more than one.
    #[serde(default)]
    pub store: Option<String>,
}

/// Records a purchase, and what it earns.
#[utoipa::path(post, path = "/purchases", operation_id = "create_purchase", tag = "till",
    security(("key" = []), ("counter" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters")),
    request_body = NewPurchase,
    responses(
        (status = 201, body = PurchaseRecorded, description = "recorded; the same again is the same answer"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_purchase(
    State(app): State<Arc<App>>,
    caller: Counter,
    request: Keyed<NewPurchase>,
) -> Result<Response> {
    caller.check(Scope::Purchases)?;
    let shop = app.shop().await?;
    let new = &request.body;
    check_purchase(&shop, new)?;
    caller.store(Some(&new.store), "/store")?;
    if new.member.is_some() {
        // Whoever can name any member by number could give points to anybody: a till's key says that it may.
        match &caller {
            Counter::Staff(_) => {
                let detail = "a bare number needs a key with the scope \"number\"";
                return Err(Error::refuse(ProblemCode::Forbidden, detail));
            }
            Counter::Key(_) => caller.check(Scope::Number)?,
        }
    }
    let shown = new.member_code.as_deref();
    let shown = shown.map(|code| Clue::shown("/member_code", code)).transpose()?;
    match begin(&app, caller.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let now = pending.now;
            let outcome = record(&mut pending.tx, &app, &shop, &caller, new, shown.as_ref(), now).await;
            let is_refused =
                matches!(&outcome, Err(Error::Refused(refusal)) if refusal.code == ProblemCode::MemberCodeRefused);
            let response = pending.finish(outcome).await;
            if let Some(shown) = shown.filter(|_| is_refused) {
                let mut tx = app.db.begin_write().await?;
                count_refusal(&mut tx, &caller, &shown, now).await?;
                tx.commit().await?;
            }
            response
        }
    }
}

/// What identifies everything that a till said of a purchase.
///
/// # Errors
/// [`Error`] where it cannot be written.
pub fn fingerprint(new: &NewPurchase) -> Result<String> {
    Ok(token::hash(serde_json::to_string(new)?))
}

/// Whom the code or the visit of a purchase names, locked: it is used up by it.
///
/// Unlike a number that nobody has, one that names nobody is refused: the member is there, and can show the next.
async fn named(
    tx: &mut AnyConnection,
    app: &App,
    caller: &Counter,
    new: &NewPurchase,
    shown: Option<&Clue>,
    now: Instant,
) -> Result<Option<String>> {
    let found = match (shown, &new.visit) {
        (Some(shown), _) => {
            let found = find_member(tx, app, shown, now).await?;
            check_refusals(tx, caller, shown, now).await?;
            found
        }
        (None, Some(visit)) => use_visit(tx, caller, visit, now).await?,
        (None, None) => return Ok(None),
    };
    found.map(Some).ok_or_else(|| {
        let detail = "the code or the visit is unknown, wrong, too old or used: nothing is recorded";
        Error::refuse(ProblemCode::MemberCodeRefused, detail)
    })
}

async fn record(
    tx: &mut AnyConnection,
    app: &App,
    shop: &Shop,
    caller: &Counter,
    new: &NewPurchase,
    shown: Option<&Clue>,
    now: Instant,
) -> Result<Answer> {
    let id = token::id()?;
    let fingerprint = fingerprint(new)?;
    let receipt = Receipt {
        id: &id,
        store: &new.store,
        external_id: &new.external_id,
        total_minor: new.total.minor,
        occurred_at: new.occurred_at,
        member_number: new.member.as_deref(),
        fingerprint: &fingerprint,
    };
    if !receipt.take(tx, shop).await? {
        return recorded_before(tx, new, &fingerprint).await;
    }
    // Not before, since a till that never got the answer may ask for it at any time.
    if new.occurred_at < now - AT_MOST_AGO || now + AT_MOST_AHEAD < new.occurred_at {
        let detail = "a purchase is told within 7 days, and not before it happened";
        return Err(Error::field("/occurred_at", detail));
    }
    let rows = (0_i64..)
        .zip(&new.lines)
        .map(|(position, line)| {
            vec![
                id.as_str().into(),
                position.into(),
                line.sku.as_str().into(),
                line.category.clone().into(),
                i64::from(line.quantity).into(),
                line.total.minor.into(),
                Value::Int(Some(0)),
            ]
        })
        .collect();
    let columns = [
        "purchase_id",
        "position",
        "sku",
        "category",
        "quantity",
        "total_minor",
        "returned",
    ];
    insert_rows(tx, "purchase_lines", &columns, rows).await?;

    let mut answer = PurchaseRecorded {
        points: Points::ZERO,
        available_at: None,
        member_state: PurchaseMember::Anonymous,
    };
    let day = day_of(new.occurred_at, &shop.zone);
    let mut books = None;
    if let Some(member_id) = named(tx, app, caller, new, shown, now).await? {
        books = Books::open(tx, shop, &member_id, Some(day), now).await?;
    } else if let Some(number) = &new.member {
        answer.member_state = PurchaseMember::Unknown;
        books = Books::open_by_number(tx, shop, number, Some(day), now).await?;
        if books.is_none() {
            // Of somebody who left not even the till's word is kept.
            sqlx::query(
                "update purchases set member_number = null
                 where id = $1 and member_number in (select number from former_numbers)",
            )
            .bind(&id)
            .execute(&mut *tx)
            .await?;
        }
    }
    if let Some(books) = &mut books {
        answer.member_state = match books.state {
            MemberState::Paused => PurchaseMember::Paused,
            MemberState::Managed => PurchaseMember::Managed,
            MemberState::Active | MemberState::Unknown => PurchaseMember::Active,
        };
        if !books.is_paused() {
            let sale = Sale {
                id: id.clone(),
                store: &new.store,
                external_id: &new.external_id,
                total_minor: new.total.minor,
                occurred_at: new.occurred_at,
            };
            answer.available_at = books.account.earn(sale, now)?;
        }
    }
    let earned = books.as_ref().and_then(|books| books.account.purchases.get(&id));
    answer.points = earned.map_or(Points::ZERO, |purchase| purchase.points);
    let member_id = books.as_ref().map(|books| books.member_id.as_str());
    let body = serde_json::to_string(&answer)?;
    receipt.settle(tx, member_id, earned, &body).await?;
    if let Some(books) = books {
        books.save(tx).await?;
    }
    Ok(Answer::again(StatusCode::CREATED, body))
}

/// The store has a purchase of that number: the same one, or another.
async fn recorded_before(tx: &mut AnyConnection, new: &NewPurchase, fingerprint: &str) -> Result<Answer> {
    let (first, answer): (Option<String>, Option<String>) =
        sqlx::query_as("select fingerprint, answer from purchases where store = $1 and external_id = $2")
            .bind(&new.store)
            .bind(&new.external_id)
            .fetch_one(tx)
            .await?;
    match answer {
        Some(answer) if first.as_deref() == Some(fingerprint) => Ok(Answer::again(StatusCode::CREATED, answer)),
        _ => Err(Error::refuse(
            ProblemCode::PurchaseConflict,
            "the store has another purchase of that number",
        )),
    }
}

fn check_purchase(shop: &Shop, new: &NewPurchase) -> Result<()> {
    check_text("/external_id", &new.external_id, 100)?;
    check_store(shop, "/store", &new.store)?;
    check_money(shop, "/total", new.total)?;
    if let Some(member) = &new.member {
        check_text("/member", member, 32)?;
    }
    let named = [&new.member, &new.member_code, &new.visit];
    if named.into_iter().flatten().count() > 1 {
        let detail = "say either a member, a member_code or a visit";
        return Err(Error::field("/member", detail));
    }
    if new.lines.len() > MOST_LINES {
        return Err(Error::field(
            "/lines",
            format!("a receipt has {MOST_LINES} lines at most"),
        ));
    }
    for (index, line) in new.lines.iter().enumerate() {
        check_text(&format!("/lines/{index}/sku"), &line.sku, 100)?;
        if let Some(category) = &line.category {
            check_text(&format!("/lines/{index}/category"), category, 100)?;
        }
        if line.quantity == 0 {
            return Err(Error::field(
                format!("/lines/{index}/quantity"),
                "a line has one piece at least",
            ));
        }
        check_money(shop, &format!("/lines/{index}/total"), line.total)?;
    }
    Ok(())
}

/// Refuses a store that the programme does not have.
///
/// # Errors
/// 422.
pub fn check_store(shop: &Shop, pointer: &str, id: &str) -> Result<()> {
    if shop.file.stores.iter().any(|store| store.id == id) {
        Ok(())
    } else {
        Err(Error::field(pointer, "this is no store of the programme"))
    }
}

/// Records that goods came back, and takes back what they had earned.
#[utoipa::path(post, path = "/purchases/{external_id}/returns", operation_id = "create_return", tag = "till",
    security(("key" = []), ("counter" = [])),
    params(
        ("external_id" = String, Path, description = "the till's number for the purchase"),
        StoreQuery,
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body = NewReturn,
    responses(
        (status = 201, body = ReturnRecorded, description = "recorded; the same again is the same answer"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_return(
    State(app): State<Arc<App>>,
    caller: Counter,
    Path(external_id): Path<String>,
    Query(query): Query<StoreQuery>,
    request: Keyed<NewReturn>,
) -> Result<Response> {
    caller.check(Scope::Returns)?;
    let shop = app.shop().await?;
    let new = &request.body;
    check_text("/external_id", &new.external_id, 100)?;
    match (new.amount, new.lines.as_slice()) {
        (Some(amount), []) => {
            check_money(&shop, "/amount", amount)?;
            if amount.minor == 0 {
                return Err(Error::field("/amount/minor", "something comes back"));
            }
        }
        (None, [_, ..]) => {}
        _ => return Err(Error::field("/amount", "say either an amount or lines")),
    }
    for (index, line) in new.lines.iter().enumerate() {
        check_text(&format!("/lines/{index}/sku"), &line.sku, 100)?;
        if line.quantity == 0 {
            return Err(Error::field(
                format!("/lines/{index}/quantity"),
                "one piece at least comes back",
            ));
        }
    }
    if let Some(store) = &query.store {
        // It may be one that the programme has no more.
        check_text("store", store, 100)?;
    }
    let store = caller.store(query.store.as_deref(), "store")?;
    match begin(&app, caller.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let outcome = take_back(&mut pending.tx, &shop, &store, &external_id, new, pending.now).await;
            pending.finish(outcome).await
        }
    }
}

/// A purchase that something of is to come back, as it is once it is locked.
struct Bought {
    id: String,
    member_id: Option<String>,
    store: String,
    total_minor: i64,
    returned_minor: i64,
}

async fn take_back(
    tx: &mut AnyConnection,
    shop: &Shop,
    store: &str,
    external_id: &str,
    new: &NewReturn,
    now: Instant,
) -> Result<Answer> {
    if check_text("external_id", external_id, 100).is_err() {
        return Err(Error::not_found());
    }
    let found: Option<(String, Option<String>, i64)> =
        sqlx::query_as("select id, member_id, occurred_at from purchases where store = $1 and external_id = $2")
            .bind(store)
            .bind(external_id)
            .fetch_optional(&mut *tx)
            .await?;
    let (purchase_id, member_id, occurred_at) = found.ok_or_else(Error::not_found)?;
    let day = day_of(from_millis(occurred_at), &shop.zone);
    let (mut books, bought) = lock_with_member(tx, shop, &purchase_id, member_id, day, now).await?;

    let fingerprint = token::hash(serde_json::to_string(new)?);
    let before: Option<(Option<String>, Option<String>)> =
        sqlx::query_as("select fingerprint, answer from returns where purchase_id = $1 and external_id = $2")
            .bind(&bought.id)
            .bind(&new.external_id)
            .fetch_optional(&mut *tx)
            .await?;
    if let Some((first, answer)) = before {
        let answer = answer.filter(|_| first.as_deref() == Some(&fingerprint));
        let answer = answer.ok_or_else(|| {
            let detail = "the purchase has another return of that number";
            Error::refuse(ProblemCode::PurchaseConflict, detail)
        })?;
        if let Some(books) = books {
            books.save(tx).await?;
        }
        return Ok(Answer::again(StatusCode::CREATED, answer));
    }

    let amount_minor = match new.amount {
        Some(amount) => amount.minor,
        None => take_lines(tx, &bought, &new.lines).await?,
    };
    let exceeds = || {
        let detail = "more would be returned than was bought";
        Error::refuse(ProblemCode::ReturnExceedsPurchase, detail)
    };
    let returned_minor = bought.returned_minor.checked_add(amount_minor).ok_or_else(exceeds)?;
    if returned_minor > bought.total_minor {
        return Err(exceeds());
    }
    let (return_id, points) = match &mut books {
        Some(books) => {
            books.read_purchase(tx, &bought.id).await?;
            let id = books
                .account
                .take_back(&bought.id, &new.external_id, amount_minor, None, now)?;
            let points = books
                .account
                .returns
                .last()
                .map_or(Points::ZERO, |returned| returned.points);
            (id, points)
        }
        None => (
            give_money_back(tx, &bought, new, amount_minor, now).await?,
            Points::ZERO,
        ),
    };
    if let Some(books) = books {
        books.save(tx).await?;
    }
    let answer = ReturnRecorded {
        amount: Money::new(amount_minor, shop.file.currency),
        points,
        returned: Money::new(returned_minor, shop.file.currency),
    };
    let body = serde_json::to_string(&answer)?;
    sqlx::query("update returns set fingerprint = $1, answer = $2 where id = $3")
        .bind(fingerprint)
        .bind(&body)
        .bind(return_id)
        .execute(tx)
        .await?;
    Ok(Answer::again(StatusCode::CREATED, body))
}

/// Locks a purchase. The lock of its member comes first, as everywhere; one of nobody's is locked itself.
async fn lock_with_member<'s>(
    tx: &mut AnyConnection,
    shop: &'s Shop,
    purchase_id: &str,
    mut member_id: Option<String>,
    day: NaiveDate,
    now: Instant,
) -> Result<(Option<Books<'s>>, Bought)> {
    loop {
        if let Some(member_id) = &member_id {
            let books = Books::open(tx, shop, member_id, Some(day), now).await?;
            return Ok((books, lock(tx, purchase_id).await?));
        }
        let mut attempt = tx.begin().await?;
        let bought = lock(&mut attempt, purchase_id).await?;
        if bought.member_id.is_none() {
            attempt.commit().await?;
            return Ok((None, bought));
        }
        // Somebody has claimed it meanwhile.
        attempt.rollback().await?;
        member_id = bought.member_id;
    }
}

async fn lock(tx: &mut AnyConnection, purchase_id: &str) -> Result<Bought> {
    let (member_id, store, total_minor, returned_minor): (Option<String>, String, i64, i64) = sqlx::query_as(
        "update purchases set returned_minor = returned_minor where id = $1
         returning member_id, store, total_minor, returned_minor",
    )
    .bind(purchase_id)
    .fetch_one(tx)
    .await?;
    Ok(Bought {
        id: purchase_id.to_owned(),
        member_id,
        store,
        total_minor,
        returned_minor,
    })
}

/// A return of a purchase that earned nobody anything.
async fn give_money_back(
    tx: &mut AnyConnection,
    bought: &Bought,
    new: &NewReturn,
    amount_minor: i64,
    now: Instant,
) -> Result<String> {
    let returned = Return {
        id: token::id()?,
        purchase_id: bought.id.clone(),
        external_id: new.external_id.clone(),
        store: bought.store.clone(),
        occurred_at: now,
        amount_minor,
        points: Points::ZERO,
    };
    insert_rows(tx, "returns", &RETURN_COLUMNS, vec![return_row(&returned)]).await?;
    sqlx::query("update purchases set returned_minor = returned_minor + $1 where id = $2")
        .bind(amount_minor)
        .bind(&bought.id)
        .execute(tx)
        .await?;
    Ok(returned.id)
}

/// Marks pieces as returned, and gives what was paid for them.
async fn take_lines(tx: &mut AnyConnection, bought: &Bought, lines: &[ReturnedLine]) -> Result<i64> {
    let rows: Vec<(i64, String, i64, i64, i64)> = sqlx::query_as(
        "select position, sku, quantity, total_minor, returned from purchase_lines
         where purchase_id = $1 order by position",
    )
    .bind(&bought.id)
    .fetch_all(&mut *tx)
    .await?;
    let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        if !rows.iter().any(|(_, sku, ..)| *sku == line.sku) {
            let pointer = format!("/lines/{index}/sku");
            return Err(Error::field(pointer, "the purchase has no such line"));
        }
        *wanted.entry(&line.sku).or_default() += i64::from(line.quantity);
    }
    let (mut sum, mut before, mut after) = (0, 0, 0);
    for (position, sku, quantity, total_minor, returned) in &rows {
        let left = wanted.get_mut(sku.as_str());
        let taken = left.map_or(0, |left| {
            let taken = (*left).min(quantity - returned);
            *left -= taken;
            taken
        });
        sum += total_minor;
        before += line_value(*total_minor, *quantity, *returned)?;
        after += line_value(*total_minor, *quantity, returned + taken)?;
        if taken > 0 {
            sqlx::query("update purchase_lines set returned = returned + $1 where purchase_id = $2 and position = $3")
                .bind(taken)
                .bind(&bought.id)
                .bind(position)
                .execute(&mut *tx)
                .await?;
        }
    }
    if wanted.values().any(|&left| left > 0) {
        let detail = "more pieces would be returned than were bought";
        return Err(Error::refuse(ProblemCode::ReturnExceedsPurchase, detail));
    }
    Ok(amount_of_lines(bought.total_minor, sum, before, after)?)
}
