//! The programme, and the texts of a language, which lie beside the wallet as a file.

use gloo_net::http::Method;
use loyalty_contract::Page;
use loyalty_contract::account::NewAgreement;
use loyalty_contract::programme::{Programme, Terms};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::{ApiError, Known, Way, ask, get, network, read, send, url, written};

/// What makes this shop's programme different.
pub async fn get_programme(way: Way) -> Result<Known<Programme>, ApiError> {
    get(way, &url("/programme", &[])).await
}

/// The versions of the terms that were published, newest first.
pub async fn list_terms(way: Way) -> Result<Known<Vec<Terms>>, ApiError> {
    let page: Known<Page<Terms>> = get(way, &url("/programme/terms", &[])).await?;
    Ok(page.map(|page| page.items))
}

/// Agrees to a version of the terms.
pub async fn agree_to_terms(version: u32) -> Result<(), ApiError> {
    let body = written(&NewAgreement { version });
    send(Method::POST, "/me/terms", ("", ""), body).await.map(|_| ())
}

/// The texts of a file in `/locales/`, parsed: of a language, or of the screens behind the first one in it.
pub async fn get_texts(name: &str) -> Result<JsValue, ApiError> {
    let path = ["/locales/", name, ".json"].concat();
    read(&ask(Method::GET, &path, ("", ""), None).await?)
}

/// Has the page get the style of the screens behind the first one; without it they are there all the same.
pub async fn get_styles() {
    let _ = JsFuture::from(network::styles()).await;
}
