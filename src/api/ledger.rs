//! What happened to the balance.

use loyalty_contract::Page;
use loyalty_contract::ledger::LedgerEntry;

use super::{ApiError, get, url};

/// A page of entries, newest first: those of some kinds (named as on the wire, separated by commas), or all.
pub async fn list_entries(kinds: Option<&str>, after: Option<&str>) -> Result<Page<LedgerEntry>, ApiError> {
    get(&url(
        "/me/ledger",
        &[("kind", kinds), ("limit", Some(super::PAGE)), ("after", after)],
    ))
    .await
}
