//! Telling other systems what happened, by the Standard Webhooks convention: <https://www.standardwebhooks.com>.
//!
//! `events` writes what happened into the outbox. `worker` makes deliveries of it, one for each webhook that
//! subscribed, and sends them until each was taken or given up; `send` is one attempt, `signature` what a receiver
//! knows it by, and `commands` what a shop does with webhooks at the terminal.
//!
//! A delivery is sent once at least: a process that ends between sending and writing that down leaves it to be sent
//! again, under the same id.

pub mod commands;
mod send;
pub mod signature;
mod worker;

use sqlx::AnyPool;

use crate::db::is_missing_table;
use crate::failure::Failure;
use crate::secret_key::SecretKey;

pub use worker::run;

/// What a webhook has for its kinds that wants every one, those of newer versions included.
pub const ALL: &str = "all";

/// Whether a webhook with these kinds wants events of that one.
fn wants(kinds: &str, kind: &str) -> bool {
    kinds == ALL || kinds.split(',').any(|wanted| wanted == kind)
}

/// Refuses to begin without the key where there are webhooks: their events would wait, and nobody would know.
///
/// # Errors
/// [`Failure`] that says so.
pub async fn check_key(db: &AnyPool, key: Option<&SecretKey>) -> Result<(), Failure> {
    let found: Result<(i64,), _> = sqlx::query_as("select count(*) from webhooks where removed_at is null")
        .fetch_one(db)
        .await;
    match (found, key) {
        (Ok((1..,)), None) => Err(Failure::new(
            "There are webhooks, whose events are signed by LOYALTY_SECRET_KEY: set it, or remove them.",
        )),
        (Err(error), _) if !is_missing_table(&error) => Err(error.into()),
        _ => Ok(()),
    }
}
