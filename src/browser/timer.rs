//! Doing something a little later.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::set_timeout;

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
