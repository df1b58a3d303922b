//! Lots: points that came together, can be used from one instant and until another. A balance is the sum of its lots.
//!
//! A debt is a lot of its own, below zero and without expiry. Points that become available pay it first; that is
//! worked out here by the clock, whether or not anything ran at that moment.

use chrono::TimeZone;
use loyalty_contract::{Instant, Points};

use crate::calendar::{add_days, day_of, start_of_day};
use crate::{Overflow, difference, sum};

/// How long points last that come back after their own time, in days.
pub const GRACE_DAYS: u32 = 7;

/// Points that came together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// What is left of it; below zero for a debt.
    pub points: Points,
    /// The first instant at which it can be used; for a debt, when it arose.
    pub available_at: Instant,
    /// The first instant at which it cannot; `None` for ever.
    pub expires_at: Option<Instant>,
}

impl Lot {
    /// Whether it counts as available: usable now, or owed.
    pub fn is_available(&self, now: Instant) -> bool {
        self.available_at <= now && !self.is_expired(now)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// How many points of which lot, by its place in the list that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The lot's place in the list.
    pub lot: usize,
    /// How many points, above zero.
    pub points: Points,
}

/// There are fewer points than were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{missing:?} points are missing")]
pub struct Shortfall {
    /// How many can be used; below zero with a debt.
    pub available: Points,
    /// How many are missing.
    pub missing: Points,
}

/// Why points cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TakeError {
    /// There are too few.
    #[error(transparent)]
    Shortfall(#[from] Shortfall),
    /// A number does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// What can be used now, debts subtracted.
///
/// # Errors
/// [`Overflow`] where the sum does not fit.
pub fn available(lots: &[Lot], now: Instant) -> Result<Points, Overflow> {
    sum(lots.iter().filter(|lot| lot.is_available(now)).map(|lot| lot.points))
}

/// What waits for its return window to end.
///
/// # Errors
/// [`Overflow`] where the sum does not fit.
pub fn pending(lots: &[Lot], now: Instant) -> Result<Points, Overflow> {
    let waits = |lot: &&Lot| lot.available_at > now && !lot.is_expired(now);
    sum(lots.iter().filter(waits).map(|lot| lot.points))
}

/// Lets points that became available by `now` pay what is owed, in the order in which they became available.
///
/// A lot that was over before a debt arose pays nothing of it. The sum of the lots stays the same.
pub fn settle(lots: &mut [Lot], now: Instant) {
    for debt in by_availability(lots, |lot| lot.points < Points::ZERO) {
        for payer in by_availability(lots, |lot| lot.points > Points::ZERO && lot.available_at <= now) {
            if lots[payer].is_expired(lots[debt].available_at) {
                continue;
            }
            // The greatest debt has no positive counterpart, but no lot is large enough to pay it at once either.
            let paid = lots[payer].points.min(Points(lots[debt].points.0.saturating_neg()));
            lots[payer].points = lots[payer].points - paid;
            lots[debt].points += paid;
        }
    }
}

/// Which lots a spend takes from: the earliest expiry first, then the oldest.
///
/// Expects settled lots; takes nothing from pending or expired ones.
///
/// # Errors
/// [`TakeError`] where the balance does not cover it, or does not fit; then nothing is to be taken.
pub fn take(lots: &[Lot], points: Points, now: Instant) -> Result<Vec<Taken>, TakeError> {
    let available = available(lots, now)?;
    if available < points {
        let missing = difference(points, available)?;
        return Err(Shortfall { available, missing }.into());
    }
    Ok(take_up_to(lots, points, now))
}

/// Like [`take`], but takes what there is where that is less.
pub fn take_up_to(lots: &[Lot], points: Points, now: Instant) -> Vec<Taken> {
    let usable = (0..lots.len()).filter(|&i| lots[i].is_available(now)).collect();
    take_from(lots, usable, points)
}

/// Takes up to so many points from these lots, in the order in which lots are used.
pub(crate) fn take_from(lots: &[Lot], mut order: Vec<usize>, points: Points) -> Vec<Taken> {
    order.retain(|&i| lots[i].points > Points::ZERO);
    order.sort_by_key(|&i| {
        (
            lots[i].expires_at.is_none(),
            lots[i].expires_at,
            lots[i].available_at,
            i,
        )
    });

    let mut left = points;
    let mut taken = Vec::new();
    for lot in order {
        if left <= Points::ZERO {
            break;
        }
        let part = left.min(lots[lot].points);
        left = left - part;
        taken.push(Taken { lot, points: part });
    }
    taken
}

/// What happens to points that come back, by the lot that they were taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComesBack {
    /// They are in that lot again, with its own expiry.
    ToLot,
    /// That lot is over: they last a little longer, in a grace lot of their own.
    ForGrace {
        /// The first instant at which they cannot be used.
        expires_at: Instant,
    },
    /// That lot was such a grace lot, and it is over too: they are gone.
    Over,
}

/// What happens to points of a lot that come back now, when a redemption is released, lapses or is refunded.
///
/// # Errors
/// [`Overflow`] at the end of the calendar.
pub fn comes_back<Z: TimeZone>(
    expires_at: Option<Instant>,
    is_grace: bool,
    now: Instant,
    zone: &Z,
) -> Result<ComesBack, Overflow> {
    if expires_at.is_none_or(|end| now < end) {
        return Ok(ComesBack::ToLot);
    }
    if is_grace {
        return Ok(ComesBack::Over);
    }
    let end = add_days(day_of(now, zone), i64::from(GRACE_DAYS) + 1)?;
    Ok(ComesBack::ForGrace {
        expires_at: start_of_day(end, zone)?,
    })
}

/// How many of `points` go back to each part of what was taken: to the last first, since it lasts longest.
///
/// `parts` are in the order in which they were taken, each with what has not gone back yet. Where they do not cover
/// `points`, everything goes back.
pub fn give_back(parts: &[Points], points: Points) -> Vec<Points> {
    let mut left = points.max(Points::ZERO);
    let mut back: Vec<Points> = parts
        .iter()
        .rev()
        .map(|&part| {
            let given = left.min(part).max(Points::ZERO);
            left = left - given;
            given
        })
        .collect();
    back.reverse();
    back
}

/// When pending points can be used next, and how many then.
///
/// # Errors
/// [`Overflow`] where the sum does not fit.
pub fn next_activation(lots: &[Lot], now: Instant) -> Result<Option<(Instant, Points)>, Overflow> {
    let waiting = || {
        lots.iter()
            .filter(|lot| lot.available_at > now && lot.points > Points::ZERO)
    };
    let Some(at) = waiting().map(|lot| lot.available_at).min() else {
        return Ok(None);
    };
    let then = waiting().filter(|lot| lot.available_at == at);
    Ok(Some((at, sum(then.map(|lot| lot.points))?)))
}

/// What expires after `now` and up to `until`, soonest first, one sum for each instant.
///
/// # Errors
/// [`Overflow`] where a sum does not fit.
pub fn expirations(lots: &[Lot], now: Instant, until: Instant) -> Result<Vec<(Instant, Points)>, Overflow> {
    let mut ends: Vec<(Instant, Points)> = lots
        .iter()
        .filter(|lot| lot.points > Points::ZERO)
        .filter_map(|lot| lot.expires_at.map(|end| (end, lot.points)))
        .filter(|&(end, _)| now < end && end <= until)
        .collect();
    ends.sort_by_key(|&(end, _)| end);
    ends.chunk_by(|a, b| a.0 == b.0)
        .map(|same| Ok((same[0].0, sum(same.iter().map(|&(_, points)| points))?)))
        .collect()
}

fn by_availability(lots: &[Lot], wanted: impl Fn(&Lot) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lots.len()).filter(|&i| wanted(&lots[i])).collect();
    order.sort_by_key(|&i| (lots[i].available_at, i));
    order
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(hour: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn lot(points: i64, available: i64, expires: Option<i64>) -> Lot {
        Lot {
            points: Points(points),
            available_at: at(available),
            expires_at: expires.map(at),
        }
    }

    fn any_lot() -> impl Strategy<Value = Lot> {
        (-300..1000i64, 0..100i64, proptest::option::of(1..100i64)).prop_map(|(points, available, life)| {
            // A debt has no expiry.
            let expires = if points < 0 {
                None
            } else {
                life.map(|life| available + life)
            };
            lot(points, available, expires)
        })
    }

    const ZONE: chrono_tz::Tz = chrono_tz::America::Sao_Paulo;

    fn total(lots: &[Lot]) -> Points {
        lots.iter().map(|lot| lot.points).sum()
    }

    #[test]
    fn the_earliest_expiry_is_used_first_then_the_oldest() {
        let lots = [
            lot(50, 0, None),
            lot(50, 3, Some(90)),
            lot(50, 2, Some(90)),
            lot(50, 1, Some(40)),
            lot(99, 60, Some(61)),
        ];
        let taken = take(&lots, Points(170), at(10)).expect("covered");
        let order: Vec<_> = taken.iter().map(|t| (t.lot, t.points.0)).collect();
        assert_eq!(order, [(3, 50), (2, 50), (1, 50), (0, 20)]);
        let short = take(&lots, Points(201), at(10)).expect_err("too much");
        assert_eq!(
            short,
            TakeError::Shortfall(Shortfall {
                available: Points(200),
                missing: Points(1)
            })
        );
    }

    #[test]
    fn a_debt_is_paid_once_by_what_becomes_available() {
        let mut lots = [lot(-40, 0, None), lot(85, 5, Some(50)), lot(30, 2, Some(50))];
        settle(&mut lots, at(1));
        assert_eq!(available(&lots, at(1)), Ok(Points(-40)));
        settle(&mut lots, at(6));
        assert_eq!(lots.map(|lot| lot.points.0), [0, 75, 0]);
    }

    #[test]
    fn what_expired_before_a_debt_does_not_pay_it() {
        let mut lots = [lot(100, 0, Some(10)), lot(-40, 20, None)];
        settle(&mut lots, at(30));
        assert_eq!(lots.map(|lot| lot.points.0), [100, -40]);
    }

    #[test]
    fn deadlines_on_the_same_day_are_one_sum() {
        let lots = [
            lot(20, 0, Some(30)),
            lot(5, 0, Some(20)),
            lot(7, 0, Some(30)),
            lot(9, 0, Some(99)),
            lot(3, 40, Some(70)),
        ];
        assert_eq!(
            expirations(&lots, at(10), at(90)),
            Ok(vec![(at(20), Points(5)), (at(30), Points(27)), (at(70), Points(3))])
        );
        assert_eq!(next_activation(&lots, at(10)), Ok(Some((at(40), Points(3)))));
    }

    #[test]
    fn what_comes_back_too_late_lasts_a_week_and_only_once() {
        let instant = |text: &str| text.parse::<Instant>().expect("an instant");
        let zone = chrono_tz::Europe::Berlin;
        let (end, before) = (instant("2026-03-22T23:00:00Z"), instant("2026-03-22T22:59:59Z"));
        for is_grace in [false, true] {
            assert_eq!(comes_back(Some(end), is_grace, before, &zone), Ok(ComesBack::ToLot));
            assert_eq!(comes_back(None, is_grace, end, &zone), Ok(ComesBack::ToLot));
        }
        // On the 23rd, so up to the end of the 30th; summer began in between.
        let expires_at = instant("2026-03-30T22:00:00Z");
        assert_eq!(
            comes_back(Some(end), false, end, &zone),
            Ok(ComesBack::ForGrace { expires_at })
        );
        assert_eq!(comes_back(Some(end), true, end, &zone), Ok(ComesBack::Over));
        let last = Instant::MAX_UTC;
        assert_eq!(comes_back(Some(end), false, last, &zone), Err(Overflow));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let lots = [
            lot(i64::MAX, 0, Some(50)),
            lot(1, 0, Some(50)),
            lot(i64::MAX, 20, Some(60)),
            lot(i64::MAX, 20, Some(60)),
        ];
        assert_eq!(available(&lots, at(1)), Err(Overflow));
        assert_eq!(pending(&lots, at(1)), Err(Overflow));
        assert_eq!(take(&lots, Points(1), at(1)), Err(TakeError::Overflow(Overflow)));
        assert_eq!(next_activation(&lots, at(1)), Err(Overflow));
        assert_eq!(expirations(&lots, at(1), at(90)), Err(Overflow));
        let mut owing = [
            lot(i64::MIN, 0, None),
            lot(i64::MAX, 0, Some(50)),
            lot(i64::MAX, 0, Some(50)),
        ];
        assert_eq!(available(&owing, at(1)), Ok(Points(i64::MAX - 1)));
        settle(&mut owing, at(1));
        assert_eq!(owing.map(|lot| lot.points.0), [0, 0, i64::MAX - 1]);
        let debt = [lot(i64::MIN, 0, None)];
        assert_eq!(take(&debt, Points(1), at(1)), Err(TakeError::Overflow(Overflow)));
        let most = Points(i64::MAX);
        assert_eq!(give_back(&[most, most], most), [Points::ZERO, most]);
    }

    /// Lots through time, with what redemptions took of them.
    #[derive(Default)]
    struct Life {
        lots: Vec<Lot>,
        /// For a grace lot, the lot that its points came from.
        origins: Vec<Option<usize>>,
        /// What each redemption took and was not given back yet.
        redemptions: Vec<Vec<Taken>>,
        /// Points that came back too late for a second time.
        gone: Points,
        /// When points came back too late for the first time, from which lot, and how many.
        late: Vec<(Instant, usize, Points)>,
    }

    impl Life {
        fn hold(&mut self, lot: Lot, origin: Option<usize>) {
            self.lots.push(lot);
            self.origins.push(origin);
        }

        fn spend(&mut self, points: Points, now: Instant) {
            settle(&mut self.lots, now);
            let Ok(taken) = take(&self.lots, points, now) else {
                return;
            };
            for part in &taken {
                self.lots[part.lot].points = self.lots[part.lot].points - part.points;
            }
            self.redemptions.push(taken);
        }

        fn bring_back(&mut self, redemption: usize, points: Points, now: Instant) {
            let Some(taken) = self.redemptions.get_mut(redemption) else {
                return;
            };
            let parts: Vec<Points> = taken.iter().map(|part| part.points).collect();
            let mut back = taken.clone();
            for ((left, back), given) in taken.iter_mut().zip(&mut back).zip(give_back(&parts, points)) {
                left.points = left.points - given;
                back.points = given;
            }
            for part in back.into_iter().filter(|part| part.points > Points::ZERO) {
                let origin = self.origins[part.lot];
                match comes_back(self.lots[part.lot].expires_at, origin.is_some(), now, &ZONE).expect("fits") {
                    ComesBack::ToLot => self.lots[part.lot].points += part.points,
                    ComesBack::ForGrace { expires_at } => {
                        self.late.push((now, part.lot, part.points));
                        let lot = Lot {
                            points: part.points,
                            available_at: now,
                            expires_at: Some(expires_at),
                        };
                        self.hold(lot, Some(part.lot));
                    }
                    ComesBack::Over => self.gone += part.points,
                }
            }
            settle(&mut self.lots, now);
        }

        fn everything(&self) -> Points {
            let out = self.redemptions.iter().flatten().map(|part| part.points);
            total(&self.lots) + out.sum() + self.gone
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Get(i64, i64),
        Owe(i64),
        Spend(i64),
        BringBack(usize, i64),
    }

    fn any_step() -> impl Strategy<Value = (i64, Step)> {
        let step = prop_oneof![
            (1..500i64, 1..1500i64).prop_map(|(points, life)| Step::Get(points, life)),
            (1..200i64).prop_map(Step::Owe),
            (1..600i64).prop_map(Step::Spend),
            (0..12usize, 1..600i64).prop_map(|(which, points)| Step::BringBack(which, points)),
        ];
        (0..200i64, step)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]
        #[test]
        fn no_taking_and_giving_back_keeps_a_point_alive_for_ever(steps in prop::collection::vec(any_step(), 1..40), hold in 1..400i64) {
            let mut life = Life::default();
            let mut granted = vec![];
            let (mut hour, mut got, mut last_end) = (0, Points::ZERO, at(0));
            for (hours, step) in steps {
                hour += hours;
                let now = at(hour);
                match step {
                    Step::Get(points, valid) => {
                        got += Points(points);
                        last_end = last_end.max(at(hour + valid));
                        granted.push((life.lots.len(), Points(points)));
                        life.hold(lot(points, hour, Some(hour + valid)), None);
                    }
                    Step::Owe(points) => {
                        got = got - Points(points);
                        life.hold(lot(-points, hour, None), None);
                    }
                    Step::Spend(points) => life.spend(Points(points), now),
                    Step::BringBack(which, points) => life.bring_back(which, Points(points), now),
                }
                prop_assert_eq!(life.everything(), got);
            }

            // Somebody who takes whatever there is, again and again, and brings everything back some time later.
            let latest = last_end.max(at(hour)) + TimeDelta::hours(hold);
            let grace = TimeDelta::days(i64::from(GRACE_DAYS) + 1);
            while at(hour) < latest + grace {
                let usable = available(&life.lots, at(hour)).expect("fits");
                if usable > Points::ZERO {
                    life.spend(usable, at(hour));
                }
                hour += hold;
                for redemption in 0..life.redemptions.len() {
                    life.bring_back(redemption, Points(i64::MAX), at(hour));
                }
                prop_assert_eq!(life.everything(), got);
            }
            prop_assert!(life.late.iter().all(|&(at, ..)| at <= latest));
            prop_assert!(available(&life.lots, at(hour)).expect("fits") <= Points::ZERO);
            prop_assert!(life.redemptions.iter().flatten().all(|part| part.points == Points::ZERO));

            // Each point came back late once at most.
            for (origin, points) in granted {
                let late = life.late.iter().filter(|&&(_, from, _)| from == origin);
                prop_assert!(late.map(|&(_, _, points)| points).sum::<Points>() <= points);
            }
            prop_assert!(life.origins.iter().flatten().all(|&origin| life.origins[origin].is_none()));
        }
    }

    proptest! {
        #[test]
        fn what_goes_back_is_what_was_taken_last(parts in prop::collection::vec(0..500i64, 0..8), points in -10..3000i64) {
            let parts: Vec<Points> = parts.into_iter().map(Points).collect();
            let back = give_back(&parts, Points(points));
            prop_assert_eq!(back.len(), parts.len());
            let all: Points = parts.iter().copied().sum();
            prop_assert_eq!(back.iter().copied().sum::<Points>(), Points(points.max(0)).min(all));
            for (place, (given, part)) in back.iter().zip(&parts).enumerate() {
                prop_assert!(Points::ZERO <= *given && given <= part);
                prop_assert!(given == part || back[..place].iter().all(|&before| before == Points::ZERO));
            }
        }

        #[test]
        fn a_grace_is_seven_whole_days_after_today(hours in 0..400_000i64, over_since in 0..10_000i64) {
            let now = at(hours);
            let end = now - TimeDelta::hours(over_since);
            let found = comes_back(Some(end), false, now, &ZONE).expect("fits");
            let ComesBack::ForGrace { expires_at } = found else {
                return Err(TestCaseError::fail("it was over"));
            };
            let last = day_of(expires_at - TimeDelta::milliseconds(1), &ZONE);
            prop_assert_eq!(last, add_days(day_of(now, &ZONE), i64::from(GRACE_DAYS)).expect("fits"));
            prop_assert!(day_of(expires_at, &ZONE) > last);
        }

        #[test]
        fn a_debt_is_paid_once_and_by_no_more_than_it_takes(mut lots in prop::collection::vec(any_lot(), 0..12), now in 0..120i64, later in 0..60i64) {
            let first = lots.clone();
            let owed = |lots: &[Lot]| lots.iter().map(|lot| lot.points.min(Points::ZERO)).sum::<Points>();
            for now in [now, now + later] {
                let before = lots.clone();
                settle(&mut lots, at(now));
                for (lot, was) in lots.iter().zip(&before) {
                    let range = if was.points > Points::ZERO { Points::ZERO..=was.points } else { was.points..=Points::ZERO };
                    prop_assert!(range.contains(&lot.points));
                    prop_assert!(lot.points == was.points || lot.available_at <= at(now) || lot.expires_at.is_none());
                }
                let paid = total(&before) - owed(&before) - (total(&lots) - owed(&lots));
                prop_assert_eq!(paid, owed(&lots) - owed(&before));
            }
            // Looking at it in between changes nothing of what is owed in the end.
            let mut once = first;
            settle(&mut once, at(now + later));
            prop_assert_eq!(owed(&once), owed(&lots));
        }

        #[test]
        fn settling_moves_points_but_makes_and_loses_none(mut lots in prop::collection::vec(any_lot(), 0..12), now in 0..120i64) {
            let before = total(&lots);
            settle(&mut lots, at(now));
            prop_assert_eq!(total(&lots), before);
            let once = lots.clone();
            settle(&mut lots, at(now));
            prop_assert_eq!(lots, once);
        }

        #[test]
        fn a_spend_takes_exactly_its_points_from_usable_lots(mut lots in prop::collection::vec(any_lot(), 0..12), now in 0..120i64, points in 1..2000i64) {
            settle(&mut lots, at(now));
            match take(&lots, Points(points), at(now)) {
                Ok(taken) => {
                    prop_assert_eq!(taken.iter().map(|t| t.points).sum::<Points>(), Points(points));
                    for t in taken {
                        prop_assert!(lots[t.lot].is_available(at(now)) && t.points <= lots[t.lot].points);
                    }
                }
                Err(TakeError::Shortfall(short)) => prop_assert_eq!(short.available + short.missing, Points(points)),
                Err(TakeError::Overflow(overflow)) => prop_assert!(false, "{}", overflow),
            }
        }
    }
}
