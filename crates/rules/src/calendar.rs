//! Days of the programme's time zone: every deadline falls on one of their beginnings.

use chrono::{Days, Months, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone};
use loyalty_contract::Instant;

use crate::Overflow;

/// The local day that an instant belongs to; the last, or first, where the calendar ends.
pub fn day_of<Z: TimeZone>(instant: Instant, zone: &Z) -> NaiveDate {
    let time = instant.naive_utc();
    let offset = zone.offset_from_utc_datetime(&time).fix();
    time.checked_add_offset(offset).unwrap_or(time).date()
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
    use chrono::Datelike;
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
        // Where summer began at midnight, the day began at 01:00: in Brazil, in Lebanon, in Cuba.
        check_expiry("2017-11-03", 12, chrono_tz::America::Sao_Paulo, "2018-11-04T03:00:00Z");
        check_expiry("2024-03-29", 12, chrono_tz::Asia::Beirut, "2025-03-29T22:00:00Z");
        check_expiry("2025-03-07", 12, chrono_tz::America::Havana, "2026-03-08T05:00:00Z");
        // Where it ended at one, midnight came twice, and the first counts.
        check_expiry("2025-10-31", 12, chrono_tz::America::Havana, "2026-11-01T04:00:00Z");
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

    /// In some, clocks are or were put forward at midnight; in the last, a whole day was left out.
    const ZONES: [Tz; 9] = [
        chrono_tz::Europe::Berlin,
        chrono_tz::America::Sao_Paulo,
        chrono_tz::America::Havana,
        chrono_tz::America::Santiago,
        chrono_tz::Asia::Beirut,
        chrono_tz::Asia::Tehran,
        chrono_tz::Africa::Cairo,
        chrono_tz::Australia::Lord_Howe,
        chrono_tz::Pacific::Apia,
    ];

    #[test]
    fn the_first_and_the_last_day_of_the_calendar_are_no_panic() {
        for zone in ZONES.into_iter().chain([chrono_tz::UTC]) {
            for (instant, end) in [(Instant::MIN_UTC, NaiveDate::MIN), (Instant::MAX_UTC, NaiveDate::MAX)] {
                let found = day_of(instant, &zone);
                assert!((found - end).num_days().abs() <= 2, "{found} in {zone}");
                // An answer or an overflow, as the zone's offset has it.
                let _ = start_of_day(found, &zone);
            }
            assert_eq!(add_days(NaiveDate::MAX, 1), Err(Overflow));
            assert_eq!(add_days(NaiveDate::MIN, i64::MIN), Err(Overflow));
            assert_eq!(add_months(NaiveDate::MAX, i32::MAX), Err(Overflow));
            assert_eq!(add_months(NaiveDate::MIN, i32::MIN), Err(Overflow));
            assert_eq!(available_at(day("2026-01-01"), u32::MAX, &zone), Err(Overflow));
            assert_eq!(expires_at(day("2026-01-01"), Some(u32::MAX), &zone), Err(Overflow));
            assert_eq!(expires_at(NaiveDate::MAX, Some(0), &zone), Err(Overflow));
        }
    }

    #[test]
    fn a_day_begins_at_its_first_instant() {
        for zone in ZONES {
            for day in day("1970-01-01").iter_days().take(70 * 365) {
                let start = start_of_day(day, &zone).expect("fits");
                assert!(
                    day_of(start - TimeDelta::milliseconds(1), &zone) < day,
                    "{day} in {zone}"
                );
                // A day that was left out begins with the next.
                let left_out = zone == chrono_tz::Pacific::Apia && day.to_string() == "2011-12-30";
                assert_eq!(day_of(start, &zone) == day, !left_out, "{day} in {zone}");
            }
        }
    }

    fn any_day() -> impl Strategy<Value = NaiveDate> {
        (0i64..32_872).prop_map(|days| add_days(day("1970-01-01"), days).expect("fits"))
    }

    proptest! {
        #[test]
        fn points_are_valid_on_their_last_day_and_not_after(bought in any_day(), months in 1..60u32, zone in 0..ZONES.len()) {
            let zone = ZONES[zone];
            let end = expires_at(bought, Some(months), &zone).expect("fits").expect("expires");
            let last = day_of(end - TimeDelta::milliseconds(1), &zone);
            let number = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
            if zone != chrono_tz::Pacific::Apia {
                prop_assert_eq!(number(last), number(bought) + i64::from(months));
                let is_end_of_month = last.succ_opt().is_some_and(|next| next.day() == 1);
                prop_assert!(last.day() == bought.day() || (last.day() < bought.day() && is_end_of_month));
            }
            prop_assert_eq!(expires_at(bought, None, &zone), Ok(None));
            // Buying later never makes points end earlier.
            let next = expires_at(add_days(bought, 1).expect("fits"), Some(months), &zone).expect("fits");
            prop_assert!(Some(end) <= next);
        }

        #[test]
        fn points_wait_for_the_whole_return_window(bought in any_day(), minute in 0i64..1440, window in 0..400u32, zone in 0..ZONES.len()) {
            let zone = ZONES[zone];
            let sold = start_of_day(bought, &zone).expect("fits") + TimeDelta::minutes(minute);
            let bought = day_of(sold, &zone);
            let begin = available_at(bought, window, &zone).expect("fits");
            prop_assert!(sold < begin);
            let last = day_of(begin - TimeDelta::milliseconds(1), &zone);
            prop_assert!(last == add_days(bought, i64::from(window)).expect("fits") || zone == chrono_tz::Pacific::Apia);
        }

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
