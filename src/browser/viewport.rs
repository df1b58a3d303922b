//! What of the page is in sight.

use leptos::prelude::on_cleanup;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

/// Calls `then` each time an element comes within a screen's height of what is seen, until its owner is gone.
pub fn when_near(element: &Element, then: impl Fn() + 'static) {
    let options = IntersectionObserverInit::new();
    options.set_root_margin("800px");
    let seen = Closure::<dyn Fn(js_sys::Array)>::new(move |entries: js_sys::Array| {
        let is_near =
            |entry: wasm_bindgen::JsValue| entry.unchecked_into::<IntersectionObserverEntry>().is_intersecting();
        if entries.iter().any(is_near) {
            then();
        }
    });
    // A browser without observers leaves the button.
    let Ok(observer) = IntersectionObserver::new_with_options(seen.as_ref().unchecked_ref(), &options) else {
        return;
    };
    observer.observe(element);
    let watching = SendWrapper::new((observer, seen));
    on_cleanup(move || watching.0.disconnect());
}
