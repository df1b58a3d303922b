//! What the member has.

use loyalty_contract::status::Status;

use super::{ApiError, get, url};

/// The one document that the home screen needs.
pub async fn get_status() -> Result<Status, ApiError> {
    get(&url("/me/status", &[])).await
}
