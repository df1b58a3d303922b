//! One choice of a few, all in sight.

use maud::{Markup, html};

/// A group of radio buttons that looks like a switch: its action is `name`, each option its value and label.
pub fn segmented(legend: &str, name: &str, options: &[(String, String)], chosen: &str) -> Markup {
    html! {
        fieldset.segmented {
            legend { (legend) }
            div.segmented__row {
                @for (value, label) in options {
                    label.segmented__option {
                        input type="radio" name=(name) value=(value) data-action=(name) checked[value == chosen];
                        span { (label) }
                    }
                }
            }
        }
    }
}
