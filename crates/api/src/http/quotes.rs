//! `POST /quotes`: what would happen, without doing it. A quote pins what was shown.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use chrono::TimeDelta;
use loyalty_contract::quotes::{Quote, QuoteRequest, QuotedReturn, SpendAmount};
use loyalty_contract::rewards::{Availability, Reason};
use loyalty_contract::status::Balance;
use loyalty_contract::{Instant, Money, Points, Problem, ProblemCode};
use loyalty_rules::Overflow;
use loyalty_rules::calendar::day_of;
use loyalty_rules::earning::{PLAIN_RATE_PERMILLE, earned};
use loyalty_rules::worth::{points_for, worth};
use serde::Deserialize;

use super::App;
use super::answer::{accept_language, made};
use super::caller::Counter;
use super::counter::audit;
use super::error::{Error, Result};
use super::extract::{Json, check_money, check_text};
use super::rewards::catalogue;
use super::session::Session;
use crate::account::books::Books;
use crate::clock::{from_millis, millis};
use crate::keys::Scope;
use crate::members::{Snapshot, tier_id};
use crate::shop::{Edition, Shop};
use crate::token;

const QUOTE_LASTS: TimeDelta = TimeDelta::minutes(5);

/// For how long one that is over is kept, to be told from one that never was.
const REMEMBERED: TimeDelta = TimeDelta::days(1);

/// What would be done, before it has an id.
struct Outcome {
    intent: &'static str,
    reward_id: Option<String>,
    points: Points,
    money: Money,
    balance_after: Balance,
    tier_after: Option<String>,
    conditions: Vec<String>,
}

/// What is to be quoted: one of the intents, and at the counter for whom.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({"spend": {"points": 100}}))]
#[serde(deny_unknown_fields)]
pub struct NewQuote {
    /// The member's number, at the counter.
    #[serde(default)]
    member: Option<String>,
    /// Buying for so much.
    #[serde(default)]
    earn: Option<Money>,
    /// Using points as money at the till.
    #[serde(default)]
    spend: Option<SpendAmount>,
    /// Turning points into this reward.
    #[serde(default)]
    reward_id: Option<String>,
    /// Bringing back goods of a purchase.
    #[serde(default, rename = "return")]
    returned: Option<QuotedReturn>,
}

impl NewQuote {
    fn intent(self) -> Result<QuoteRequest> {
        let intents = [
            self.earn.map(QuoteRequest::Earn),
            self.spend.map(QuoteRequest::Spend),
            self.reward_id.map(QuoteRequest::RewardId),
            self.returned.map(QuoteRequest::Return),
        ];
        let mut intents = intents.into_iter().flatten();
        match (intents.next(), intents.next()) {
            (Some(intent), None) => Ok(intent),
            _ => Err(Error::field("", "say one of earn, spend, reward_id and return")),
        }
    }
}

/// Says what earning, spending, redeeming or returning would do, and keeps it for five minutes.
#[utoipa::path(post, path = "/quotes", operation_id = "create_quote", tag = "quotes",
    security(("session" = []), ("counter" = []), ("key" = [])),
    request_body = NewQuote,
    responses(
        (status = 201, body = Quote, description = "good for five minutes"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_quote(
    State(app): State<Arc<App>>,
    session: Option<Session>,
    caller: Option<Counter>,
    asked: HeaderMap,
    Json(mut request): Json<NewQuote>,
) -> Result<Response> {
    let shop = app.shop().await?;
    let edition = shop.edition(accept_language(&asked));
    let now = app.clock.now();
    let member_id = match request.member.take() {
        Some(number) => of_number(&app, caller.as_ref(), &number, now).await?,
        None => session.ok_or_else(Error::signed_out)?.member_id,
    };
    let request = request.intent()?;
    let mut db = app.db.begin_read().await?;
    let (rewards, found) = catalogue(&mut db, &shop, edition, Some(&member_id), now).await?;
    db.rollback().await?;
    let found = found.ok_or_else(Error::signed_out)?;

    let outcome = match request {
        QuoteRequest::Earn(money) => earn(&shop, &found, money)?,
        QuoteRequest::Spend(amount) => spend(&shop, edition, &found, amount)?,
        QuoteRequest::Return(returned) => bring_back(&app, &shop, &member_id, &returned, now).await?,
        QuoteRequest::RewardId(id) => {
            let reward = rewards
                .into_iter()
                .find(|reward| reward.id == id)
                .ok_or_else(Error::not_found)?;
            if let Some(Availability::NotYet { reasons }) = reward.availability {
                return Err(refused(&found, ProblemCode::RewardNotAvailable, reasons));
            }
            Outcome {
                intent: "reward",
                reward_id: Some(reward.id),
                points: reward.cost_points,
                money: reward.points_worth,
                balance_after: found.balance(&shop, reward.cost_points, Points::ZERO)?,
                tier_after: found.tier(&shop).map(str::to_owned),
                conditions: reward.conditions,
            }
        }
    };
    let quote = Quote {
        quote_id: token::id()?,
        expires_at: now + QUOTE_LASTS,
        points: outcome.points,
        money: outcome.money,
        balance_after: outcome.balance_after,
        tier_after: outcome.tier_after,
        conditions: outcome.conditions,
    };
    keep(&app, &member_id, &quote, outcome.intent, outcome.reward_id).await?;
    let mut response = made(StatusCode::CREATED, &quote)?;
    let language = edition.language.parse().map_err(Error::internal)?;
    response.headers_mut().insert(header::CONTENT_LANGUAGE, language);
    Ok(response)
}

/// The member that somebody at the counter asks about, which is written into the audit.
async fn of_number(app: &App, caller: Option<&Counter>, number: &str, now: Instant) -> Result<String> {
    let caller = caller.ok_or_else(|| {
        let detail = "to quote for a member needs a staff session or a key";
        Error::refuse(ProblemCode::SignedOut, detail)
    })?;
    caller.check(Scope::Number)?;
    check_text("/member", number, 32)?;
    let found: Option<(String,)> = sqlx::query_as("select id from members where number = $1")
        .bind(number)
        .fetch_optional(&app.db.pool)
        .await?;
    let (member_id,) = found.ok_or_else(Error::not_found)?;
    let shop = app.shop().await?;
    let mut tx = app.db.begin_write().await?;
    // What time has brought comes first, as for the member themselves.
    if let Some(books) = Books::open(&mut tx, &shop, &member_id, None, now).await? {
        books.save(&mut tx).await?;
    }
    audit(&mut tx, caller, "quote", Some(&member_id), "", now).await?;
    tx.commit().await?;
    Ok(member_id)
}

/// Tells a return to the books, reads what it would leave, and forgets it again.
async fn bring_back(app: &App, shop: &Shop, member_id: &str, wanted: &QuotedReturn, now: Instant) -> Result<Outcome> {
    check_money(shop, "/return/amount", wanted.amount)?;
    check_text("/return/purchase", &wanted.purchase, 100)?;
    let mut tx = app.db.begin_write().await?;
    let found: Option<(String, i64)> = sqlx::query_as(
        "select id, occurred_at from purchases where member_id = $1 and external_id = $2
         order by occurred_at desc limit 1",
    )
    .bind(member_id)
    .bind(&wanted.purchase)
    .fetch_optional(&mut *tx)
    .await?;
    let (purchase_id, occurred_at) = found.ok_or_else(Error::not_found)?;
    let day = day_of(from_millis(occurred_at), &shop.zone);
    let books = Books::open(&mut tx, shop, member_id, Some(day), now).await?;
    let mut books = books.ok_or_else(Error::signed_out)?;
    books.read_purchase(&mut tx, &purchase_id).await?;
    let account = &mut books.account;
    account.take_back(&purchase_id, "quoted", wanted.amount.minor, None, now)?;
    let points = account.returns.last().map_or(Points::ZERO, |returned| returned.points);
    let available = account.available(now)?;
    let balance_after = Balance {
        available,
        pending: account.pending(now)?,
        worth: worth(available, &shop.file.point_value)?,
    };
    let tier_after = tier_id(shop, books.standing()?).map(str::to_owned);
    tx.rollback().await?;
    Ok(Outcome {
        intent: "return",
        reward_id: None,
        points,
        money: wanted.amount,
        balance_after,
        tier_after,
        conditions: vec![],
    })
}

fn earn(shop: &Shop, found: &Snapshot, money: Money) -> Result<Outcome> {
    check_currency(shop, "/earn/currency", money)?;
    let too_large = |Overflow| Error::field("/earn/minor", "this is more than can be reckoned with");
    if money.minor < 0 {
        return Err(Error::field("/earn/minor", "nobody buys for less than nothing"));
    }
    if found.is_paused() {
        return Err(refused(found, ProblemCode::MemberPaused, vec![Reason::MemberPaused]));
    }
    let held = found.standing.and_then(|standing| shop.file.tiers.get(standing.tier));
    let permille = held.map_or(PLAIN_RATE_PERMILLE, |tier| tier.multiplier_permille);
    let points = earned(money.minor, &shop.file.earning, permille).map_err(too_large)?;
    // Far below what 64 bits hold, so that sums with a whole history stay within them too.
    if points > Points(i64::MAX / 4) {
        return Err(too_large(Overflow));
    }
    let after = found.standing_with(shop, points)?;
    Ok(Outcome {
        intent: "earn",
        reward_id: None,
        points,
        money,
        balance_after: found.balance(shop, Points::ZERO, points)?,
        tier_after: tier_id(shop, after).map(str::to_owned),
        conditions: vec![],
    })
}

fn spend(shop: &Shop, edition: &Edition, found: &Snapshot, amount: SpendAmount) -> Result<Outcome> {
    let value = &shop.file.point_value;
    let minimum = shop.file.min_spend_points;
    let (pointer, money) = match amount {
        SpendAmount::Points(points) => {
            let pointer = "/spend/points";
            (pointer, worth(points, value).map_err(|Overflow| too_much(pointer))?)
        }
        SpendAmount::Money(money) => {
            check_currency(shop, "/spend/money/currency", money)?;
            ("/spend/money/minor", money)
        }
    };
    if found.is_paused() {
        return Err(refused(found, ProblemCode::MemberPaused, vec![Reason::MemberPaused]));
    }
    // What is charged counts, since it can be less than what was asked for: the fewest points that give the money.
    let points = points_for(money.minor, value).map_err(|Overflow| too_much(pointer))?;
    if points < minimum || money.minor <= 0 {
        let detail = format!(
            "at least {} points are charged at once, and they must be worth something",
            minimum.0
        );
        return Err(Error::refuse(ProblemCode::BelowMinimum, detail));
    }
    let available = found.available()?;
    if available < points {
        let missing = Points(points.0.checked_sub(available.0).ok_or_else(|| too_much(pointer))?);
        let reason = Reason::InsufficientBalance {
            required: points,
            available,
            missing,
        };
        return Err(refused(found, ProblemCode::InsufficientBalance, vec![reason]));
    }
    Ok(Outcome {
        intent: "spend",
        reward_id: None,
        points,
        money,
        balance_after: found.balance(shop, points, Points::ZERO)?,
        tier_after: found.tier(shop).map(str::to_owned),
        conditions: shop
            .file
            .spend_conditions
            .iter()
            .map(|texts| shop.text(texts, &edition.language))
            .collect(),
    })
}

fn check_currency(shop: &Shop, pointer: &str, money: Money) -> Result<()> {
    if money.currency == shop.file.currency {
        Ok(())
    } else {
        Err(Error::field(
            pointer,
            format!("this programme reckons in {}", shop.file.currency),
        ))
    }
}

fn too_much(pointer: &str) -> Error {
    Error::field(pointer, "this is more than can be reckoned with")
}

/// A paused membership comes before every other reason: nothing that the member does would change it.
fn refused(found: &Snapshot, code: ProblemCode, reasons: Vec<Reason>) -> Error {
    let code = if found.is_paused() {
        ProblemCode::MemberPaused
    } else {
        code
    };
    Error::because(code, "the member cannot do this now", reasons)
}

async fn keep(app: &App, member_id: &str, quote: &Quote, intent: &str, reward_id: Option<String>) -> Result<()> {
    let now = quote.expires_at - QUOTE_LASTS;
    let mut tx = app.db.begin_write().await?;
    sqlx::query("delete from quotes where member_id = $1 and expires_at <= $2 and used_at is null")
        .bind(member_id)
        .bind(millis(now - REMEMBERED))
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "insert into quotes (id, member_id, intent, reward_id, points, money_minor, conditions, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&quote.quote_id)
    .bind(member_id)
    .bind(intent)
    .bind(reward_id)
    .bind(quote.points.0)
    .bind(quote.money.minor)
    .bind(serde_json::to_string(&quote.conditions)?)
    .bind(millis(now))
    .bind(millis(quote.expires_at))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
