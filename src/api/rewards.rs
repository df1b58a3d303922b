//! What points can be turned into.

use loyalty_contract::Page;
use loyalty_contract::rewards::{Reward, RewardQuery};

use super::{ApiError, get, url};

/// A page of the catalogue.
pub async fn list_rewards(query: &RewardQuery) -> Result<Page<Reward>, ApiError> {
    get(&url("/rewards", query)).await
}

/// One reward.
pub async fn get_reward(id: &str) -> Result<Reward, ApiError> {
    get(&url(
        &format!("/rewards/{}", String::from(js_sys::encode_uri_component(id))),
        &(),
    ))
    .await
}
