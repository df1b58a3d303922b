//! Keeping the screen awake. A browser may not know how, or refuse: then the screen sleeps as always.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::{on_cleanup, window_event_listener_untyped};
use leptos::task::spawn_local;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::document;

/// The lock that holds now; `None` once the screen may sleep.
type Held = Rc<RefCell<Option<JsValue>>>;

/// Keeps the screen awake until the owner is gone.
pub fn keep_awake() {
    let held: Held = Rc::new(RefCell::new(Some(JsValue::UNDEFINED)));
    ask(&held);
    // The browser takes the lock away when the page is out of sight.
    let again = Rc::clone(&held);
    let listener = window_event_listener_untyped("visibilitychange", move |_| ask(&again));
    let held = SendWrapper::new(held);
    on_cleanup(move || {
        listener.remove();
        if let Some(lock) = held.borrow_mut().take() {
            let _ = call(&lock, "release", &[]);
        }
    });
}

fn ask(held: &Held) {
    if !document::is_visible() {
        return;
    }
    let navigator = web_sys::window().map(|window| JsValue::from(window.navigator()));
    let keeper = Reflect::get(&navigator.unwrap_or_default(), &"wakeLock".into()).unwrap_or_default();
    let Some(asked) = call(&keeper, "request", &["screen".into()]) else {
        return;
    };
    let held = Rc::clone(held);
    spawn_local(async move {
        let Ok(lock) = JsFuture::from(asked).await else { return };
        let mut held = held.borrow_mut();
        match &mut *held {
            Some(kept) => *kept = lock,
            // The screen was left meanwhile.
            None => {
                let _ = call(&lock, "release", &[]);
            }
        }
    });
}

fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<Promise> {
    let function: Function = Reflect::get(object, &method.into()).ok()?.dyn_into().ok()?;
    let arguments: js_sys::Array = arguments.iter().collect();
    function.apply(object, &arguments).ok()?.dyn_into().ok()
}
