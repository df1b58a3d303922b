//! Benchmarks: each prints figures beside a baseline that was taken in the same minute on the same machine.

pub mod import;
pub mod ledger;
pub mod lighthouse;
pub mod start;
pub mod wallet;
