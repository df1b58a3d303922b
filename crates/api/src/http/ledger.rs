//! `GET /me/ledger`: everything that ever happened to a balance, newest first, and each with what explains it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use loyalty_contract::ledger::{EarningRate, EntryDetails, EntryKind, LedgerEntry, LedgerQuery, Reference};
use loyalty_contract::programme::Earning;
use loyalty_contract::{Instant, Money, Page, Points, Problem};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::App;
use super::answer::{accept_language, private};
use super::error::{Error, Result};
use super::extract::{Path, Query};
use super::page::{HIGHEST_LIMIT, Listed, Paged};
use super::session::Session;
use crate::account::{kind_name, kind_of};
use crate::clock::{from_millis, millis};
use crate::db::Value;
use crate::programme_file::Texts;
use crate::shop::Shop;
use crate::token;

const ENTRIES: &str = "
select e.id, e.seq, e.at, e.kind, e.points, e.worth_minor, e.balance_after, e.reason, e.available_at, e.expires_at,
    coalesce(p.external_id, rp.external_id) as purchase_number, coalesce(p.store, r.store) as store, p.total_minor,
    r.external_id as return_number, r.amount_minor,
    d.id as redemption_id, d.title, d.money_minor
from entries e
left join purchases p on p.id = e.purchase_id
left join returns r on r.id = e.return_id
left join purchases rp on rp.id = r.purchase_id
left join redemptions d on d.id = e.redemption_id";

#[derive(FromRow)]
struct Row {
    id: String,
    seq: i64,
    at: i64,
    kind: String,
    points: i64,
    worth_minor: i64,
    balance_after: i64,
    reason: Option<String>,
    available_at: Option<i64>,
    expires_at: Option<i64>,
    purchase_number: Option<String>,
    store: Option<String>,
    total_minor: Option<i64>,
    return_number: Option<String>,
    amount_minor: Option<i64>,
    redemption_id: Option<String>,
    title: Option<String>,
    money_minor: Option<i64>,
}

impl Listed for Row {
    const PLACE: [&'static str; 2] = ["e.at", "e.seq"];

    fn place(&self) -> (i64, String) {
        (self.at, self.seq.to_string())
    }

    fn own(text: &str) -> Option<Value> {
        text.parse().ok().map(|seq| Value::Int(Some(seq)))
    }
}

/// The member's ledger, a page at a time.
#[utoipa::path(get, path = "/me/ledger", operation_id = "list_entries", tag = "me",
    security(("session" = [])),
    params(LedgerQuery),
    responses(
        (status = 200, body = Page<LedgerEntry>, description = "newest first"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_entries(
    State(app): State<Arc<App>>,
    session: Session,
    Query(query): Query<LedgerQuery>,
    asked: HeaderMap,
) -> Result<Response> {
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    let page = asked_for(&session.member_id, &query)?;
    let page = page
        .read(&app.db.pool, ENTRIES, |row| worded(row, &shop, language))
        .await?;
    private(&asked, language, &page)
}

/// What an entry belongs to, and the rate of its purchase.
const BELONGS_TO: &str = "
select e.redemption_id, p.id as purchase_id, p.earning_points, p.earning_per_minor, p.multiplier_permille
from entries e
left join returns r on r.id = e.return_id
left join purchases p on p.id = coalesce(e.purchase_id, r.purchase_id)
where e.id = $1 and e.member_id = $2";

#[derive(FromRow)]
struct BelongsTo {
    redemption_id: Option<String>,
    purchase_id: Option<String>,
    earning_points: Option<i64>,
    earning_per_minor: Option<i64>,
    multiplier_permille: Option<i64>,
}

impl BelongsTo {
    fn rate(&self, shop: &Shop) -> Option<EarningRate> {
        Some(EarningRate {
            earning: Earning {
                points: Points(self.earning_points?),
                per_money: Money::new(self.earning_per_minor?, shop.file.currency),
            },
            multiplier_permille: self.multiplier_permille?.try_into().ok()?,
        })
    }
}

/// One of the member's entries, with what explains it.
#[utoipa::path(get, path = "/me/ledger/{id}", operation_id = "get_entry", tag = "me",
    security(("session" = [])),
    params(("id" = String, Path, description = "the entry")),
    responses(
        (status = 200, body = EntryDetails, description = "the entry, the rate of its purchase, and the other entries of the same purchase or voucher"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_entry(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response> {
    let shop = app.shop().await?;
    let language = shop.edition(accept_language(&asked)).language.as_str();
    if !token::is_id(&id) {
        return Err(Error::not_found());
    }
    let mut db = app.db.pool.acquire().await?;
    let belongs_to: Option<BelongsTo> = sqlx::query_as(BELONGS_TO)
        .bind(&id)
        .bind(&session.member_id)
        .fetch_optional(&mut *db)
        .await?;
    let belongs_to = belongs_to.ok_or_else(Error::not_found)?;
    let statement = format!(
        "{ENTRIES}\nwhere e.member_id = $1 and e.id <> $2
        and (coalesce(e.purchase_id, r.purchase_id) = $3 or e.redemption_id = $4)
        order by e.at desc, e.seq desc limit {HIGHEST_LIMIT}"
    );
    // Nothing has an empty id.
    let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(&session.member_id)
        .bind(&id)
        .bind(belongs_to.purchase_id.as_deref().unwrap_or_default())
        .bind(belongs_to.redemption_id.as_deref().unwrap_or_default())
        .fetch_all(&mut *db)
        .await?;
    let details = EntryDetails {
        entry: entry(&mut db, &shop, &id, language).await?,
        rate: belongs_to.rate(&shop),
        related: rows
            .into_iter()
            .map(|row| worded(row, &shop, language))
            .collect::<Result<_>>()?,
    };
    private(&asked, language, &details)
}

/// One entry, by its id.
pub async fn entry(db: &mut AnyConnection, shop: &Shop, id: &str, language: &str) -> Result<LedgerEntry> {
    let statement = format!("{ENTRIES}\nwhere e.id = $1");
    let row: Row = sqlx::query_as(AssertSqlSafe(statement)).bind(id).fetch_one(db).await?;
    worded(row, shop, language)
}

/// What happened from one instant until before another, oldest first.
pub async fn entries_between(
    db: &mut AnyConnection,
    shop: &Shop,
    member_id: &str,
    (from, until): (Instant, Instant),
    language: &str,
) -> Result<Vec<LedgerEntry>> {
    let statement = format!("{ENTRIES}\nwhere e.member_id = $1 and e.at >= $2 and e.at < $3\norder by e.at, e.seq");
    let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(member_id)
        .bind(millis(from))
        .bind(millis(until))
        .fetch_all(db)
        .await?;
    rows.into_iter().map(|row| worded(row, shop, language)).collect()
}

/// What the query asks for.
fn asked_for(member_id: &str, query: &LedgerQuery) -> Result<Paged> {
    let mut page = Paged::new(query.limit, query.after.as_deref())?;
    page.only("e.member_id =", member_id);
    if let Some(from) = query.from {
        page.only("e.at >=", millis(from));
    }
    if let Some(to) = query.to {
        page.only("e.at <", millis(to));
    }
    if let Some(kinds) = &query.kind {
        let mut wanted = vec![];
        for kind in kinds.split(',') {
            let known = kind_of(kind.trim());
            if known == EntryKind::Unknown {
                return Err(Error::field("kind", format!("{kind:?} is no kind of entry")));
            }
            wanted.push(kind_name(known).into());
        }
        page.only_in("e.kind", wanted);
    }
    Ok(page)
}

fn worded(row: Row, shop: &Shop, language: &str) -> Result<LedgerEntry> {
    let texts = |json: Option<String>| -> Result<Option<String>> {
        let texts: Option<Texts> = json.map(|json| serde_json::from_str(&json)).transpose()?;
        Ok(texts.map(|texts| shop.text(&texts, language)))
    };
    let money = |minor| Money::new(minor, shop.file.currency);
    let store = row.store.map(|id| shop.store_name(&id, language)).unwrap_or_default();
    let reference = match (row.purchase_number, row.return_number, row.redemption_id) {
        (Some(purchase), Some(external_id), _) => {
            let amount = money(row.amount_minor.unwrap_or_default());
            Some(Reference::Return {
                external_id,
                purchase,
                store,
                amount,
            })
        }
        (Some(external_id), None, _) => Some(Reference::Purchase {
            external_id,
            store,
            total: money(row.total_minor.unwrap_or_default()),
        }),
        (None, _, Some(id)) => {
            let money = money(row.money_minor.unwrap_or_default());
            Some(Reference::Redemption {
                id,
                reward: texts(row.title)?,
                money,
            })
        }
        (None, _, None) => None,
    };
    Ok(LedgerEntry {
        id: row.id,
        at: from_millis(row.at),
        kind: kind_of(&row.kind),
        points: Points(row.points),
        worth: money(row.worth_minor),
        balance_after: Points(row.balance_after),
        reason: texts(row.reason)?,
        reference,
        available_at: row.available_at.map(from_millis),
        expires_at: row.expires_at.map(from_millis),
    })
}
