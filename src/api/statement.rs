//! What happened in some time, with its sums.

use chrono::NaiveDate;
use loyalty_contract::statement::Statement;

use super::{ApiError, Known, Way, address_of, get, url};
use crate::intl;

/// The statement from one day to another, both included.
pub async fn get_statement(way: Way, from: NaiveDate, to: NaiveDate) -> Result<Known<Statement>, ApiError> {
    let (from, to) = (from.to_string(), to.to_string());
    get(way, &url("/me/statement", &[("from", Some(&from)), ("to", Some(&to))])).await
}

/// Where the same is, as a file for a spreadsheet.
pub fn table_address(from: NaiveDate, to: NaiveDate) -> String {
    let query = [
        ("from", Some(from.to_string())),
        ("to", Some(to.to_string())),
        ("format", Some("csv".to_owned())),
        ("language", Some(intl::language())),
    ];
    address_of(
        "/me/statement",
        &query.each_ref().map(|(name, value)| (*name, value.as_deref())),
    )
}
