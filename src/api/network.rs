//! What `public/network.js` does for the wallet: it sends requests, keeps their answers, and knows the server's clock.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Sends a request, with one header more where it has a name.
    #[wasm_bindgen(js_namespace = network)]
    pub fn ask(method: &str, path: &str, language: &str, header: &str, value: &str, body: Option<String>) -> Promise;

    /// What was kept of the answer to a request.
    #[wasm_bindgen(js_namespace = network)]
    pub fn recall(path: &str, language: &str) -> Promise;

    /// Keeps an answer for the next time.
    #[wasm_bindgen(js_namespace = network)]
    pub fn keep(answer: &JsValue);

    /// Forgets all that was kept.
    #[wasm_bindgen(js_namespace = network)]
    pub fn forget();

    /// The server's time in milliseconds, as far as this device knows it.
    #[wasm_bindgen(js_namespace = network)]
    pub fn now() -> f64;

    /// What was wrong with the last answer, as a number.
    #[wasm_bindgen(js_namespace = network)]
    pub fn trouble() -> u32;
}
