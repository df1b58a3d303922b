//! The arithmetic of a loyalty programme: what money earns, what points are worth, which points are used first,
//! what a return takes back, and where a member stands.
//!
//! Pure: no I/O, no clock, no database. The wallet and the API run the same code, so what a member sees while
//! dragging a slider is what the till will say. Intermediate results have 128 bits; what does not fit in 64 at
//! the end is an [`Overflow`], never a wrong number.

pub mod availability;
pub mod calendar;
pub mod earning;
pub mod lots;
pub mod member_code;
pub mod returns;
pub mod tiers;
pub mod worth;

use loyalty_contract::Points;

/// A result does not fit: beyond 64 bits, or beyond the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the result is too large")]
pub struct Overflow;

/// `⌊value ÷ divisor⌋`, as 64 bits; nothing fits that is divided by zero or less.
fn floor_div(value: i128, divisor: i128) -> Result<i64, Overflow> {
    if divisor <= 0 {
        return Err(Overflow);
    }
    to_i64(value.div_euclid(divisor))
}

/// `⌈value ÷ divisor⌉`, as 64 bits; nothing fits that is divided by zero or less.
fn ceil_div(value: i128, divisor: i128) -> Result<i64, Overflow> {
    let raised = value.checked_add(divisor.saturating_sub(1)).ok_or(Overflow)?;
    floor_div(raised, divisor)
}

/// Adds points up, whatever a part of the sum comes to meanwhile.
fn sum(points: impl Iterator<Item = Points>) -> Result<Points, Overflow> {
    to_i64(points.map(|points| i128::from(points.0)).sum()).map(Points)
}

fn difference(points: Points, less: Points) -> Result<Points, Overflow> {
    points.0.checked_sub(less.0).map(Points).ok_or(Overflow)
}

fn to_i64(value: i128) -> Result<i64, Overflow> {
    value.try_into().map_err(|_| Overflow)
}
