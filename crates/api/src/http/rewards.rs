//! `GET /rewards`: what points can be turned into, and for a member why something cannot be had yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loyalty_contract::rewards::{
    Availability, AvailabilityFilter, Reason, Reward, RewardKind, RewardQuery, RewardSort,
};
use loyalty_contract::{Instant, Page, Problem};
use loyalty_rules::availability::{availability, is_soon};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::App;
use super::answer::{accept_language, private};
use super::error::{Error, Result};
use super::extract::{Path, Query};
use super::page::limit;
use super::session::Session;
use crate::members::{Snapshot, is_ready};
use crate::shop::{Edition, Shop};
use crate::texts::folded;

/// The catalogue, a page at a time.
#[utoipa::path(get, path = "/rewards", operation_id = "list_rewards", tag = "rewards",
    security((), ("session" = [])),
    params(RewardQuery),
    responses(
        (status = 200, body = Page<Reward>, description = "in the order asked for"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_rewards(
    State(app): State<Arc<App>>,
    session: Option<Session>,
    Query(query): Query<RewardQuery>,
    asked: HeaderMap,
) -> Result<Response> {
    let wanted = query.availability.unwrap_or(AvailabilityFilter::All);
    if session.is_none() && wanted != AvailabilityFilter::All {
        return Err(Error::signed_out());
    }
    if query.kind == Some(RewardKind::Other) {
        return Err(Error::field("kind", "this is no kind of reward"));
    }
    let limit = limit(query.limit)? as usize;
    let sort = query.sort.unwrap_or_default();
    let after = query
        .after
        .as_deref()
        .map(|text| Place::decode(text, sort))
        .transpose()?;

    let shop = app.shop().await?;
    let edition = shop.edition(accept_language(&asked));
    let now = app.clock.now();
    let mut db = app.db.begin_read().await?;
    let member_id = session.as_ref().map(|session| session.member_id.as_str());
    let (catalogue, _) = catalogue(&mut db, &shop, edition, member_id, now).await?;
    db.rollback().await?;

    let words: Vec<String> = folded(query.q.as_deref().unwrap_or_default())
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let mut found: Vec<(Place, Reward)> = (0..)
        .zip(catalogue)
        .filter(|(_, reward)| query.kind.is_none_or(|kind| kind == reward.kind))
        .filter(|(_, reward)| is_wanted(reward, wanted))
        .filter(|(_, reward)| has_words(reward, &words))
        .map(|(position, reward)| (Place::of(&reward, position, sort, now), reward))
        .filter(|(place, _)| after.as_ref().is_none_or(|after| after < place))
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| has_more)
        .map(|(place, _)| place.encode(sort))
        .transpose()?;
    let items = found.into_iter().map(|(_, reward)| reward).collect();
    private(&asked, &edition.language, &Page { items, next })
}

/// One reward.
#[utoipa::path(get, path = "/rewards/{id}", operation_id = "get_reward", tag = "rewards",
    security((), ("session" = [])),
    params(("id" = String, Path, description = "the reward")),
    responses(
        (status = 200, body = Reward, description = "with availability for whoever is signed in"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_reward(
    State(app): State<Arc<App>>,
    session: Option<Session>,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response> {
    let shop = app.shop().await?;
    let edition = shop.edition(accept_language(&asked));
    let mut db = app.db.begin_read().await?;
    let member_id = session.as_ref().map(|session| session.member_id.as_str());
    let (catalogue, _) = catalogue(&mut db, &shop, edition, member_id, app.clock.now()).await?;
    db.rollback().await?;
    let reward = catalogue
        .into_iter()
        .find(|reward| reward.id == id)
        .ok_or_else(Error::not_found)?;
    private(&asked, &edition.language, &reward)
}

/// Every reward in the shop's order with what is left of it and, for a member, whether they can have it.
pub async fn catalogue(
    db: &mut AnyConnection,
    shop: &Shop,
    edition: &Edition,
    member_id: Option<&str>,
    now: Instant,
) -> Result<(Vec<Reward>, Option<Snapshot>)> {
    let stock: Vec<(String, i64)> = sqlx::query_as("select id, stock from rewards where stock is not null")
        .fetch_all(&mut *db)
        .await?;
    let stock: BTreeMap<String, i64> = stock.into_iter().collect();
    let mut rewards = edition.rewards.clone();
    for reward in &mut rewards {
        reward.stock_left = stock
            .get(&reward.id)
            .map(|&left| u32::try_from(left).unwrap_or_default());
    }
    let Some(member_id) = member_id else {
        return Ok((rewards, None));
    };

    let had: Vec<(String, i64)> = sqlx::query_as(
        "select reward_id, count(*) from redemptions
         where member_id = $1 and reward_id is not null and state in ('reserved', 'captured') group by reward_id",
    )
    .bind(member_id)
    .fetch_all(&mut *db)
    .await?;
    let had: BTreeMap<String, i64> = had.into_iter().collect();
    let found = Snapshot::load(db, shop, member_id, now).await?;
    for (reward, file) in rewards.iter_mut().zip(&shop.file.rewards) {
        let had = had
            .get(&reward.id)
            .map_or(0, |&had| u32::try_from(had).unwrap_or(u32::MAX));
        reward.per_member_left = file.per_member.map(|most| most.saturating_sub(had));
        let holder = found.holder(shop)?;
        reward.availability = Some(availability(reward, &edition.programme.tiers, holder, now)?);
    }
    Ok((rewards, Some(found)))
}

fn is_wanted(reward: &Reward, wanted: AvailabilityFilter) -> bool {
    match wanted {
        AvailabilityFilter::All => true,
        AvailabilityFilter::Ready => reward.availability.as_ref().is_some_and(is_ready),
        AvailabilityFilter::Soon => reward.availability.as_ref().is_some_and(is_soon),
    }
}

fn has_words(reward: &Reward, words: &[String]) -> bool {
    let text = folded(&format!("{} {} {}", reward.title, reward.description, reward.category));
    words.iter().all(|word| text.contains(word))
}

/// Where a reward stands in a sorted catalogue. What is over comes last, however it is sorted.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Place {
    is_over: bool,
    /// What the catalogue is sorted by.
    key: Key,
    /// The shop's own order among equals.
    position: i64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum Key {
    /// Ready, then soon by the points that are missing, then the rest.
    Nearness(u8, i64),
    Number(i64),
    Text(String),
}

impl Place {
    fn of(reward: &Reward, position: i64, sort: RewardSort, now: Instant) -> Self {
        let key = match sort {
            RewardSort::Recommended => nearness(reward.availability.as_ref()),
            RewardSort::Cost => Key::Number(reward.cost_points.0),
            RewardSort::CostDesc => Key::Number(-reward.cost_points.0),
            RewardSort::Title => Key::Text(folded(&reward.title)),
        };
        Self {
            is_over: reward.valid_until.is_some_and(|end| end <= now),
            key,
            position,
        }
    }

    fn encode(&self, sort: RewardSort) -> Result<String> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(sort, self))?))
    }

    fn decode(text: &str, sort: RewardSort) -> Result<Self> {
        let place: Option<(RewardSort, Self)> = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok());
        match place {
            Some((of, place)) if of == sort => Ok(place),
            _ => Err(Error::field("after", "this is no cursor of a catalogue sorted so")),
        }
    }
}

fn nearness(availability: Option<&Availability>) -> Key {
    match availability {
        None | Some(Availability::Ready) => Key::Nearness(0, 0),
        Some(soon @ Availability::NotYet { reasons }) if is_soon(soon) => {
            let missing = reasons.iter().find_map(|reason| match reason {
                Reason::InsufficientBalance { missing, .. } => Some(missing.0),
                _ => None,
            });
            Key::Nearness(1, missing.unwrap_or_default())
        }
        Some(Availability::NotYet { .. }) => Key::Nearness(2, 0),
    }
}
