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
pub mod returns;
pub mod tiers;
pub mod worth;

/// A result does not fit: beyond 64 bits, or beyond the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the result is too large")]
pub struct Overflow;

/// `⌊value ÷ divisor⌋` for a divisor above zero, as 64 bits.
fn floor_div(value: i128, divisor: i128) -> Result<i64, Overflow> {
    let quotient = value.checked_div_euclid(divisor).ok_or(Overflow)?;
    quotient.try_into().map_err(|_| Overflow)
}

/// `⌈value ÷ divisor⌉` for a divisor above zero, as 64 bits.
fn ceil_div(value: i128, divisor: i128) -> Result<i64, Overflow> {
    let raised = value.checked_add(divisor - 1).ok_or(Overflow)?;
    floor_div(raised, divisor)
}
