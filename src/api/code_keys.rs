//! The keys of the member's code, one a device.

use loyalty_contract::Page;
use loyalty_contract::code_keys::{CodeKey, CodeKeySecret, NewCodeKey};

use super::{ApiError, Known, Way, delete, encoded, get, post, url};

/// The devices that show the code.
pub async fn list_code_keys(way: Way) -> Result<Known<Vec<CodeKey>>, ApiError> {
    let page: Known<Page<CodeKey>> = get(way, &url("/me/code-keys", &[])).await?;
    Ok(page.map(|page| page.items))
}

/// A key for this device, in place of any other that it had. Its secret is told this once.
pub async fn create_code_key(device_name: String) -> Result<CodeKeySecret, ApiError> {
    post("/me/code-keys", &NewCodeKey { device_name }).await
}

/// Ends a key: its device shows no code any more that would be accepted.
pub async fn delete_code_key(id: &str) -> Result<(), ApiError> {
    delete(&("/me/code-keys/".to_owned() + &encoded(id))).await
}
