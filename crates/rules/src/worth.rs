//! What points are worth in money, and how many points a sum of money takes.

use loyalty_contract::programme::PointValue;
use loyalty_contract::{Money, Points};

use crate::{Overflow, ceil_div, floor_div};

/// What points take off at the till: `⌊points × value.money ÷ value.points⌋`, nothing for points at or below zero.
///
/// # Errors
/// [`Overflow`] where the sum does not fit.
pub fn worth(points: Points, value: &PointValue) -> Result<Money, Overflow> {
    let minor = if points <= Points::ZERO {
        0
    } else {
        floor_div(
            i128::from(points.0) * i128::from(value.money.minor),
            i128::from(value.points.0),
        )?
    };
    Ok(Money::new(minor, value.money.currency))
}

/// The fewest points that are worth so many minor units: `⌈minor × value.points ÷ value.money⌉`.
///
/// # Errors
/// [`Overflow`] where the number does not fit.
pub fn points_for(minor: i64, value: &PointValue) -> Result<Points, Overflow> {
    if minor <= 0 {
        return Ok(Points::ZERO);
    }
    ceil_div(
        i128::from(minor) * i128::from(value.points.0),
        i128::from(value.money.minor),
    )
    .map(Points)
}

/// The fewest points that are worth the same as these: what a spend charges.
///
/// # Errors
/// [`Overflow`] where a number does not fit.
pub fn cheapest(points: Points, value: &PointValue) -> Result<Points, Overflow> {
    points_for(worth(points, value)?.minor, value)
}

#[cfg(test)]
mod tests {
    use loyalty_contract::Currency;
    use proptest::prelude::*;

    use super::*;

    fn value(points: i64, minor: i64) -> PointValue {
        let currency = Currency::parse("EUR").expect("EUR");
        PointValue {
            points: Points(points),
            money: Money::new(minor, currency),
        }
    }

    #[test]
    fn the_contracts_own_numbers() {
        let brightleaf = value(100, 50);
        for (points, minor) in [(1250, 625), (120, 60), (85, 42), (1, 0), (0, 0), (-40, 0)] {
            assert_eq!(
                worth(Points(points), &brightleaf).map(|m| m.minor),
                Ok(minor),
                "{points}"
            );
        }
        assert_eq!(points_for(400, &brightleaf), Ok(Points(800)));
        assert_eq!(worth(Points(i64::MAX), &value(1, 1000)), Err(Overflow));
        assert_eq!(points_for(400, &value(100, 0)), Err(Overflow));
    }

    proptest! {
        #[test]
        fn every_worth_and_price_is_exact_or_an_overflow(amount in 1..=i64::MAX, per in 1..=i64::MAX, unit in 1..=i64::MAX, scale in 0..63u32) {
            let (amount, per, unit) = (amount >> scale, (per >> (scale / 2)).max(1), (unit >> (scale / 3)).max(1));
            let value = value(per, unit);
            let (found_worth, found_price) = (worth(Points(amount), &value), points_for(amount, &value));
            let (amount, per, unit) = (i128::from(amount), i128::from(per), i128::from(unit));
            let most = i128::from(i64::MAX);
            match found_worth {
                Ok(found) => {
                    let found = i128::from(found.minor);
                    prop_assert!(found * per <= amount * unit && amount * unit < (found + 1) * per);
                }
                Err(Overflow) => prop_assert!(amount * unit / per > most),
            }
            match found_price {
                Ok(found) => {
                    let found = i128::from(found.0);
                    prop_assert!((found - 1) * unit < amount * per && amount * per <= found * unit);
                }
                Err(Overflow) => prop_assert!(amount * per > most * unit),
            }
        }

        #[test]
        fn splitting_a_spend_never_gives_more(a in 0..i64::MAX / 1_000_000, b in 0..i64::MAX / 1_000_000, per in 1..10_000i64, unit in 1..10_000i64) {
            let value = value(per, unit);
            let worth = |points| worth(Points(points), &value).expect("fits").minor;
            prop_assert!(worth(a) + worth(b) <= worth(a + b));
            let (a, b) = (a / 10_000, b / 10_000);
            let price = |minor| points_for(minor, &value).expect("fits").0;
            prop_assert!(price(a) + price(b) >= price(a + b));
        }

        #[test]
        fn a_round_trip_never_creates_value(points in 0..i64::MAX / 1_000_000, per in 1..10_000i64, minor in 1..10_000i64) {
            let value = value(per, minor);
            let money = worth(Points(points), &value).expect("fits");
            let back = points_for(money.minor, &value).expect("fits");
            prop_assert!(back <= Points(points));
            prop_assert_eq!(worth(back, &value).expect("fits"), money);
        }

        #[test]
        fn the_price_of_a_sum_is_the_lowest_that_pays_it(minor in 1..1_000_000_000i64, per in 1..10_000i64, unit in 1..10_000i64) {
            let value = value(per, unit);
            let price = points_for(minor, &value).expect("fits");
            prop_assert!(worth(price, &value).expect("fits").minor >= minor);
            prop_assert!(worth(price - Points(1), &value).expect("fits").minor < minor);
        }
    }
}
