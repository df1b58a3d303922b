//! What time brings by itself: points that activate or expire, vouchers that lapse, tiers that end, notices.
//!
//! Each member has the instant at which something is due next (`members.due_at`). [`attend`] does it for one member,
//! under their lock, so any number of processes may run at once and nothing is done twice; whoever asks for something
//! of a member is not kept waiting for the next pass, but has it done first.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use loyalty_contract::Instant;
use tokio::sync::watch;

use crate::account::books::Books;
use crate::clock::millis;
use crate::db::Database;
use crate::http::{App, Result};
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

/// Lets happen what is due for everybody.
///
/// # Errors
/// [`crate::http::Error`] where the database does not answer.
pub async fn attend_all(db: &Database, shop: &Shop, now: Instant) -> Result<()> {
    loop {
        let due: Vec<(String,)> =
            sqlx::query_as("select id from members where due_at is not null and due_at <= $1 order by due_at limit $2")
                .bind(millis(now))
                .bind(MEMBERS_AT_ONCE)
                .fetch_all(&db.pool)
                .await?;
        if due.is_empty() {
            return Ok(());
        }
        for (member_id,) in due {
            attend(db, shop, &member_id, now).await?;
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
    for (statement, end) in [
        ("delete from idempotency where created_at <= $1", now - ANSWERS_KEPT),
        (
            "delete from quotes where expires_at <= $1 and used_at is null",
            now - QUOTES_KEPT,
        ),
        ("delete from pairings where expires_at <= $1", now),
        (
            "delete from staff_sessions where seen_at <= $1",
            now - TimeDelta::days(1),
        ),
    ] {
        let mut tx = db.begin_write().await?;
        sqlx::query(statement).bind(millis(end)).execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}
