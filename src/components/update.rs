//! A new version of the wallet.

use maud::{Markup, html};

use super::icon::icon;
use crate::intl::t;

/// Takes the new version.
pub const UPDATE: &str = "update";

/// Says that a new version waits, and lets somebody take it.
pub fn update_bar() -> Markup {
    html! {
        div.update-bar role="status" {
            (icon("download"))
            span { (t::update::ready()) }
            button.link type="button" data-action=(UPDATE) { (t::update::now()) }
        }
    }
}
