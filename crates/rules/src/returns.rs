//! What a returned purchase takes back: exactly what it earned, however it is split, and never twice.

use loyalty_contract::{Instant, Points};

use crate::lots::{Lot, Taken, take_from};
use crate::{Overflow, difference, floor_div};

/// Why a return is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReturnError {
    /// More would be returned than was bought.
    #[error("more would be returned than was bought")]
    ExceedsPurchase,
    /// A number does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// How many points a return takes back: `E(bought − returned before) − E(bought − returned in all)`.
///
/// `earned` is what the purchase would have earned for a sum, at its own rate; all sums are minor units. So
/// returns that add up to the purchase take back exactly what it earned.
///
/// # Errors
/// [`ReturnError`] where more is returned than was bought, or a number does not fit.
pub fn taken_back(
    bought: i64,
    returned_before: i64,
    amount: i64,
    earned: impl Fn(i64) -> Result<Points, Overflow>,
) -> Result<Points, ReturnError> {
    let kept_before = bought.checked_sub(returned_before).ok_or(Overflow)?;
    let kept_after = kept_before.checked_sub(amount).ok_or(Overflow)?;
    if amount < 0 || kept_after < 0 {
        return Err(ReturnError::ExceedsPurchase);
    }
    Ok(difference(earned(kept_before)?, earned(kept_after)?)?)
}

/// Where the points that a return takes back come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// From which lots, the purchase's own first.
    pub taken: Vec<Taken>,
    /// Not taken, since they had expired unused.
    pub forgiven: Points,
    /// Beyond every lot: a new debt.
    pub owed: Points,
}

/// Finds where a return takes its points: from the purchase's own lots (pending or not), then, without taking
/// anything again, from what of it `expired_unused`; then from available lots; then below zero. Among its own lots
/// as among the others, the earliest expiry goes first.
///
/// Expects settled lots. `own` are the places in the list of what the purchase earned: its own lot, and grace lots
/// of what came back of it.
pub fn allocate(points: Points, own: &[usize], expired_unused: Points, lots: &[Lot], now: Instant) -> Allocation {
    let mut left = points.max(Points::ZERO);
    let is_own = |lot: &usize| own.contains(lot);
    let places = || 0..lots.len();

    let valid = places().filter(|lot| is_own(lot) && !lots[*lot].is_expired(now));
    let mut taken = take_from(lots, valid.collect(), left);
    for part in &taken {
        left = left - part.points;
    }

    let forgiven = left.min(expired_unused).max(Points::ZERO);
    left = left - forgiven;

    let others = places().filter(|lot| !is_own(lot) && lots[*lot].is_available(now));
    for part in take_from(lots, others.collect(), left) {
        left = left - part.points;
        taken.push(part);
    }
    Allocation {
        taken,
        forgiven,
        owed: left,
    }
}

/// What so many pieces of a line had cost: `⌊line_total × returned ÷ quantity⌋`, in minor units.
///
/// # Errors
/// [`Overflow`] where the sum does not fit, or the line has no pieces.
pub fn line_value(line_total: i64, quantity: i64, returned: i64) -> Result<i64, Overflow> {
    floor_div(i128::from(line_total) * i128::from(returned), i128::from(quantity))
}

/// What a return by lines gives back of a purchase of `total`: its lines' part of what was paid.
///
/// The lines add up to `lines_sum`, those returned before to `before`, and all that are returned now to `after`.
/// Where vouchers made the customer pay less than the lines, each line counts for less: `⌊x × total ÷ lines_sum⌋`.
/// So returns of every line, however split, add up to the same.
///
/// # Errors
/// [`Overflow`] where a sum does not fit.
pub fn amount_of_lines(total: i64, lines_sum: i64, before: i64, after: i64) -> Result<i64, Overflow> {
    let paid = |lines: i64| {
        if lines_sum <= total {
            Ok(lines)
        } else {
            floor_div(i128::from(lines) * i128::from(total), i128::from(lines_sum))
        }
    };
    paid(after)?.checked_sub(paid(before)?).ok_or(Overflow)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use loyalty_contract::programme::Earning;
    use loyalty_contract::{Currency, Money};
    use proptest::prelude::*;

    use super::*;
    use crate::earning::earned;

    fn at(hour: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn lot(points: i64, available: i64, expires: i64) -> Lot {
        Lot {
            points: Points(points),
            available_at: at(available),
            expires_at: Some(at(expires)),
        }
    }

    #[test]
    fn own_points_go_first_then_others_then_below_zero() {
        let lots = [
            lot(30, 50, 90),
            lot(100, 0, 20),
            lot(20, 0, 80),
            lot(5, 0, 40),
            lot(7, 0, 10),
        ];
        let found = allocate(Points(205), &[0, 3, 4], Points(10), &lots, at(10));
        assert_eq!(
            found.taken.iter().map(|t| (t.lot, t.points.0)).collect::<Vec<_>>(),
            [(3, 5), (0, 30), (1, 100), (2, 20)]
        );
        assert_eq!((found.forgiven, found.owed), (Points(10), Points(40)));
    }

    #[test]
    fn more_than_was_bought_is_refused() {
        let refused = taken_back(1000, 600, 401, |minor| Ok(Points(minor)));
        assert_eq!(refused, Err(ReturnError::ExceedsPurchase));
    }

    /// Lines of a purchase: what each had cost, how many pieces, and how many of them come back each time.
    fn any_lines() -> impl Strategy<Value = Vec<(i64, i64, Vec<i64>)>> {
        let line = (0..100_000i64, 1..12i64, prop::collection::vec(0..12i64, 4));
        prop::collection::vec(line, 1..6)
    }

    proptest! {
        #[test]
        fn returns_by_lines_in_any_split_give_back_what_was_paid_for_them(lines in any_lines(), voucher in 0..200_000i64, points in 1..100i64, per in 1..1000i64) {
            let lines_sum: i64 = lines.iter().map(|line| line.0).sum();
            // Below zero, a deposit or a delivery was paid beside the lines.
            let total = (lines_sum - voucher + 100_000).max(0);
            let rate = Earning { points: Points(points), per_money: Money::new(per, Currency::parse("EUR").expect("EUR")) };
            let earn = |minor| earned(minor, &rate, 1000);
            let mut returned = vec![0; lines.len()];
            let value = |returned: &[i64]| -> i64 {
                let lines = lines.iter().zip(returned);
                lines.map(|(&(cost, quantity, _), &back)| line_value(cost, quantity, back).expect("fits")).sum()
            };
            let (mut paid_back, mut taken, mut before) = (0, Points::ZERO, 0);
            for time in 0..5 {
                for (back, (_, quantity, wanted)) in returned.iter_mut().zip(&lines) {
                    // The last time brings back whatever is left.
                    *back = wanted.get(time).map_or(*quantity, |more| (*back + more).min(*quantity));
                }
                let after = value(&returned);
                let amount = amount_of_lines(total, lines_sum, before, after).expect("fits");
                prop_assert!(amount >= 0);
                taken += taken_back(total, paid_back, amount, earn).expect("no more than was bought");
                paid_back += amount;
                before = after;
            }
            prop_assert_eq!(paid_back, total.min(lines_sum));
            prop_assert_eq!(taken, earn(total).expect("fits") - earn(total - paid_back).expect("fits"));
        }

        #[test]
        fn no_return_is_a_panic_or_a_wrong_number(a in any::<i64>(), b in any::<i64>(), c in any::<i64>(), d in any::<i64>()) {
            let wide = i128::from;
            match line_value(a, b, c) {
                Ok(found) => prop_assert_eq!(wide(found), (wide(a) * wide(c)).div_euclid(wide(b))),
                Err(Overflow) => prop_assert!(b <= 0 || i64::try_from((wide(a) * wide(c)).div_euclid(wide(b))).is_err()),
            }
            let _ = amount_of_lines(a, b, c, d);
            if let Ok(points) = taken_back(a, b, c, |minor| Ok(Points(minor))) {
                prop_assert_eq!(points, Points(c));
            }
            let lots = [lot(a.max(0), 0, 90), lot(b.max(0), 0, 50), lot(c.max(0), 0, 15)];
            let found = allocate(Points(d), &[0, 2, 2, 7], Points(a), &lots, at(10));
            let taken: i128 = found.taken.iter().map(|t| wide(t.points.0)).sum();
            prop_assert_eq!(taken + wide(found.forgiven.0) + wide(found.owed.0), wide(d.max(0)));
        }

        #[test]
        fn returns_in_any_split_leave_zero(parts in prop::collection::vec(0..100_000i64, 1..8), points in 1..100i64, per in 1..1000i64, permille in 0..3000u32) {
            let currency = Currency::parse("EUR").expect("EUR");
            let rate = Earning { points: Points(points), per_money: Money::new(per, currency) };
            let earn = |minor| earned(minor, &rate, permille);
            let bought: i64 = parts.iter().sum();
            let mut before = 0;
            let mut back = Points::ZERO;
            for part in parts {
                back += taken_back(bought, before, part, earn).expect("fits");
                before += part;
            }
            prop_assert_eq!(back, earn(bought).expect("fits"));
        }

        #[test]
        fn every_point_of_a_return_is_accounted_for(points in 0..2000i64, own in 0..500i64, grace in 0..500i64, other in 0..500i64, expired in 0..500i64) {
            let lots = [lot(own, 20, 90), lot(other, 0, 50), lot(grace, 0, 15)];
            let found = allocate(Points(points), &[0, 2], Points(expired), &lots, at(10));
            let taken: Points = found.taken.iter().map(|t| t.points).sum();
            prop_assert_eq!(taken + found.forgiven + found.owed, Points(points));
            prop_assert!(found.owed == Points::ZERO || (taken.0 == own + grace + other && found.forgiven.0 == expired));
        }
    }
}
