//! Points that are turned into a voucher by the member, and given back while it is unused.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use loyalty_contract::ledger::EntryKind;
use loyalty_contract::redemptions::{
    Captured, NewRedemption, RedeemedReward, Redemption, RedemptionQuery, RedemptionState,
};
use loyalty_contract::rewards::{Availability, Reason, Reward};
use loyalty_contract::{Instant, Money, Page, Points, Problem, ProblemCode};
use loyalty_rules::availability::{Holder, availability};
use serde::Deserialize;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::App;
use super::answer::{accept_language, private};
use super::error::{Error, Result};
use super::extract::{Path, Query};
use super::idempotency::{Answer, Begun, Keyed, begin};
use super::page::{Listed, Paged};
use super::session::Session;
use crate::account::books::{Books, PART_COLUMNS, part_rows, put_back};
use crate::clock::{from_millis, millis};
use crate::db::{Value, insert_rows};
use crate::members::tier_id;
use crate::programme_file::{RewardFile, Texts};
use crate::shop::{Edition, Shop};
use crate::token;

/// How often another code is tried where one is taken; with 32^8 codes even a second time is hardly ever needed.
const CODE_TRIES: usize = 5;

const REDEMPTIONS: &str = "
select r.id, r.member_id, r.state, r.code, r.points, r.money_minor, r.reward_id, r.title, r.created_at, r.valid_until,
    r.conditions, r.captured_at, r.captured_points, r.captured_minor, r.store, r.ended_at, w.document
from redemptions r left join rewards w on w.id = r.reward_id";

/// A voucher as the database has it.
#[derive(FromRow)]
pub struct Row {
    /// Opaque.
    pub id: String,
    /// Whose.
    pub member_id: String,
    /// What became of it.
    pub state: String,
    code: String,
    /// What it cost.
    pub points: i64,
    /// What it takes off, or what its points are worth.
    pub money_minor: i64,
    /// For which reward.
    pub reward_id: Option<String>,
    title: Option<String>,
    created_at: i64,
    valid_until: i64,
    conditions: String,
    captured_at: Option<i64>,
    /// What the till used.
    pub captured_points: Option<i64>,
    /// What that took off.
    pub captured_minor: Option<i64>,
    store: Option<String>,
    ended_at: Option<i64>,
    document: Option<String>,
}

impl Listed for Row {
    const PLACE: [&'static str; 2] = ["r.created_at", "r.id"];

    fn place(&self) -> (i64, String) {
        (self.created_at, self.id.clone())
    }

    fn own(text: &str) -> Option<Value> {
        token::is_id(text).then(|| text.into())
    }
}

impl Row {
    /// Reads a voucher.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer.
    pub async fn read(db: &mut AnyConnection, id: &str) -> Result<Option<Self>> {
        let statement = format!("{REDEMPTIONS}\nwhere r.id = $1");
        Ok(sqlx::query_as(AssertSqlSafe(statement))
            .bind(id)
            .fetch_optional(db)
            .await?)
    }

    /// In the words of a language.
    ///
    /// # Errors
    /// [`Error`] where a stored document cannot be read.
    pub fn worded(self, shop: &Shop, language: &str) -> Result<Redemption> {
        let money = |minor| Money::new(minor, shop.file.currency);
        let reward = match (self.reward_id, self.title) {
            (Some(id), Some(title)) => {
                let title: Texts = serde_json::from_str(&title)?;
                let file: Option<RewardFile> = self.document.as_deref().map(serde_json::from_str).transpose()?;
                Some(RedeemedReward {
                    id,
                    title: shop.text(&title, language),
                    kind: file
                        .as_ref()
                        .map_or(loyalty_contract::rewards::RewardKind::Other, |file| file.kind),
                    image_url: file.and_then(|file| file.picture),
                })
            }
            _ => None,
        };
        let captured = self.captured_at.map(|at| Captured {
            at: from_millis(at),
            points: Points(self.captured_points.unwrap_or_default()),
            money: money(self.captured_minor.unwrap_or_default()),
            store: self.store,
        });
        Ok(Redemption {
            state: state_of(&self.state),
            id: self.id,
            code: self.code,
            points: Points(self.points),
            money: money(self.money_minor),
            reward,
            created_at: from_millis(self.created_at),
            valid_until: from_millis(self.valid_until),
            conditions: serde_json::from_str(&self.conditions)?,
            captured,
            ended_at: self.ended_at.map(from_millis),
        })
    }
}

fn state_of(name: &str) -> RedemptionState {
    let found = RedemptionState::ALL.into_iter().find(|state| state.as_str() == name);
    found.unwrap_or(RedemptionState::Unknown)
}

/// Does what a quote said: the points leave the balance, and there is a voucher.
#[utoipa::path(post, path = "/redemptions", operation_id = "create_redemption", tag = "redemptions",
    security(("session" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters")),
    request_body = NewRedemption,
    responses(
        (status = 201, body = Redemption, description = "reserved: it can be used, and given back"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_redemption(
    State(app): State<Arc<App>>,
    session: Session,
    request: Keyed<NewRedemption>,
) -> Result<Response> {
    let shop = app.shop().await?;
    match begin(&app, session.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let edition = shop.edition(request.accept_language.as_deref());
            let now = pending.now;
            let outcome = reserve(&mut pending.tx, &shop, edition, &session.member_id, &request.body, now).await;
            pending.finish(outcome).await
        }
    }
}

/// What a quote pinned.
#[derive(FromRow)]
struct Quoted {
    intent: String,
    reward_id: Option<String>,
    points: i64,
    money_minor: i64,
    conditions: String,
}

async fn reserve(
    tx: &mut AnyConnection,
    shop: &Shop,
    edition: &Edition,
    member_id: &str,
    new: &NewRedemption,
    now: Instant,
) -> Result<Answer> {
    let books = Books::open(tx, shop, member_id, None, now).await?;
    let mut books = books.ok_or_else(Error::signed_out)?;
    if books.is_paused() {
        let detail = "the membership is paused";
        return Err(Error::because(
            ProblemCode::MemberPaused,
            detail,
            vec![Reason::MemberPaused],
        ));
    }
    let quoted = use_quote(tx, member_id, &new.quote_id, now).await?;
    let reward = match (quoted.intent.as_str(), &quoted.reward_id) {
        ("spend", _) => None,
        ("reward", Some(id)) => Some(take_reward(tx, shop, edition, &books, id, Points(quoted.points)).await?),
        _ => {
            let detail = "only a quote about spending can be redeemed";
            return Err(Error::refuse(ProblemCode::QuoteNotRedeemable, detail));
        }
    };
    let minutes = reward
        .and_then(|reward| reward.voucher_valid_minutes)
        .unwrap_or(shop.file.voucher_valid_minutes);
    let valid_until = now + TimeDelta::minutes(i64::from(minutes));
    let id = token::id()?;
    let title = reward.map(|reward| serde_json::to_string(&reward.title)).transpose()?;
    insert(tx, &id, member_id, title, &new.quote_id, &quoted, now, valid_until).await?;
    let parts = books.account.spend(Points(quoted.points), &id, now)?;
    books.voucher_made(valid_until);
    books.save(tx).await?;
    insert_rows(tx, "redemption_lots", &PART_COLUMNS, part_rows(&id, &parts)).await?;
    answer(tx, shop, edition, &id, StatusCode::CREATED).await
}

async fn use_quote(tx: &mut AnyConnection, member_id: &str, quote_id: &str, now: Instant) -> Result<Quoted> {
    if !token::is_id(quote_id) {
        return Err(Error::not_found());
    }
    let quoted: Option<Quoted> = sqlx::query_as(
        "update quotes set used_at = $1
         where id = $2 and member_id = $3 and used_at is null and expires_at > $1
         returning intent, reward_id, points, money_minor, conditions",
    )
    .bind(millis(now))
    .bind(quote_id)
    .bind(member_id)
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(quoted) = quoted {
        return Ok(quoted);
    }
    let used: Option<(Option<i64>,)> = sqlx::query_as("select used_at from quotes where id = $1 and member_id = $2")
        .bind(quote_id)
        .bind(member_id)
        .fetch_optional(tx)
        .await?;
    Err(match used {
        None => Error::not_found(),
        Some((Some(_),)) => Error::refuse(ProblemCode::QuoteUsed, "the quote was redeemed already"),
        Some((None,)) => Error::refuse(ProblemCode::QuoteExpired, "the quote's five minutes are over"),
    })
}

/// Takes one piece of a reward, if this member can have it at the price that they were shown.
async fn take_reward<'s>(
    tx: &mut AnyConnection,
    shop: &'s Shop,
    edition: &Edition,
    books: &Books<'_>,
    id: &str,
    cost: Points,
) -> Result<&'s RewardFile> {
    let gone = |reasons| Error::because(ProblemCode::RewardNotAvailable, "the reward cannot be had now", reasons);
    let file = shop.file.rewards.iter().find(|reward| reward.id == id);
    let reward = edition.rewards.iter().find(|reward| reward.id == id);
    let (Some(file), Some(reward)) = (file, reward) else {
        return Err(gone(vec![Reason::Ended]));
    };
    // Of two at once the second waits here, and finds what the first left.
    let left: Option<(Option<i64>,)> =
        sqlx::query_as("update rewards set stock = stock - 1 where id = $1 and stock > 0 returning stock")
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
    let stock_left = match left {
        Some((stock,)) => stock.map(|left| left + 1),
        None => {
            let (stock,): (Option<i64>,) = sqlx::query_as("select stock from rewards where id = $1")
                .bind(id)
                .fetch_one(&mut *tx)
                .await?;
            stock
        }
    };
    let (had,): (i64,) = sqlx::query_as(
        "select count(*) from redemptions
         where member_id = $1 and reward_id = $2 and state in ('reserved', 'captured')",
    )
    .bind(&books.member_id)
    .bind(id)
    .fetch_one(tx)
    .await?;
    let had = u32::try_from(had).unwrap_or(u32::MAX);
    let reward = Reward {
        cost_points: cost,
        stock_left: stock_left.map(|left| u32::try_from(left).unwrap_or_default()),
        per_member_left: file.per_member.map(|most| most.saturating_sub(had)),
        ..reward.clone()
    };
    let standing = books.standing()?;
    let holder = Holder {
        available: books.account.available(books.now)?,
        tier: tier_id(shop, standing),
        state: books.state,
    };
    match availability(&reward, &edition.programme.tiers, holder, books.now)? {
        Availability::Ready => Ok(file),
        Availability::NotYet { reasons } => {
            let only_points = reasons
                .iter()
                .all(|reason| matches!(reason, Reason::InsufficientBalance { .. }));
            if only_points {
                let detail = "the balance does not cover it";
                return Err(Error::because(ProblemCode::InsufficientBalance, detail, reasons));
            }
            Err(gone(reasons))
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one row, written in one place")]
async fn insert(
    tx: &mut AnyConnection,
    id: &str,
    member_id: &str,
    title: Option<String>,
    quote_id: &str,
    quoted: &Quoted,
    now: Instant,
    valid_until: Instant,
) -> Result<()> {
    for _ in 0..CODE_TRIES {
        let made = sqlx::query(
            "insert into redemptions (id, member_id, reward_id, title, state, code, points, money_minor, created_at,
                valid_until, quote_id, conditions, version)
             values ($1, $2, $3, $4, 'reserved', $5, $6, $7, $8, $9, $10, $11,
                (select version from members where id = $2)) on conflict (code) do nothing",
        )
        .bind(id)
        .bind(member_id)
        .bind(&quoted.reward_id)
        .bind(&title)
        .bind(token::voucher_code()?)
        .bind(quoted.points)
        .bind(quoted.money_minor)
        .bind(millis(now))
        .bind(millis(valid_until))
        .bind(quote_id)
        .bind(&quoted.conditions)
        .execute(&mut *tx)
        .await?;
        if made.rows_affected() > 0 {
            return Ok(());
        }
    }
    Err(Error::internal("no voucher code was free"))
}

/// Gives a voucher back that was not used: its points are there again at once.
#[utoipa::path(post, path = "/redemptions/{id}/release", operation_id = "release_redemption", tag = "redemptions",
    security(("session" = [])),
    params(
        ("id" = String, Path, description = "the voucher"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, body = Redemption, description = "released"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn release_redemption(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
    request: Keyed<Nothing>,
) -> Result<Response> {
    let shop = app.shop().await?;
    match begin(&app, session.scope(), &request).await? {
        Begun::Answered(response) => Ok(response),
        Begun::New(mut pending) => {
            let edition = shop.edition(request.accept_language.as_deref());
            let now = pending.now;
            let outcome = release(&mut pending.tx, &shop, edition, &session.member_id, &id, now).await;
            pending.finish(outcome).await
        }
    }
}

/// A body with nothing in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

async fn release(
    tx: &mut AnyConnection,
    shop: &Shop,
    edition: &Edition,
    member_id: &str,
    id: &str,
    now: Instant,
) -> Result<Answer> {
    let books = Books::open(tx, shop, member_id, None, now).await?;
    let mut books = books.ok_or_else(Error::signed_out)?;
    let row = of_member(tx, id, member_id).await?;
    if row.state != RedemptionState::Reserved.as_str() {
        return Err(not_reserved());
    }
    let points = Points(row.points);
    undo(tx, &mut books, &row, EntryKind::Release, points).await?;
    books.save(tx).await?;
    answer(tx, shop, edition, id, StatusCode::OK).await
}

/// Ends a voucher whose points come back: it is released, or refunded where it was used.
///
/// # Errors
/// [`Error`] where the database does not answer, or a number does not fit.
pub async fn undo(
    tx: &mut AnyConnection,
    books: &mut Books<'_>,
    row: &Row,
    kind: EntryKind,
    points: Points,
) -> Result<()> {
    let now = books.now;
    books.bring_back(tx, kind, points, &row.id, now).await?;
    if let Some(reward_id) = &row.reward_id {
        put_back(tx, reward_id).await?;
    }
    let state = match kind {
        EntryKind::Refund => RedemptionState::Refunded,
        _ => RedemptionState::Released,
    };
    sqlx::query(
        "update redemptions set state = $1, ended_at = $2,
            version = (select version from members where id = redemptions.member_id)
         where id = $3",
    )
    .bind(state.as_str())
    .bind(millis(now))
    .bind(&row.id)
    .execute(tx)
    .await?;
    Ok(())
}

/// It was used, given back or has lapsed.
pub fn not_reserved() -> Error {
    let detail = "the voucher was used, given back or has lapsed";
    Error::refuse(ProblemCode::RedemptionNotReserved, detail)
}

/// A voucher as it is now, as an answer that can be stored.
///
/// # Errors
/// [`Error`] where the database does not answer.
pub async fn answer(
    tx: &mut AnyConnection,
    shop: &Shop,
    edition: &Edition,
    id: &str,
    status: StatusCode,
) -> Result<Answer> {
    let row = Row::read(tx, id).await?.ok_or_else(Error::not_found)?;
    Answer::made(status, Some(&edition.language), &row.worded(shop, &edition.language)?)
}

/// All of a member's vouchers, oldest first.
pub async fn redemptions_of(
    db: &mut AnyConnection,
    shop: &Shop,
    member_id: &str,
    language: &str,
) -> Result<Vec<Redemption>> {
    let statement = format!("{REDEMPTIONS}\nwhere r.member_id = $1 order by r.created_at, r.id");
    // The text is made of this file's own words; the value is bound.
    let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(member_id)
        .fetch_all(db)
        .await?;
    rows.into_iter().map(|row| row.worded(shop, language)).collect()
}

/// A member's vouchers that can be used now, the first to lapse first, in the words of a language.
///
/// # Errors
/// [`Error`] where the database does not answer.
pub async fn reserved_of(
    db: &mut AnyConnection,
    shop: &Shop,
    member_id: &str,
    language: &str,
    now: Instant,
) -> Result<Vec<Redemption>> {
    let statement = format!(
        "{REDEMPTIONS}\nwhere r.member_id = $1 and r.state = 'reserved' and r.valid_until > $2
         order by r.valid_until, r.id"
    );
    // The text is made of this file's own words; the values are bound.
    let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(member_id)
        .bind(millis(now))
        .fetch_all(db)
        .await?;
    rows.into_iter().map(|row| row.worded(shop, language)).collect()
}

async fn of_member(db: &mut AnyConnection, id: &str, member_id: &str) -> Result<Row> {
    if !token::is_id(id) {
        return Err(Error::not_found());
    }
    let row = Row::read(db, id).await?.filter(|row| row.member_id == member_id);
    row.ok_or_else(Error::not_found)
}

/// One of the member's vouchers.
#[utoipa::path(get, path = "/redemptions/{id}", operation_id = "get_redemption", tag = "redemptions",
    security(("session" = [])),
    params(("id" = String, Path, description = "the voucher")),
    responses(
        (status = 200, body = Redemption, description = "as it is now"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_redemption(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response> {
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    let mut db = app.db.pool.acquire().await?;
    let row = of_member(&mut db, &id, &session.member_id).await?;
    private(&asked, language, &row.worded(&shop, language)?)
}

/// The member's vouchers, a page at a time.
#[utoipa::path(get, path = "/me/redemptions", operation_id = "list_redemptions", tag = "me",
    security(("session" = [])),
    params(RedemptionQuery),
    responses(
        (status = 200, body = Page<Redemption>, description = "newest first"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_redemptions(
    State(app): State<Arc<App>>,
    session: Session,
    Query(query): Query<RedemptionQuery>,
    asked: HeaderMap,
) -> Result<Response> {
    if query.state == Some(RedemptionState::Unknown) {
        return Err(Error::field("state", "this is no state of a voucher"));
    }
    let mut page = Paged::new(query.limit, query.after.as_deref())?;
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    page.only("r.member_id =", session.member_id.as_str());
    if let Some(state) = query.state {
        page.only("r.state =", state.as_str());
    }
    let page = page
        .read(&app.db.pool, REDEMPTIONS, |row: Row| row.worded(&shop, language))
        .await?;
    private(&asked, language, &page)
}
