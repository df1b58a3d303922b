//! Doing something a little later.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::Promise;
use leptos::prelude::{request_animation_frame, set_timeout};
use wasm_bindgen_futures::JsFuture;

/// Lets the browser draw and hear taps before what comes next, so that a slow phone is never busy for long at a time.
pub async fn breathe() {
    let next_task = Promise::new(&mut |resolve, _| {
        let _ = web_sys::window().map(|window| window.set_timeout_with_callback(&resolve));
    });
    let _ = JsFuture::from(next_task).await;
}

/// Runs `action` once the browser has shown what is on the page now: a tap that leads to much work is answered first.
pub fn after_picture(action: impl FnOnce() + 'static) {
    request_animation_frame(move || set_timeout(action, Duration::ZERO));
}

/// Runs only the last of several calls in quick succession, once they have rested.
#[derive(Clone, Default)]
pub struct Debounce {
    latest: Rc<Cell<u32>>,
}

impl Debounce {
    /// Runs `action` after `rest`, unless another call comes before.
    pub fn call(&self, rest: Duration, action: impl FnOnce() + 'static) {
        let turn = self.latest.get().wrapping_add(1);
        self.latest.set(turn);
        let latest = Rc::clone(&self.latest);
        set_timeout(
            move || {
                if latest.get() == turn {
                    action();
                }
            },
            rest,
        );
    }
}
