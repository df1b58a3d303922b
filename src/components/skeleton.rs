//! The frames of what is still loading, as tall as what will come.

use maud::{Markup, html};

use crate::intl::t;

/// A calm grey line or shape.
fn block(shape: &str, size: &str) -> Markup {
    html! { span.skeleton data-shape=(shape) data-size=(size) {} }
}

/// Says once, for those who cannot see the frames, that something is loading.
fn loading() -> Markup {
    html! { p.visually-hidden role="status" { (t::app::loading()) } }
}

/// The home screen's frame; the same as the shell in `index.html`.
pub fn home() -> Markup {
    html! {
        (loading())
        div.columns aria-hidden="true" {
            div.column {
                div.worth {
                    p.worth__label { (block("line", "medium")) }
                    div {
                        p.worth__money { (block("line", "medium")) }
                        p.worth__points { (block("line", "short")) }
                    }
                    div.worth__row { (block("button", "short")) }
                }
                div.card {
                    div.tier {
                        div.ring {}
                        div.tier__body {
                            div.title { (block("line", "medium")) }
                            p.muted { (block("line", "")) (block("line", "medium")) }
                        }
                    }
                }
            }
            div.column {
                (shelf())
            }
        }
    }
}

/// The frame of a few rewards.
pub fn shelf() -> Markup {
    html! {
        div.stack aria-hidden="true" {
            div.card__head { div.title { (block("line", "name")) } }
            div.shelf { @for _ in 0..3 { (reward()) } }
        }
    }
}

/// The catalogue's frame.
pub fn catalogue() -> Markup {
    html! {
        (loading())
        div.grid aria-hidden="true" { @for _ in 0..6 { (reward()) } }
    }
}

/// The ledger's frame.
pub fn ledger() -> Markup {
    html! {
        (loading())
        div.card aria-hidden="true" {
            ul {
                @for _ in 0..6 {
                    li.entry {
                        (block("circle", ""))
                        span.entry__text { (block("line", "name")) (block("line", "medium")) }
                        span.entry__points { (block("line", "short")) }
                    }
                }
            }
        }
    }
}

/// A frame of cards, for screens of texts and figures.
pub fn cards() -> Markup {
    html! {
        (loading())
        div.stack aria-hidden="true" { (block("card", "")) (block("card", "")) }
    }
}

fn reward() -> Markup {
    html! {
        div.reward {
            (block("picture", ""))
            div.reward__body { (block("line", "")) (block("line", "medium")) }
        }
    }
}
