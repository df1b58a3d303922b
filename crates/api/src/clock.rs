//! The one place that knows what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use loyalty_contract::Instant;

/// The system's clock, or in a demo one that was moved, so that a test's history has its day and months of it pass
/// in a second. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows `start` now and goes on from there.
    pub fn starting_at(start: Instant) -> Self {
        let clock = Self::default();
        clock.set(start);
        clock
    }

    /// This instant, in whole milliseconds: what the database can keep.
    pub fn now(&self) -> Instant {
        let ahead = TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Relaxed));
        system() + ahead
    }

    /// Moves it forward to `now`, and tells whether it was: time does not go back.
    pub fn move_to(&self, now: Instant) -> bool {
        let is_later = self.now() <= now;
        if is_later {
            self.set(now);
        }
        is_later
    }

    fn set(&self, now: Instant) {
        let ahead = now - system();
        self.ahead_ms.store(ahead.num_milliseconds(), Ordering::Relaxed);
    }
}

/// The system's clock in whole milliseconds, so that one that was moved shows what it was moved to, and not a
/// millisecond before.
fn system() -> Instant {
    Utc::now().trunc_subsecs(3)
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
