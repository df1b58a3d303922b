//! A statement: what happened to a balance in a period, with what it was before and after.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::Points;
use crate::ledger::LedgerEntry;

/// What happened to a balance from one day to another, both included, by the calendar of the programme's time zone.
///
/// Every sum has the sign of its entries, so that `opening` and all sums add up to `closing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Statement {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Available plus pending, before the first day.
    pub opening: Points,
    /// Available plus pending, after the last day.
    pub closing: Points,
    /// What purchases earned.
    pub earned: Points,
    /// What the shop gave.
    pub bonus: Points,
    /// What was turned into vouchers: zero or below.
    pub spent: Points,
    /// What returned purchases took back: zero or below.
    pub returned: Points,
    /// What came back from vouchers.
    pub given_back: Points,
    /// What ended unused: zero or below.
    pub expired: Points,
    /// What staff corrected.
    pub adjusted: Points,
    /// Everything that happened, oldest first; `balance_after` goes by this order.
    pub entries: Vec<LedgerEntry>,
}

/// Which period, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct StatementQuery {
    /// The first day.
    pub from: NaiveDate,
    /// The last day; a statement has 366 days at most.
    pub to: NaiveDate,
    /// How it is written: `json` unless told, here or by `Accept`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<StatementFormat>,
    /// In which language; unless told, by `Accept-Language`, which a link to a file cannot send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// How the calendar of deadlines is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct DeadlinesQuery {
    /// In which language; unless told, by `Accept-Language`, which a link to a file cannot send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// How a statement is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StatementFormat {
    /// For a program.
    Json,
    /// For a spreadsheet: a row for each entry, headed in the asked language.
    Csv,
}
