//! Wrong guesses: counted in the database, so that any number of processes count together.

use chrono::TimeDelta;
use loyalty_contract::{Instant, ProblemCode};
use sqlx::AnyConnection;

use super::error::{Error, Result};
use crate::clock::{from_millis, millis};
use crate::token;

/// For how long a wrong guess is kept: no limit looks further back.
pub const KEPT: TimeDelta = TimeDelta::days(1);

/// How many wrong guesses about one thing are borne.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// So many.
    pub most: i64,
    /// Within so long, [`KEPT`] at most.
    pub within: TimeDelta,
}

impl Limit {
    /// Refuses another guess where there were too many.
    ///
    /// # Errors
    /// 429.
    pub async fn check(self, db: &mut AnyConnection, subject: &str, now: Instant) -> Result<()> {
        let recent: Vec<(i64,)> =
            sqlx::query_as("select at from wrong_guesses where subject = $1 and at > $2 order by at desc limit $3")
                .bind(subject)
                .bind(millis(now - self.within))
                .bind(self.most)
                .fetch_all(db)
                .await?;
        let last = usize::try_from(self.most - 1).unwrap_or_default();
        match recent.get(last) {
            Some(&(first,)) => Err(too_many(from_millis(first) + self.within - now)),
            None => Ok(()),
        }
    }
}

/// Counts a wrong guess; the transaction is then to be committed.
pub async fn count(db: &mut AnyConnection, subject: &str, now: Instant) -> Result<()> {
    sqlx::query("insert into wrong_guesses (id, subject, at) values ($1, $2, $3)")
        .bind(token::id()?)
        .bind(subject)
        .bind(millis(now))
        .execute(db)
        .await?;
    Ok(())
}

/// The refusal of a guess for so long.
pub fn too_many(wait: TimeDelta) -> Error {
    Error::wait(ProblemCode::TooManyAttempts, "too many wrong guesses", seconds(wait))
}

/// Whole seconds, up: whoever waits that long is not refused again.
pub fn seconds(time: TimeDelta) -> u32 {
    u32::try_from((time.num_milliseconds() + 999) / 1000).unwrap_or_default()
}
