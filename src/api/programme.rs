//! The programme, and the texts of a language, which lie beside the wallet as a file.

use gloo_net::http::Request;
use loyalty_contract::Page;
use loyalty_contract::account::NewAgreement;
use loyalty_contract::programme::{Programme, Terms};
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use super::{ApiError, PATIENCE_MS, get, send, url, written};

/// What makes this shop's programme different.
pub async fn get_programme() -> Result<Programme, ApiError> {
    get(&url("/programme", &[])).await
}

/// The versions of the terms that were published, newest first.
pub async fn list_terms() -> Result<Vec<Terms>, ApiError> {
    let page: Page<Terms> = get(&url("/programme/terms", &[])).await?;
    Ok(page.items)
}

/// Agrees to a version of the terms.
pub async fn agree_to_terms(version: u32) -> Result<(), ApiError> {
    let request = Request::post(&url("/me/terms", &[]));
    send(request, written(&NewAgreement { version })).await.map(|_| ())
}

/// The texts of a file in `/locales/`, parsed: of a language, or of the screens behind the first one in it.
pub async fn get_texts(name: &str) -> Result<JsValue, ApiError> {
    // A plain request, so that it is the one that `boot.js` sent ahead.
    let unreachable = |_: gloo_net::Error| ApiError::Unreachable;
    let response = Request::get(&format!("/locales/{name}.json"))
        .abort_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE_MS)))
        .send()
        .await
        .map_err(unreachable)?;
    if !response.ok() {
        return Err(ApiError::Unreadable);
    }
    let text = response.text().await.map_err(unreachable)?;
    js_sys::JSON::parse(&text).map_err(|_| ApiError::Unreadable)
}
