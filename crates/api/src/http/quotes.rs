//! `POST /quotes`: what would happen, without doing it. A quote pins what was shown.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use chrono::TimeDelta;
use loyalty_contract::quotes::{Quote, QuoteRequest, SpendAmount};
use loyalty_contract::rewards::{Availability, Reason};
use loyalty_contract::{Money, Points, Problem, ProblemCode};
use loyalty_rules::Overflow;
use loyalty_rules::earning::{PLAIN_RATE_PERMILLE, earned};
use loyalty_rules::worth::{points_for, worth};

use super::App;
use super::answer::{accept_language, made};
use super::error::{Error, Result};
use super::extract::Json;
use super::rewards::catalogue;
use super::session::Session;
use crate::clock::millis;
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
    /// Points that would leave the balance now, and that would come to wait.
    change: (Points, Points),
    tier_after: Option<String>,
    conditions: Vec<String>,
}

/// Says what earning, spending or redeeming would do, and keeps it for five minutes.
#[utoipa::path(post, path = "/quotes", operation_id = "create_quote", tag = "quotes",
    security(("session" = [])),
    request_body = QuoteRequest,
    responses(
        (status = 201, body = Quote, description = "good for five minutes"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_quote(
    State(app): State<Arc<App>>,
    session: Session,
    asked: HeaderMap,
    Json(request): Json<QuoteRequest>,
) -> Result<Response> {
    let shop = app.shop().await?;
    let edition = shop.edition(accept_language(&asked));
    let now = app.clock.now();
    let mut db = app.db.begin_read().await?;
    let (rewards, found) = catalogue(&mut db, &shop, edition, Some(&session), now).await?;
    db.rollback().await?;
    let found = found.ok_or_else(Error::signed_out)?;

    let outcome = match request {
        QuoteRequest::Earn(money) => earn(&shop, &found, money)?,
        QuoteRequest::Spend(amount) => spend(&shop, edition, &found, amount)?,
        QuoteRequest::Return(_) => return Err(Error::not_found()),
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
                change: (reward.cost_points, Points::ZERO),
                tier_after: found.tier(&shop).map(str::to_owned),
                conditions: reward.conditions,
            }
        }
    };
    let (less, waiting) = outcome.change;
    let quote = Quote {
        quote_id: token::id()?,
        expires_at: now + QUOTE_LASTS,
        points: outcome.points,
        money: outcome.money,
        balance_after: found.balance(&shop, less, waiting)?,
        tier_after: outcome.tier_after,
        conditions: outcome.conditions,
    };
    keep(&app, &session, &quote, outcome.intent, outcome.reward_id).await?;
    let mut response = made(StatusCode::CREATED, &quote)?;
    let language = edition.language.parse().map_err(Error::internal)?;
    response.headers_mut().insert(header::CONTENT_LANGUAGE, language);
    Ok(response)
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
        change: (Points::ZERO, points),
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
        change: (points, Points::ZERO),
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

async fn keep(app: &App, session: &Session, quote: &Quote, intent: &str, reward_id: Option<String>) -> Result<()> {
    let now = quote.expires_at - QUOTE_LASTS;
    sqlx::query("delete from quotes where member_id = $1 and expires_at <= $2 and used_at is null")
        .bind(&session.member_id)
        .bind(millis(now - REMEMBERED))
        .execute(&app.db.pool)
        .await?;
    sqlx::query(
        "insert into quotes (id, member_id, intent, reward_id, points, money_minor, conditions, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&quote.quote_id)
    .bind(&session.member_id)
    .bind(intent)
    .bind(reward_id)
    .bind(quote.points.0)
    .bind(quote.money.minor)
    .bind(serde_json::to_string(&quote.conditions)?)
    .bind(millis(now))
    .bind(millis(quote.expires_at))
    .execute(&app.db.pool)
    .await?;
    Ok(())
}
