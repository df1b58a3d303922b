//! A customer's loyalty wallet: what their points are worth, how far the next tier is, what they can get.

mod api;
mod app;
mod browser;
mod components;
mod data;
mod intl;
mod pages;
mod routes;
mod state;
mod theme;

use std::time::Duration;

use leptos::prelude::set_timeout;
use wasm_bindgen::JsCast;

fn main() {
    // The page that this wasm came with has the element; on any other page there is nothing to do.
    let host = browser::document::document().and_then(|document| document.get_element_by_id("app"));
    if let Some(host) = host.and_then(|host| host.dyn_into().ok()) {
        // The program has only just been compiled: a slow phone takes a breath before the rest.
        set_timeout(move || leptos::mount::mount_to(host, app::App).forget(), Duration::ZERO);
    }
}
