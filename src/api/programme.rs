//! The programme, and the texts of a language, which lie beside the wallet as a file.

use gloo_net::http::Method;
use loyalty_contract::Page;
use loyalty_contract::account::NewAgreement;
use loyalty_contract::programme::{Programme, Terms};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::read::field;
use super::{ApiError, Known, Way, ask, get, get_as, network, read, send, url, written};

/// What makes this shop's programme different, in a language.
pub async fn get_programme(language: String, way: Way) -> Result<Known<Programme>, ApiError> {
    get_as(&language, way, &url("/programme", &[]), |answer| field(answer, "value")).await
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

/// The texts of a language in `/locales/`, parsed; with a suffix those of the screens behind the first one.
pub async fn get_texts(language: &str, suffix: &str) -> Result<JsValue, ApiError> {
    let path = ["/locales/", language, suffix, ".json"].concat();
    read(&ask(language, Method::GET, &path, ("", ""), None).await?)
}

/// Has the page get the style of the screens behind the first one; without it they are there all the same.
pub async fn get_styles() {
    let _ = JsFuture::from(network::styles()).await;
}
