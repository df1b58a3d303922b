//! What `public/network.js` does for the wallet: it asks ahead of the program, reads answers and keeps them, and knows the server's clock.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Response;

#[wasm_bindgen]
extern "C" {
    /// What was asked for before the program was there, once.
    #[wasm_bindgen(js_namespace = network)]
    pub fn take(path: &str, language: &str) -> Option<Promise>;

    /// Says that a request leaves now.
    #[wasm_bindgen(js_namespace = network)]
    pub fn ask(path: &str, language: &str) -> JsValue;

    /// Reads the response to it, if there is one.
    #[wasm_bindgen(js_namespace = network)]
    pub fn answered(asked: &JsValue, response: Option<Response>) -> Promise;

    /// What was kept of the answer to a request.
    #[wasm_bindgen(js_namespace = network)]
    pub fn recall(path: &str, language: &str) -> Promise;

    /// Keeps an answer for the next time.
    #[wasm_bindgen(js_namespace = network)]
    pub fn keep(answer: &JsValue);

    /// Fetches the style of the screens behind the first ones.
    #[wasm_bindgen(js_namespace = network)]
    pub fn styles() -> Promise;

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
