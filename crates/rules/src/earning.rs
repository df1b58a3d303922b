//! What a purchase earns.

use loyalty_contract::Points;
use loyalty_contract::programme::Earning;

use crate::{Overflow, ceil_div, floor_div};

/// The multiplier of a tier that earns at the programme's own rate, in thousandths.
pub const PLAIN_RATE_PERMILLE: u32 = 1000;

/// What so many minor units earn: `⌊minor × earning.points × multiplier ÷ (earning.per_money × 1000)⌋`, rounded
/// once, down, at the end; nothing for a total at or below zero.
///
/// # Errors
/// [`Overflow`] where the number does not fit.
pub fn earned(minor: i64, earning: &Earning, multiplier_permille: u32) -> Result<Points, Overflow> {
    if minor <= 0 {
        return Ok(Points::ZERO);
    }
    let points = (i128::from(minor) * i128::from(earning.points.0))
        .checked_mul(i128::from(multiplier_permille))
        .ok_or(Overflow)?;
    floor_div(
        points,
        i128::from(earning.per_money.minor) * i128::from(PLAIN_RATE_PERMILLE),
    )
    .map(Points)
}

/// The least that one has to buy for so many points, in minor units; `None` where nothing earns that much.
pub fn minor_for(points: Points, earning: &Earning, multiplier_permille: u32) -> Option<i64> {
    let rate = i128::from(earning.points.0) * i128::from(multiplier_permille);
    if rate <= 0 || points <= Points::ZERO {
        return None;
    }
    let needed = i128::from(points.0)
        .checked_mul(i128::from(earning.per_money.minor))?
        .checked_mul(i128::from(PLAIN_RATE_PERMILLE))?;
    ceil_div(needed, rate).ok()
}

#[cfg(test)]
mod tests {
    use loyalty_contract::programme::PointValue;
    use loyalty_contract::{Currency, Money};
    use proptest::prelude::*;

    use super::*;
    use crate::worth::{points_for, worth};

    fn rate(points: i64, per_minor: i64) -> Earning {
        let currency = Currency::parse("EUR").expect("EUR");
        Earning {
            points: Points(points),
            per_money: Money::new(per_minor, currency),
        }
    }

    #[test]
    fn ten_leaves_for_a_euro() {
        let brightleaf = rate(10, 100);
        for (minor, permille, points) in [
            (850, 1000, 85),
            (4620, 1000, 462),
            (4620, 1200, 554),
            (9, 1000, 0),
            (-5, 1000, 0),
        ] {
            assert_eq!(
                earned(minor, &brightleaf, permille),
                Ok(Points(points)),
                "{minor} at {permille}"
            );
        }
        assert_eq!(earned(i64::MAX, &rate(i64::MAX, 1), u32::MAX), Err(Overflow));
    }

    proptest! {
        #[test]
        fn what_is_earned_is_exact_or_an_overflow(minor in 0..=i64::MAX, points in 0..=i64::MAX, per in 1..=i64::MAX, permille in any::<u32>(), scale in 0..63u32) {
            let (minor, points, per) = (minor >> scale, points >> (scale / 2), (per >> (scale / 3)).max(1));
            let found = earned(minor, &rate(points, per), permille);
            let divisor = i128::from(per) * 1000;
            let product = (i128::from(minor) * i128::from(points)).checked_mul(i128::from(permille));
            match found {
                Ok(found) => {
                    let rest = product.expect("fits") - i128::from(found.0) * divisor;
                    prop_assert!((0..divisor).contains(&rest));
                }
                Err(Overflow) => prop_assert!(product.is_none_or(|product| product / divisor > i128::from(i64::MAX))),
            }
        }

        #[test]
        fn points_turned_into_money_and_spent_again_never_grow(minor in 1..10_000_000i64, points in 1..1000i64, per in 1..100_000i64, permille in 0..3000u32) {
            // A shop that gives back less than was paid: three times the points are worth the money that earns them.
            let rate = rate(points, per);
            let value = PointValue { points: Points(points * 3), money: rate.per_money };
            let first = earned(minor, &rate, permille).expect("fits");
            let money = worth(first, &value).expect("fits");
            prop_assert!(money.minor <= minor);
            let again = earned(money.minor, &rate, permille).expect("fits");
            prop_assert!(again <= first);
            prop_assert!(points_for(money.minor, &value).expect("fits") <= first);
        }

        #[test]
        fn splitting_a_purchase_never_earns_more(a in 0..10_000_000i64, b in 0..10_000_000i64, points in 0..1000i64, per in 1..100_000i64, permille in 0..5000u32) {
            let rate = rate(points, per);
            let apart = earned(a, &rate, permille).expect("fits") + earned(b, &rate, permille).expect("fits");
            prop_assert!(apart <= earned(a + b, &rate, permille).expect("fits"));
        }

        #[test]
        fn the_least_purchase_for_some_points_is_the_least(wanted in 1..1_000_000i64, points in 1..1000i64, per in 1..100_000i64, permille in 1..5000u32) {
            let rate = rate(points, per);
            let minor = minor_for(Points(wanted), &rate, permille).expect("something earns");
            prop_assert!(earned(minor, &rate, permille).expect("fits") >= Points(wanted));
            prop_assert!(earned(minor - 1, &rate, permille).expect("fits") < Points(wanted));
        }
    }
}
