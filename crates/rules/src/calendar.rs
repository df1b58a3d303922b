//! Days of the programme's time zone: every deadline falls on one of their beginnings.

use chrono::{Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use loyalty_contract::Instant;

use crate::Overflow;

/// The local day that an instant belongs to.
pub fn day_of<Z: TimeZone>(instant: Instant, zone: &Z) -> NaiveDate {
    instant.with_timezone(zone).date_naive()
}

/// The first instant of a local day.
///
/// Where a clock change skips midnight, the day begins at the first time that exists; where one repeats it, at
/// the earlier of the two.
///
/// # Errors
/// [`Overflow`] at the end of the calendar.
pub fn start_of_day<Z: TimeZone>(day: NaiveDate, zone: &Z) -> Result<Instant, Overflow> {
    const QUARTERS_OF_TWO_DAYS: i32 = 2 * 24 * 4;
    let midnight = day.and_time(NaiveTime::MIN);
    (0..QUARTERS_OF_TWO_DAYS)
        .filter_map(|quarter| midnight.checked_add_signed(TimeDelta::minutes(i64::from(quarter) * 15)))
        .find_map(|time| zone.from_local_datetime(&time).earliest())
        .map(|local| local.to_utc())
        .ok_or(Overflow)
}

/// The day so many days later, or earlier.
///
/// # Errors
/// [`Overflow`] at the end of the calendar.
pub fn add_days(day: NaiveDate, days: i64) -> Result<NaiveDate, Overflow> {
    let count = Days::new(days.unsigned_abs());
    let moved = if days < 0 {
        day.checked_sub_days(count)
    } else {
        day.checked_add_days(count)
    };
    moved.ok_or(Overflow)
}

/// The same day so many months later, or earlier; a month's last day where it has no such day.
///
/// # Errors
/// [`Overflow`] at the end of the calendar.
pub fn add_months(day: NaiveDate, months: i32) -> Result<NaiveDate, Overflow> {
    let count = Months::new(months.unsigned_abs());
    let moved = if months < 0 {
        day.checked_sub_months(count)
    } else {
        day.checked_add_months(count)
    };
    moved.ok_or(Overflow)
}

/// When the points of a purchase on `day` can first be used: the day after its return window.
///
/// # Errors
/// [`Overflow`] at the end of the calendar.
pub fn available_at<Z: TimeZone>(day: NaiveDate, return_window_days: u32, zone: &Z) -> Result<Instant, Overflow> {
    start_of_day(add_days(day, i64::from(return_window_days) + 1)?, zone)
}

/// When points got on `day` can no longer be used: the start of the day after so many months; `None` for ever.
///
/// # Errors
/// [`Overflow`] at the end of the calendar.
pub fn expires_at<Z: TimeZone>(
    day: NaiveDate,
    valid_months: Option<u32>,
    zone: &Z,
) -> Result<Option<Instant>, Overflow> {
    valid_months
        .map(|months| {
            let months = i32::try_from(months).map_err(|_| Overflow)?;
            start_of_day(add_days(add_months(day, months)?, 1)?, zone)
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[track_caller]
    fn check_expiry(bought: &str, months: u32, zone: Tz, expected: &str) {
        let found = expires_at(day(bought), Some(months), &zone)
            .expect("fits")
            .expect("expires");
        assert_eq!(
            found,
            expected.parse::<Instant>().expect("an instant"),
            "{bought} + {months} in {zone}"
        );
    }

    #[test]
    fn expiry_across_month_ends_leap_days_and_clock_changes() {
        check_expiry("2025-12-31", 12, chrono_tz::Europe::Berlin, "2026-12-31T23:00:00Z");
        check_expiry("2026-08-31", 6, chrono_tz::Europe::Berlin, "2027-02-28T23:00:00Z");
        check_expiry("2028-02-29", 12, chrono_tz::Europe::Berlin, "2029-02-28T23:00:00Z");
        // Summer time: midnight is two hours before UTC's, not one.
        check_expiry("2026-03-29", 12, chrono_tz::Europe::Berlin, "2027-03-29T22:00:00Z");
        // Cairo skipped the midnight that began 26 April 2024: the day began at 01:00.
        check_expiry("2023-04-25", 12, chrono_tz::Africa::Cairo, "2024-04-25T22:00:00Z");
        // Samoa had no 30 December 2011 at all.
        check_expiry("2010-12-29", 12, chrono_tz::Pacific::Apia, "2011-12-30T10:00:00Z");
    }

    #[test]
    fn a_return_window_ends_before_the_points_begin() {
        let available = available_at(day("2026-11-17"), 14, &chrono_tz::Europe::Berlin).expect("fits");
        assert_eq!(
            available,
            "2026-12-01T23:00:00Z".parse::<Instant>().expect("an instant")
        );
        assert_eq!(available_at(NaiveDate::MAX, 14, &chrono_tz::UTC), Err(Overflow));
    }

    proptest! {
        #[test]
        fn an_instant_lies_in_its_own_day(days in -20_000i64..20_000, minute in 0i64..1440, zone in 0..chrono_tz::TZ_VARIANTS.len()) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let instant = Instant::UNIX_EPOCH + TimeDelta::days(days) + TimeDelta::minutes(minute);
            let local = day_of(instant, &zone);
            prop_assert!(start_of_day(local, &zone).expect("fits") <= instant);
            prop_assert!(instant < start_of_day(add_days(local, 1).expect("fits"), &zone).expect("fits"));
        }
    }
}
