//! A few sentences, each by itself.

use maud::{Markup, html};

use super::icon::icon;

/// Sentences under each other, each with a mark before it.
pub fn ticks(sentences: &[String]) -> Markup {
    html! {
        ul.conditions { @for text in sentences { li.tick { (icon("check")) span { (text) } } } }
    }
}
