//! What happened to the balance.

use loyalty_contract::Page;
use loyalty_contract::ledger::{LedgerEntry, LedgerQuery};

use super::{ApiError, get, url};

/// A page of entries, newest first.
pub async fn list_ledger(query: &LedgerQuery) -> Result<Page<LedgerEntry>, ApiError> {
    get(&url("/me/ledger", query)).await
}
