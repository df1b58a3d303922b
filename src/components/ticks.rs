//! A few sentences, each by itself.

use maud::{Markup, html};

use super::icon::icon;

/// Sentences under each other, each with a tick before it. A voucher keeps its own in the language that it was made in.
pub fn ticks(sentences: &[String]) -> Markup {
    html! {
        ul.conditions { @for text in sentences { li.tick { (icon("check")) span { bdi { (text) } } } } }
    }
}

/// Sentences under each other, each with a picture of what it is about.
pub fn points_of(sentences: &[(&str, String)]) -> Markup {
    html! {
        ul.conditions { @for (picture, text) in sentences { li.tick { (icon(picture)) span { (text) } } } }
    }
}
