//! What the member has.

use loyalty_contract::status::Status;

use super::{ApiError, Known, Way, get, url};

/// The one document that the home screen needs.
pub async fn get_status(way: Way) -> Result<Known<Status>, ApiError> {
    get(way, &url("/me/status", &[])).await
}
