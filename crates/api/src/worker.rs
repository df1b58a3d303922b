//! What time brings by itself: points that activate or expire, vouchers that lapse, tiers that end, notices.
//!
//! Each member has the instant at which something is due next (`members.due_at`). [`attend`] does it for one member,
//! under their lock, so any number of processes may run at once and nothing is done twice; whoever asks for something
//! of a member is not kept waiting for the next pass, but has it done first.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use loyalty_contract::Instant;
use sqlx::AssertSqlSafe;
use tokio::sync::watch;

use crate::account::books::Books;
use crate::claims;
use crate::clock::millis;
use crate::db::Database;
use crate::http::{App, Error, Result};
use crate::shop::Shop;

/// How often the database is asked what is due.
const PASS_EVERY: Duration = Duration::from_secs(1);

/// How many members are looked up at once.
const MEMBERS_AT_ONCE: i64 = 100;

/// For how long an answer is kept for whoever asks the same again: the contract promises a day at least.
const ANSWERS_KEPT: TimeDelta = TimeDelta::days(3);

/// For how long a quote that was never used is kept.
const QUOTES_KEPT: TimeDelta = TimeDelta::days(1);

/// How often what nobody needs any more is deleted.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Works until `end` says so.
pub async fn run(app: Arc<App>, mut end: watch::Receiver<bool>) {
    let mut pass = tokio::time::interval(PASS_EVERY);
    pass.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut forget = tokio::time::interval(FORGET_EVERY);
    loop {
        let done = tokio::select! {
            _ = end.changed() => return,
            _ = pass.tick() => app.attend_all().await,
            _ = forget.tick() => forget_what_is_over(app.database(), app.now()).await,
        };
        if let Err(error) = done {
            // The next pass tries again; what is due does not get lost.
            tracing::warn!(?error, "the worker could not do its work now");
        }
    }
}

/// Lets happen what is due for everybody, and settles what was claimed.
///
/// Whoever it cannot be done for is left for the next pass, and keeps nobody else waiting.
///
/// # Errors
/// [`crate::http::Error`] where the database does not answer, or for the last member that it could not be done for.
pub async fn attend_all(db: &Database, shop: &Shop, now: Instant) -> Result<()> {
    let mut result = Ok(());
    let mut after = (i64::MIN, String::new());
    loop {
        let due: Vec<(i64, String)> = sqlx::query_as(
            "select due_at, id from members where due_at <= $1 and (due_at > $2 or (due_at = $2 and id > $3))
             order by due_at, id limit $4",
        )
        .bind(millis(now))
        .bind(after.0)
        .bind(&after.1)
        .bind(MEMBERS_AT_ONCE)
        .fetch_all(&db.pool)
        .await?;
        let Some(last) = due.last().cloned() else {
            return claims::settle_all(db, shop, now).await.and(result);
        };
        after = last;
        for (_, member_id) in due {
            // A number that does not fit may be a panic, which must not end the worker.
            let done = AssertUnwindSafe(attend(db, shop, &member_id, now)).catch_unwind().await;
            let done = done.unwrap_or_else(|_| Err(Error::internal("it panicked")));
            if let Err(error) = done {
                tracing::warn!(?error, member_id, "what is due for a member could not be done now");
                result = Err(error);
            }
        }
    }
}

/// Lets happen what is due for one member.
///
/// # Errors
/// [`crate::http::Error`] where the database does not answer.
pub async fn attend(db: &Database, shop: &Shop, member_id: &str, now: Instant) -> Result<()> {
    let mut tx = db.begin_write().await?;
    if let Some(books) = Books::open(&mut tx, shop, member_id, None, now).await? {
        books.save(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Deletes what nobody can ask for any more.
async fn forget_what_is_over(db: &Database, now: Instant) -> Result<()> {
    for (what, end) in [
        ("idempotency where created_at <= $1", now - ANSWERS_KEPT),
        ("quotes where expires_at <= $1 and used_at is null", now - QUOTES_KEPT),
        ("pairings where expires_at <= $1", now),
        ("visits where expires_at <= $1", now),
        ("staff_sessions where seen_at <= $1", now - TimeDelta::days(1)),
    ] {
        // Read first: writing takes turns. The texts are made of this file's own words; the value is bound.
        let look = format!("select count(*) from (select 1 as found from {what} limit 1) what");
        let (over,): (i64,) = sqlx::query_as(AssertSqlSafe(look))
            .bind(millis(end))
            .fetch_one(&db.pool)
            .await?;
        if over == 0 {
            continue;
        }
        let mut tx = db.begin_write().await?;
        sqlx::query(AssertSqlSafe(format!("delete from {what}")))
            .bind(millis(end))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
    Ok(())
}
