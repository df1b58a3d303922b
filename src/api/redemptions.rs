//! Points that are turned into a voucher, and what becomes of it.

use loyalty_contract::Page;
use loyalty_contract::redemptions::{NewRedemption, Redemption, RedemptionState};
use serde::Serialize;

use super::{ApiError, Known, PAGE, Way, encoded, get, post_once, url};

/// Does what a quote said, once for each key.
pub async fn create_redemption(key: &str, quote_id: &str) -> Result<Redemption, ApiError> {
    let quote_id = quote_id.to_owned();
    post_once("/redemptions", key, &NewRedemption { quote_id }).await
}

/// Gives a voucher back, once for each key.
pub async fn release_redemption(key: &str, id: &str) -> Result<Redemption, ApiError> {
    #[derive(Serialize)]
    struct Nothing {}
    post_once(&(path(id) + "/release"), key, &Nothing {}).await
}

/// One voucher.
pub async fn get_redemption(way: Way, id: &str) -> Result<Known<Redemption>, ApiError> {
    get(way, &url(&path(id), &[])).await
}

/// A page of the member's vouchers, newest first: those in a state, or all.
pub async fn list_redemptions(
    way: Way,
    state: Option<RedemptionState>,
    after: Option<&str>,
) -> Result<Known<Page<Redemption>>, ApiError> {
    let query = [
        ("state", state.map(RedemptionState::as_str)),
        ("limit", Some(PAGE)),
        ("after", after),
    ];
    get(way, &url("/me/redemptions", &query)).await
}

fn path(id: &str) -> String {
    "/redemptions/".to_owned() + &encoded(id)
}
