//! A row of choices that narrow a list.

use maud::{Markup, html};

/// A group of buttons that stay pressed: of each its action, its label, and whether it is on.
pub fn chips(label: &str, chips: &[(String, String, bool)]) -> Markup {
    html! {
        div.chips role="group" aria-label=(label) {
            @for (action, label, is_on) in chips {
                button.chip.num type="button" data-action=(action) aria-pressed=(is_on) { (label) }
            }
        }
    }
}
