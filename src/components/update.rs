//! A new version of the wallet.

use maud::{Markup, html};

use super::icon::icon;
use crate::intl::t;

/// Says that a new version waits; a press takes it.
pub fn update_bar() -> Markup {
    html! {
        div.update-bar {
            (icon("download"))
            span { (t::update::ready()) }
            button.link type="button" data-action="update" { (t::update::now()) }
        }
    }
}
