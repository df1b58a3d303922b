//! The device's clock.

use loyalty_contract::Instant;

/// This device's time, which may be wrong.
pub fn now() -> Instant {
    Instant::from_timestamp_millis(js_sys::Date::now() as i64).unwrap_or_default()
}
