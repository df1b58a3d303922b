//! Where a member stands on the ladder: a pure function of what they earned and returned, never a stored figure.
//!
//! Points qualify when they were earned by a purchase, pending ones included; a return counts on the day of its
//! purchase, so one that takes away what reached a tier takes the tier away.

use chrono::{Datelike, NaiveDate, TimeDelta, TimeZone};
use loyalty_contract::programme::TierWindow;
use loyalty_contract::{Instant, Points};

use crate::calendar::{add_days, add_months, day_of, start_of_day};
use crate::{Overflow, to_i64};

/// How long before its end a tier counts as at risk, in days.
pub const AT_RISK_DAYS: i64 = 60;

/// Points that count towards a tier, or that a return takes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qualifying {
    /// When the purchase happened, for its returns too.
    pub at: Instant,
    /// How many; below zero for a return.
    pub points: Points,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The tier held, by its place on the ladder.
    pub tier: usize,
    /// Points that count now.
    pub qualifying: Points,
    /// The first instant at which the tier is held no more unless kept; `None` for the lowest.
    pub valid_until: Option<Instant>,
    /// What of the points needed to keep the tier is there already; `None` for the lowest.
    pub collected: Option<Points>,
    /// Not enough yet to keep it, and it ends within [`AT_RISK_DAYS`].
    pub at_risk: bool,
}

/// What a history came to before a day, so that what is older need not be told again.
///
/// It can be thrown away at any time, and must be when the ladder, its window, the time zone or anything before its
/// day has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Everything before this day is told.
    pub day: NaiveDate,
    /// The tier held as this day begins, by its place on the ladder.
    pub tier: usize,
    /// The last day on which it is held unless kept; `None` for the lowest.
    pub last_day: Option<NaiveDate>,
}

/// Works out where a member stands at `now`, from everything that qualified before.
///
/// `thresholds` is the ladder from the bottom up, its first rung 0. `history` may come in any order; entries after
/// `now` are left out. An empty ladder gives `None`.
///
/// # Errors
/// [`Overflow`] where a sum does not fit, or at the end of the calendar.
pub fn standing<Z: TimeZone>(
    thresholds: &[Points],
    window: TierWindow,
    history: &[Qualifying],
    now: Instant,
    zone: &Z,
) -> Result<Option<Standing>, Overflow> {
    standing_from(None, thresholds, window, history, now, zone)
}

/// The same as [`standing`], with no more of the history than what is [needed](history_needed) after a checkpoint.
///
/// A checkpoint of a day after `now`'s, or of a longer ladder, does not count: that takes the whole history.
///
/// # Errors
/// [`Overflow`] where a sum does not fit, or at the end of the calendar.
pub fn standing_from<Z: TimeZone>(
    checkpoint: Option<&Checkpoint>,
    thresholds: &[Points],
    window: TierWindow,
    history: &[Qualifying],
    now: Instant,
    zone: &Z,
) -> Result<Option<Standing>, Overflow> {
    if thresholds.is_empty() {
        return Ok(None);
    }
    let counted = Counted::new(history, now, zone);
    let today = day_of(now, zone);
    let mut held = Held::at(checkpoint, thresholds, today);
    held.tell(today, true, thresholds, window, &counted)?;

    let valid_until = held
        .last_day
        .map(|day| start_of_day(add_days(day, 1)?, zone))
        .transpose()?;
    let collected = held
        .last_day
        .map(|day| counted.within(window_start(window, day)?, day))
        .transpose()?;
    let at_risk = match (valid_until, collected, thresholds.get(held.tier)) {
        (Some(end), Some(collected), Some(&needed)) => collected < needed && end - now <= TimeDelta::days(AT_RISK_DAYS),
        _ => false,
    };
    let qualifying = counted.within(window_start(window, today)?, today)?;
    Ok(Some(Standing {
        tier: held.tier,
        qualifying,
        valid_until,
        collected,
        at_risk,
    }))
}

/// The first day of history that [`standing_from`] and [`checkpoint_at`] still need with this checkpoint: the first
/// that counts together with its own day. No later day, and no end of a term, counts anything older.
///
/// # Errors
/// [`Overflow`] at the end of the calendar.
pub fn history_needed(checkpoint: &Checkpoint, window: TierWindow) -> Result<NaiveDate, Overflow> {
    window_start(window, checkpoint.day)
}

/// What the history before `day` came to, from an earlier checkpoint or from its beginning.
///
/// # Errors
/// [`Overflow`] where a sum does not fit, or at the end of the calendar.
pub fn checkpoint_at<Z: TimeZone>(
    checkpoint: Option<&Checkpoint>,
    thresholds: &[Points],
    window: TierWindow,
    history: &[Qualifying],
    day: NaiveDate,
    zone: &Z,
) -> Result<Checkpoint, Overflow> {
    let counted = Counted::new(history, Instant::MAX_UTC, zone);
    let mut held = Held::at(checkpoint, thresholds, day);
    held.tell(day, false, thresholds, window, &counted)?;
    Ok(Checkpoint {
        day,
        tier: held.tier,
        last_day: held.last_day,
    })
}

/// How far `collected` is towards `needed`, in whole percent: rounded down, so 100 means reached.
pub fn percent(collected: Points, needed: Points) -> u8 {
    if needed <= collected {
        return 100;
    }
    let part = i128::from(collected.0.max(0)) * 100 / i128::from(needed.0.max(1));
    u8::try_from(part).unwrap_or(99).min(99)
}

/// The tier held while history is told, and the last day on which it is.
struct Held {
    /// What is before this day is told already.
    from: Option<NaiveDate>,
    tier: usize,
    last_day: Option<NaiveDate>,
}

impl Held {
    /// What was held at a checkpoint, if it is of use up to `day`; otherwise at the very beginning.
    fn at(checkpoint: Option<&Checkpoint>, thresholds: &[Points], day: NaiveDate) -> Self {
        match checkpoint.filter(|found| found.day <= day && found.tier < thresholds.len()) {
            Some(found) => Self {
                from: Some(found.day),
                tier: found.tier,
                last_day: found.last_day,
            },
            None => Self {
                from: None,
                tier: 0,
                last_day: None,
            },
        }
    }

    /// Tells every day up to `day`, with that day itself or without it.
    fn tell(
        &mut self,
        day: NaiveDate,
        with_day: bool,
        thresholds: &[Points],
        window: TierWindow,
        counted: &Counted,
    ) -> Result<(), Overflow> {
        for (index, &(entry, _)) in counted.days.iter().enumerate() {
            if self.from.is_some_and(|from| entry < from) {
                continue;
            }
            if entry > day || (entry == day && !with_day) {
                break;
            }
            self.lapse_before(entry, thresholds, window, counted)?;
            self.reach(entry, counted.through(window, entry, index)?, thresholds, window)?;
        }
        self.lapse_before(day, thresholds, window, counted)
    }

    /// Ends every term that is over before `day`: what counted on its last day says which tier follows.
    fn lapse_before(
        &mut self,
        day: NaiveDate,
        thresholds: &[Points],
        window: TierWindow,
        counted: &Counted,
    ) -> Result<(), Overflow> {
        while let Some(last) = self.last_day.filter(|&last| last < day) {
            self.tier = self
                .tier
                .min(rung(thresholds, counted.within(window_start(window, last)?, last)?));
            self.last_day = (self.tier > 0).then(|| add_months(last, 12)).transpose()?;
        }
        Ok(())
    }

    /// Goes up at once when enough counts. By the calendar year, reaching the same tier again holds it longer.
    fn reach(
        &mut self,
        day: NaiveDate,
        counts: Points,
        thresholds: &[Points],
        window: TierWindow,
    ) -> Result<(), Overflow> {
        let reached = rung(thresholds, counts);
        let again = window == TierWindow::CalendarYear && reached == self.tier;
        if reached > self.tier || (again && reached > 0) {
            self.tier = reached;
            self.last_day = Some(match window {
                TierWindow::Rolling12Months => add_months(day, 12)?,
                TierWindow::CalendarYear => NaiveDate::from_ymd_opt(day.year() + 1, 12, 31).ok_or(Overflow)?,
            });
        }
        Ok(())
    }
}

/// The highest tier that so many points give.
fn rung(thresholds: &[Points], points: Points) -> usize {
    thresholds
        .iter()
        .rposition(|&threshold| threshold <= points)
        .unwrap_or(0)
}

/// The first day that counts together with `day`.
fn window_start(window: TierWindow, day: NaiveDate) -> Result<NaiveDate, Overflow> {
    match window {
        TierWindow::Rolling12Months => add_days(add_months(day, -12)?, 1),
        TierWindow::CalendarYear => NaiveDate::from_ymd_opt(day.year(), 1, 1).ok_or(Overflow),
    }
}

/// A history in order, its purchases already less their returns, with running sums. Those have more bits than
/// points, so that only what really counts together has to fit.
struct Counted {
    /// The day of each purchase, and the sum of everything before it.
    days: Vec<(NaiveDate, i128)>,
    total: i128,
}

impl Counted {
    fn new<Z: TimeZone>(history: &[Qualifying], now: Instant, zone: &Z) -> Self {
        let mut entries: Vec<(NaiveDate, Instant, i128)> = history
            .iter()
            .filter(|entry| entry.at <= now)
            .map(|entry| (day_of(entry.at, zone), entry.at, i128::from(entry.points.0)))
            .collect();
        // By the day first: where clocks are put back over midnight, a later instant can lie in the day before.
        entries.sort_by_key(|&(day, at, _)| (day, at));
        entries.dedup_by(|later, earlier| {
            let same = later.1 == earlier.1;
            if same {
                earlier.2 += later.2;
            }
            same
        });
        // A purchase that went back whole leaves no moment behind at which anything could be reached.
        entries.retain(|&(_, _, points)| points != 0);
        let mut total = 0;
        let days = entries
            .iter()
            .map(|&(day, _, points)| {
                let before = total;
                total += points;
                (day, before)
            })
            .collect();
        Self { days, total }
    }

    /// What came before the entry at `index`.
    fn before(&self, index: usize) -> i128 {
        self.days.get(index).map_or(self.total, |&(_, before)| before)
    }

    /// The place of the first entry that is not before `day`.
    fn place(&self, day: NaiveDate) -> usize {
        self.days.partition_point(|&(entry, _)| entry < day)
    }

    /// What came from the first to the last of these days.
    fn within(&self, first: NaiveDate, last: NaiveDate) -> Result<Points, Overflow> {
        let end = self.days.partition_point(|&(entry, _)| entry <= last);
        to_i64(self.before(end) - self.before(self.place(first))).map(Points)
    }

    /// What counts just after the entry at `index`, on its own day.
    fn through(&self, window: TierWindow, day: NaiveDate, index: usize) -> Result<Points, Overflow> {
        let first = self.place(window_start(window, day)?);
        to_i64(self.before(index + 1) - self.before(first)).map(Points)
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe::Berlin;
    use proptest::prelude::*;

    use super::*;

    const LADDER: [Points; 3] = [Points(0), Points(800), Points(2000)];

    fn noon(day: &str) -> Instant {
        format!("{day}T11:00:00Z").parse().expect("an instant")
    }

    fn entries(list: &[(&str, i64)]) -> Vec<Qualifying> {
        list.iter()
            .map(|&(day, points)| Qualifying {
                at: noon(day),
                points: Points(points),
            })
            .collect()
    }

    fn stand(window: TierWindow, history: &[Qualifying], now: &str) -> Standing {
        standing(&LADDER, window, history, noon(now), &Berlin)
            .expect("fits")
            .expect("a ladder")
    }

    #[track_caller]
    fn check(window: TierWindow, history: &[(&str, i64)], now: &str, tier: usize, until: Option<&str>) {
        let found = stand(window, &entries(history), now);
        let until = until.map(|text| text.parse::<Instant>().expect("an instant"));
        assert_eq!((found.tier, found.valid_until), (tier, until), "{history:?} on {now}");
    }

    #[test]
    fn rolling_is_held_for_twelve_months_then_confirmed_or_replaced() {
        use TierWindow::Rolling12Months as Rolling;
        let reached = [("2025-01-10", 700), ("2025-03-03", 100)];
        check(Rolling, &reached, "2025-03-02", 0, None);
        check(Rolling, &reached, "2025-03-03", 1, Some("2026-03-03T23:00:00Z"));
        check(Rolling, &reached, "2026-03-03", 1, Some("2026-03-03T23:00:00Z"));
        check(Rolling, &reached, "2026-03-04", 0, None);
        let kept = [("2025-01-10", 700), ("2025-03-03", 100), ("2025-03-04", 800)];
        check(Rolling, &kept, "2026-03-04", 1, Some("2027-03-03T23:00:00Z"));
        let fell = [("2025-03-03", 2000), ("2025-06-01", 900)];
        check(Rolling, &fell, "2026-03-03", 2, Some("2026-03-03T23:00:00Z"));
        check(Rolling, &fell, "2026-03-04", 1, Some("2027-03-03T23:00:00Z"));
        // Up at once, even before a term ends.
        check(
            Rolling,
            &[("2025-03-03", 800), ("2025-04-01", 1200)],
            "2025-04-01",
            2,
            Some("2026-04-01T22:00:00Z"),
        );
    }

    #[test]
    fn calendar_years_count_from_january_and_hold_to_the_end_of_the_next() {
        use TierWindow::CalendarYear as Year;
        check(Year, &[("2025-12-30", 700), ("2026-01-02", 700)], "2026-06-01", 0, None);
        let reached = [("2025-11-01", 800)];
        check(Year, &reached, "2026-12-31", 1, Some("2026-12-31T23:00:00Z"));
        check(Year, &reached, "2027-01-01", 0, None);
        check(
            Year,
            &[("2025-11-01", 800), ("2026-05-01", 800)],
            "2026-12-31",
            1,
            Some("2027-12-31T23:00:00Z"),
        );
        check(
            Year,
            &[("2025-11-01", 2000), ("2026-05-01", 900)],
            "2027-01-01",
            1,
            Some("2027-12-31T23:00:00Z"),
        );
    }

    #[test]
    fn what_keeps_a_tier_is_counted_over_its_own_term() {
        let found = stand(
            TierWindow::Rolling12Months,
            &entries(&[("2026-01-10", 800), ("2026-05-01", 300)]),
            "2026-12-01",
        );
        assert_eq!(
            (found.qualifying, found.collected, found.at_risk),
            (Points(1100), Some(Points(300)), true)
        );
        let calm = stand(
            TierWindow::Rolling12Months,
            &entries(&[("2026-01-10", 800), ("2026-05-01", 300)]),
            "2026-11-01",
        );
        assert!(!calm.at_risk);
    }

    #[test]
    fn progress_is_never_rounded_up() {
        for (collected, needed, expected) in [
            (0, 1000, 0),
            (999, 1000, 99),
            (1000, 1000, 100),
            (1215, 2000, 60),
            (-40, 800, 0),
        ] {
            assert_eq!(
                percent(Points(collected), Points(needed)),
                expected,
                "{collected} of {needed}"
            );
        }
    }

    #[test]
    fn a_checkpoint_needs_exactly_what_counts_together_with_its_day() {
        for (window, needed) in [
            (TierWindow::Rolling12Months, "2023-03-01"),
            (TierWindow::CalendarYear, "2024-01-01"),
        ] {
            let day: NaiveDate = "2024-02-29".parse().expect("a date");
            let made = |history: &[Qualifying]| checkpoint_at(None, &LADDER, window, history, day, &Berlin);
            let checkpoint = made(&[]).expect("fits");
            let first = history_needed(&checkpoint, window).expect("fits");
            assert_eq!(first.to_string(), needed);
            let before = first.pred_opt().expect("a day").to_string();
            for (bought, tier) in [(needed, 1), (&before, 0)] {
                let history = entries(&[(bought, 500), ("2024-02-29", 300)]);
                assert_eq!(made(&history), Ok(checkpoint));
                let found = standing_from(
                    Some(&checkpoint),
                    &LADDER,
                    window,
                    &history,
                    noon("2024-02-29"),
                    &Berlin,
                );
                assert_eq!(found.expect("fits").map(|found| found.tier), Some(tier), "{bought}");
            }
        }
    }

    #[test]
    fn only_what_counts_together_has_to_fit() {
        let most = i64::MAX;
        let now = noon("2026-12-01");
        for window in [TierWindow::Rolling12Months, TierWindow::CalendarYear] {
            let stand = |list: &[(&str, i64)]| standing(&LADDER, window, &entries(list), now, &Berlin);
            let apart = stand(&[("2020-01-01", most), ("2022-01-02", most), ("2026-05-01", most)]);
            assert_eq!(apart.expect("fits").map(|found| found.qualifying), Some(Points(most)));
            let returned = stand(&[("2026-05-01", most), ("2026-05-01", most), ("2026-05-01", -most)]);
            assert_eq!(returned.expect("fits").map(|found| found.tier), Some(2));
            assert_eq!(stand(&[("2026-05-01", most), ("2026-05-02", 1)]), Err(Overflow));
            assert_eq!(stand(&[("2026-05-01", i64::MIN), ("2026-05-02", -1)]), Err(Overflow));
            let last = Instant::MAX_UTC;
            let history = [Qualifying {
                at: last,
                points: Points(most),
            }];
            assert_eq!(standing(&LADDER, window, &history, last, &Berlin), Err(Overflow));
        }
        for (collected, needed) in [(most, most), (i64::MIN, most), (most, i64::MIN), (most - 1, most)] {
            assert_eq!(percent(Points(collected), Points(needed)) == 100, collected >= needed);
        }
    }

    /// Days from 2020 on, with returns and days that come to nothing or less.
    fn any_history() -> impl Strategy<Value = Vec<Qualifying>> {
        let entry = (0..2600i64, 0..4i64, -300..900i64).prop_map(|(day, hours, points)| Qualifying {
            at: noon("2020-01-01") + TimeDelta::days(day) + TimeDelta::hours(hours * 6),
            points: Points(points),
        });
        prop::collection::vec((entry, 0..4u8), 0..40).prop_map(|list| {
            let returned = |&(entry, kind): &(Qualifying, u8)| {
                (kind == 0).then_some(Qualifying {
                    points: -entry.points,
                    ..entry
                })
            };
            let returns: Vec<_> = list.iter().filter_map(returned).collect();
            list.into_iter().map(|(entry, _)| entry).chain(returns).collect()
        })
    }

    fn any_ladder() -> impl Strategy<Value = Vec<Points>> {
        prop::collection::vec(1..900i64, 0..4).prop_map(|steps| {
            let rise = |at: &mut i64, step| {
                *at += step;
                Some(Points(*at))
            };
            [Points::ZERO]
                .into_iter()
                .chain(steps.into_iter().scan(0, rise))
                .collect()
        })
    }

    /// The rules as they are worded, one day after the other, with nothing kept but the tier.
    fn day_by_day(
        ladder: &[Points],
        window: TierWindow,
        history: &[Qualifying],
        now: Instant,
    ) -> (usize, Option<NaiveDate>) {
        let counts = |day: NaiveDate, until: Instant| -> Points {
            let first = window_start(window, day).expect("fits");
            let counted = |entry: &&Qualifying| entry.at <= until && (first..=day).contains(&day_of(entry.at, &Berlin));
            history.iter().filter(counted).map(|entry| entry.points).sum()
        };
        let highest = |points: Points| {
            (1..ladder.len())
                .filter(|&tier| ladder[tier] <= points)
                .max()
                .unwrap_or(0)
        };
        let mut instants: Vec<Instant> = history.iter().map(|entry| entry.at).filter(|&at| at <= now).collect();
        instants.sort_unstable();
        instants.dedup();
        let comes_to = |at: Instant| {
            history
                .iter()
                .filter(|entry| entry.at == at)
                .map(|entry| entry.points.0)
                .sum::<i64>()
        };
        instants.retain(|&at| comes_to(at) != 0);
        let (mut tier, mut last_day) = (0, None);
        let begin = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date");
        for day in begin.iter_days().take_while(|&day| day <= day_of(now, &Berlin)) {
            if let Some(last) = last_day.filter(|&last: &NaiveDate| last.succ_opt() == Some(day)) {
                tier = tier.min(highest(counts(last, now)));
                last_day = (tier > 0).then(|| add_months(last, 12).expect("fits"));
            }
            for &at in instants.iter().filter(|&&at| day_of(at, &Berlin) == day) {
                let reached = highest(counts(day, at));
                if reached > tier && window == TierWindow::Rolling12Months {
                    (tier, last_day) = (reached, Some(add_months(day, 12).expect("fits")));
                }
                if reached > 0 && reached >= tier && window == TierWindow::CalendarYear {
                    (tier, last_day) = (reached, NaiveDate::from_ymd_opt(day.year() + 1, 12, 31));
                }
            }
        }
        (tier, last_day)
    }

    fn any_window() -> impl Strategy<Value = TierWindow> {
        prop_oneof![Just(TierWindow::Rolling12Months), Just(TierWindow::CalendarYear)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
        #[test]
        fn a_standing_is_what_days_told_one_by_one_come_to(ladder in any_ladder(), history in any_history(), window in any_window(), now in 0..3600i64) {
            let now = noon("2020-01-01") + TimeDelta::days(now);
            let found = standing(&ladder, window, &history, now, &Berlin).expect("fits").expect("a ladder");
            let (tier, last_day) = day_by_day(&ladder, window, &history, now);
            let end = last_day.map(|day| start_of_day(day.succ_opt().expect("a day"), &Berlin).expect("fits"));
            prop_assert_eq!((found.tier, found.valid_until), (tier, end));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]
        #[test]
        fn a_checkpoint_saves_history_and_changes_nothing(
            ladder in any_ladder(),
            history in any_history(),
            window in any_window(),
            now in 0..3600i64,
            ages in prop::collection::vec(0..1500i64, 1..4),
        ) {
            let now = noon("2020-01-01") + TimeDelta::days(now);
            let whole = standing(&ladder, window, &history, now, &Berlin).expect("fits");
            let mut days: Vec<_> = ages.iter().map(|&age| day_of(now - TimeDelta::days(age), &Berlin)).collect();
            days.sort_unstable();
            let needed = |checkpoint: Option<&Checkpoint>| -> Vec<Qualifying> {
                let first = checkpoint.map(|found| history_needed(found, window).expect("fits"));
                let is_needed = |entry: &&Qualifying| first.is_none_or(|first| first <= day_of(entry.at, &Berlin));
                history.iter().filter(is_needed).copied().collect()
            };
            let mut checkpoint = None;
            for day in days {
                let rest = needed(checkpoint.as_ref());
                let made = checkpoint_at(checkpoint.as_ref(), &ladder, window, &rest, day, &Berlin).expect("fits");
                prop_assert_eq!(Ok(made), checkpoint_at(None, &ladder, window, &history, day, &Berlin));
                for known in [&needed(Some(&made)), &history] {
                    let found = standing_from(Some(&made), &ladder, window, known, now, &Berlin).expect("fits");
                    prop_assert_eq!(found, whole);
                }
                checkpoint = Some(made);
            }
            // One of no use counts as none.
            let late = Checkpoint { day: day_of(now, &Berlin).succ_opt().expect("a day"), tier: 0, last_day: None };
            let high = Checkpoint { day: day_of(now, &Berlin), tier: ladder.len(), last_day: None };
            for useless in [late, high] {
                prop_assert_eq!(standing_from(Some(&useless), &ladder, window, &history, now, &Berlin), Ok(whole));
            }
        }
    }

    #[test]
    fn a_purchase_that_went_back_whole_is_no_moment_to_reach_a_tier() {
        // What is less than nothing leaves the year before what is more, so that a day without purchases would reach 800.
        let kept = entries(&[("2022-09-06", -1), ("2023-06-07", 420), ("2023-07-19", 380)]);
        let gone = entries(&[("2024-06-06", 50), ("2024-06-06", -50)]);
        let stand = |history: &[Qualifying]| {
            standing(
                &LADDER,
                TierWindow::Rolling12Months,
                history,
                noon("2024-06-07"),
                &Berlin,
            )
        };
        assert_eq!(stand(&[kept.clone(), gone].concat()), stand(&kept));
    }

    proptest! {
        #[test]
        fn a_returned_purchase_leaves_no_tier_behind(history in any_history(), window in any_window(), which in 0..40usize, now in 0..3000i64) {
            let now = noon("2020-01-01") + TimeDelta::days(now);
            let stand = |history: &[Qualifying]| standing(&LADDER, window, history, now, &Berlin).expect("fits");
            let Some(&gone) = history.get(which) else { return Ok(()) };
            let mut without = history.clone();
            without.remove(which);
            let mut returned = history;
            returned.push(Qualifying { points: -gone.points, ..gone });
            prop_assert_eq!(stand(&returned), stand(&without));
        }

        #[test]
        fn more_points_never_mean_a_lower_tier(history in any_history(), window in any_window(), extra in 0..2000i64, now in 0..3000i64) {
            let now = noon("2020-01-01") + TimeDelta::days(now);
            let stand = |history: &[Qualifying]| standing(&LADDER, window, history, now, &Berlin).expect("fits").expect("a ladder");
            let mut more = history.clone();
            more.push(Qualifying { at: noon("2020-01-01") + TimeDelta::days(extra), points: Points(500) });
            // By the rolling year an early step up can end earlier than a late one, so only what counts is compared there.
            prop_assert!(stand(&more).qualifying >= stand(&history).qualifying);
            if window == TierWindow::CalendarYear {
                prop_assert!(stand(&more).tier >= stand(&history).tier);
            }
        }
    }
}
