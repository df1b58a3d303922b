//! Purchases that were made without a number, and that somebody claims by their receipt.
//!
//! A till may tell of a purchase after it was claimed. Neither waits for the other: what was claimed and what was told
//! find each other here, in the worker's next pass, so that tills pay nothing for it.

use chrono::{NaiveDate, TimeDelta};
use loyalty_contract::programme::Earning;
use loyalty_contract::{Instant, Money, Points};
use loyalty_rules::calendar::add_days;
use sqlx::{AnyConnection, FromRow};

use crate::account::Sale;
use crate::account::books::Books;
use crate::clock::{from_millis, millis};
use crate::db::Database;
use crate::http::Result;
use crate::members::from_day_number;
use crate::shop::Shop;

/// For how long a claim waits for a till to tell of its purchase, which a till does within as many days.
const WAITS: TimeDelta = TimeDelta::days(7);

/// How many claims are looked at in one pass.
const CLAIMS_AT_ONCE: i64 = 100;

/// How many days a receipt's date may be off: a till's day may go on after midnight.
pub const DAYS_OFF: i64 = 1;

#[derive(FromRow)]
struct PurchaseRow {
    store: String,
    external_id: String,
    occurred_at: i64,
    total_minor: i64,
    earning_points: i64,
    earning_per_minor: i64,
    returned_minor: i64,
}

/// The first day on which a purchase with that date on its receipt can have been made.
///
/// # Errors
/// [`crate::http::Error`] at the end of the calendar.
pub fn first_day(bought_on: NaiveDate) -> Result<NaiveDate> {
    Ok(add_days(bought_on, -DAYS_OFF)?)
}

/// Makes a purchase of nobody's the member's: it earns as it would have at the till, and what was returned of it since
/// is taken back again. Gives what is left of that, or `None` where it is somebody's by now.
///
/// The books were opened for its day.
///
/// # Errors
/// [`crate::http::Error`] where the database does not answer, or a number does not fit.
pub async fn take(
    tx: &mut AnyConnection,
    shop: &Shop,
    books: &mut Books<'_>,
    purchase_id: &str,
) -> Result<Option<Points>> {
    let row: Option<PurchaseRow> = sqlx::query_as(
        "update purchases set member_id = $1 where id = $2 and member_id is null
         returning store, external_id, occurred_at, total_minor, earning_points, earning_per_minor, returned_minor",
    )
    .bind(&books.member_id)
    .bind(purchase_id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let returns: Vec<(String, String, i64)> = sqlx::query_as(
        "select id, external_id, amount_minor from returns where purchase_id = $1 order by occurred_at, id",
    )
    .bind(purchase_id)
    .fetch_all(&mut *tx)
    .await?;

    let now = books.now;
    let account = &mut books.account;
    let sale = Sale {
        id: purchase_id.to_owned(),
        store: &row.store,
        external_id: &row.external_id,
        total_minor: row.total_minor,
        occurred_at: from_millis(row.occurred_at),
    };
    let rate = Earning {
        points: Points(row.earning_points),
        per_money: Money::new(row.earning_per_minor, shop.file.currency),
    };
    account.earn_at(sale, rate, now)?;
    if let Some(purchase) = account.purchases.get_mut(purchase_id) {
        purchase.kept = Some((row.returned_minor, Points::ZERO));
    }
    for (id, external_id, amount_minor) in returns {
        account.take_back_as(id, purchase_id, &external_id, amount_minor, None, now)?;
    }
    let mut left = Points::ZERO;
    if let Some(purchase) = account.purchases.get(purchase_id) {
        left = purchase.points;
        sqlx::query("update purchases set multiplier_permille = $1, points = $2 where id = $3")
            .bind(i64::from(purchase.multiplier_permille))
            .bind(purchase.points.0)
            .bind(purchase_id)
            .execute(&mut *tx)
            .await?;
    }
    // They have their rows already.
    for returned in std::mem::take(&mut account.returns) {
        left = left - returned.points;
        sqlx::query("update returns set points = $1 where id = $2")
            .bind(returned.points.0)
            .bind(&returned.id)
            .execute(&mut *tx)
            .await?;
    }
    Ok(Some(left))
}

/// Settles every claim whose purchase a till has told of meanwhile, and ends those that waited too long.
///
/// # Errors
/// [`crate::http::Error`] where the database does not answer, or for the last claim that could not be settled.
pub async fn settle_all(db: &Database, shop: &Shop, now: Instant) -> Result<()> {
    let found: Vec<Waiting> = sqlx::query_as(
        "select c.id, c.member_id, c.bought_on, p.id as purchase_id from claims c
         join purchases p on p.store = c.store and p.external_id = c.receipt
         join members m on m.id = c.member_id
         where c.state = 'waiting' and p.member_id is null and p.total_minor = c.total_minor
            and p.occurred_at >= c.bought_from and p.occurred_at < c.bought_until and m.state <> 'paused'
         order by c.created_at, c.id limit $1",
    )
    .bind(CLAIMS_AT_ONCE)
    .fetch_all(&db.pool)
    .await?;
    let mut result = Ok(());
    for claim in found {
        if let Err(error) = settle(db, shop, &claim, now).await {
            tracing::warn!(?error, claim_id = claim.id, "a claim could not be settled now");
            result = Err(error);
        }
    }
    reject_old(db, now).await?;
    result
}

/// A claim, and the purchase that it is about.
#[derive(FromRow)]
struct Waiting {
    id: String,
    member_id: String,
    bought_on: i64,
    purchase_id: String,
}

async fn settle(db: &Database, shop: &Shop, claim: &Waiting, now: Instant) -> Result<()> {
    let day = first_day(from_day_number(claim.bought_on))?;
    let mut tx = db.begin_write().await?;
    let Some(mut books) = Books::open(&mut tx, shop, &claim.member_id, Some(day), now).await? else {
        return Ok(());
    };
    // Of several processes, and of several who claim it, the first gets it.
    let Some(points) = take(&mut tx, shop, &mut books, &claim.purchase_id).await? else {
        return Ok(());
    };
    let settled = sqlx::query(
        "update claims set state = 'accepted', points = $1, purchase_id = $2 where id = $3 and state = 'waiting'",
    )
    .bind(points.0)
    .bind(&claim.purchase_id)
    .bind(&claim.id)
    .execute(&mut *tx)
    .await?;
    if settled.rows_affected() > 0 {
        books.save(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn reject_old(db: &Database, now: Instant) -> Result<()> {
    let end = millis(now - WAITS);
    let (old,): (i64,) = sqlx::query_as("select count(*) from claims where state = 'waiting' and created_at <= $1")
        .bind(end)
        .fetch_one(&db.pool)
        .await?;
    if old == 0 {
        return Ok(());
    }
    let mut tx = db.begin_write().await?;
    sqlx::query(
        "update claims set state = 'rejected',
            reason = case when member_id in (select id from members where state = 'paused') then 'member_paused'
                else 'not_found' end
         where state = 'waiting' and created_at <= $1",
    )
    .bind(end)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
