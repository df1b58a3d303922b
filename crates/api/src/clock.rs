//! The one place that knows what time it is.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use loyalty_contract::Instant;

/// The system's clock, or in a demo one that was moved so that a test's history has its day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    ahead: TimeDelta,
}

impl Clock {
    /// A clock that shows `start` now and goes on from there.
    pub fn starting_at(start: Instant) -> Self {
        Self {
            ahead: start - Utc::now(),
        }
    }

    /// This instant, in whole milliseconds: what the database can keep.
    pub fn now(&self) -> Instant {
        (Utc::now() + self.ahead).trunc_subsecs(3)
    }
}

/// Milliseconds since 1970, as the database keeps instants.
pub fn millis(instant: Instant) -> i64 {
    instant.timestamp_millis()
}

/// The instant that the database kept.
///
/// Beyond the calendar (which nothing here writes) it is the calendar's end.
pub fn from_millis(millis: i64) -> Instant {
    DateTime::from_timestamp_millis(millis).unwrap_or(if millis < 0 { Instant::MIN_UTC } else { Instant::MAX_UTC })
}
