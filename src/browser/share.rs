//! Passing something on: by the phone's own way to share, else into the clipboard.

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// The phone took it, or the person thought better of it.
    Offered,
    /// It is in the clipboard.
    Copied,
    /// Neither is possible here.
    No,
}

/// Offers a link with a few words about it to whatever the person shares with.
pub async fn share(text: &str, url: &str) -> Shared {
    let Some(navigator) = web_sys::window().map(|window| JsValue::from(window.navigator())) else {
        return Shared::No;
    };
    let what = Object::new();
    for (name, value) in [("text", text), ("url", url)] {
        // Setting a field of a plain object cannot fail.
        let _ = Reflect::set(&what, &name.into(), &value.into());
    }
    // A browser may lack either, so both are looked for rather than called.
    if let Some(offered) = call(&navigator, "share", &what) {
        // Turning away from the phone's own list is no failure.
        let _ = JsFuture::from(offered).await;
        return Shared::Offered;
    }
    let clipboard = Reflect::get(&navigator, &"clipboard".into()).unwrap_or_default();
    let Some(copied) = call(&clipboard, "writeText", &url.into()) else {
        return Shared::No;
    };
    match JsFuture::from(copied).await {
        Ok(_) => Shared::Copied,
        Err(_) => Shared::No,
    }
}

fn call(object: &JsValue, method: &str, argument: &JsValue) -> Option<Promise> {
    let function: Function = Reflect::get(object, &method.into()).ok()?.dyn_into().ok()?;
    function.call1(object, argument).ok()?.dyn_into().ok()
}
