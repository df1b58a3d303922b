//! Purchases that were missed at the till.

use loyalty_contract::Page;
use loyalty_contract::claims::{Claim, NewClaim};

use super::{ApiError, Known, PAGE, Way, get, post_once, url};

/// Claims a purchase; the same key again is the same claim.
pub async fn create_claim(key: &str, claim: &NewClaim) -> Result<Claim, ApiError> {
    post_once("/me/claims", key, claim).await
}

/// The latest claims, newest first.
pub async fn list_claims(way: Way) -> Result<Known<Vec<Claim>>, ApiError> {
    let page: Known<Page<Claim>> = get(way, &url("/me/claims", &[("limit", Some(PAGE))])).await?;
    Ok(page.map(|page| page.items))
}
