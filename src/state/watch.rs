//! Doing something whenever what is known changes.

use leptos::prelude::*;

/// Runs now, and again whenever a signal that it read changes, until the screen that it belongs to is gone.
///
/// The same as an [`Effect`], but compiled once instead of once for each of them.
pub fn watch(run: impl FnMut() + 'static) {
    boxed(Box::new(run));
}

fn boxed(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_| run());
}
