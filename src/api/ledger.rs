//! What happened to the balance.

use loyalty_contract::Page;
use loyalty_contract::ledger::{EntryDetails, LedgerEntry};

use super::{ApiError, Known, Way, address_of, encoded, get, url};
use crate::intl;

/// A page of entries, newest first: those of some kinds (named as on the wire, separated by commas), or all.
pub async fn list_entries(
    way: Way,
    kinds: Option<&str>,
    after: Option<&str>,
) -> Result<Known<Page<LedgerEntry>>, ApiError> {
    let query = [("kind", kinds), ("limit", Some(super::PAGE)), ("after", after)];
    get(way, &url("/me/ledger", &query)).await
}

/// One entry, with what explains it.
pub async fn get_entry(way: Way, id: &str) -> Result<Known<EntryDetails>, ApiError> {
    get(way, &url(&("/me/ledger/".to_owned() + &encoded(id)), &[])).await
}

/// Where the days on which something ends or begins are, as a file for a calendar.
pub fn deadlines_address() -> String {
    address_of("/me/deadlines.ics", &[("language", Some(&intl::language()))])
}
