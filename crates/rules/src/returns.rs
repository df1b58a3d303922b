//! What a returned purchase takes back: exactly what it earned, however it is split, and never twice.

use loyalty_contract::{Instant, Points};

use crate::Overflow;
use crate::lots::{Lot, Taken, take_up_to};

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
    Ok(earned(kept_before)? - earned(kept_after)?)
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

/// Finds where a return takes its points: from the purchase's own lot (pending or not), then, without taking
/// anything again, from what of it `expired_unused`; then from available lots by earliest expiry; then below zero.
///
/// Expects settled lots. `own` is the own lot's place in the list, where anything of it is left.
pub fn allocate(points: Points, own: Option<usize>, expired_unused: Points, lots: &[Lot], now: Instant) -> Allocation {
    let mut left = points;
    let mut taken = Vec::new();
    let mut others = lots.to_vec();

    if let Some(lot) = own.filter(|&lot| !lots[lot].is_expired(now)) {
        let part = left.min(lots[lot].points).max(Points::ZERO);
        if part > Points::ZERO {
            taken.push(Taken { lot, points: part });
        }
        others[lot].points = Points::ZERO;
        left = left - part;
    }

    let forgiven = left.min(expired_unused).max(Points::ZERO);
    left = left - forgiven;

    for part in take_up_to(&others, left, now) {
        left = left - part.points;
        taken.push(part);
    }
    Allocation {
        taken,
        forgiven,
        owed: left,
    }
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
        let lots = [lot(30, 50, 90), lot(100, 0, 20), lot(20, 0, 80)];
        let found = allocate(Points(200), Some(0), Points(10), &lots, at(10));
        assert_eq!(
            found.taken.iter().map(|t| (t.lot, t.points.0)).collect::<Vec<_>>(),
            [(0, 30), (1, 100), (2, 20)]
        );
        assert_eq!((found.forgiven, found.owed), (Points(10), Points(40)));
    }

    #[test]
    fn more_than_was_bought_is_refused() {
        let refused = taken_back(1000, 600, 401, |minor| Ok(Points(minor)));
        assert_eq!(refused, Err(ReturnError::ExceedsPurchase));
    }

    proptest! {
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
        fn every_point_of_a_return_is_accounted_for(points in 0..2000i64, own in 0..500i64, other in 0..500i64, expired in 0..500i64) {
            let lots = [lot(own, 20, 90), lot(other, 0, 50)];
            let found = allocate(Points(points), Some(0), Points(expired), &lots, at(10));
            let taken: Points = found.taken.iter().map(|t| t.points).sum();
            prop_assert_eq!(taken + found.forgiven + found.owed, Points(points));
            prop_assert!(found.owed == Points::ZERO || (taken.0 == own + other && found.forgiven.0 == expired));
        }
    }
}
