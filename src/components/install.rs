//! Putting the wallet on the home screen: the offer, and how it is done by hand.

use maud::{Markup, html};

use super::icon::icon;
use crate::browser::install::Way;
use crate::intl::t;

/// Says yes to the offer.
pub const YES: &str = "install";

/// Turns the offer down.
pub const NO: &str = "install-no";

/// The sign of an iPhone's own "Add to Home Screen".
const ADD: &str = "M6 4h12a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM12 8.5v7M8.5 12h7";

/// The sign by which a phone's browser opens its menu.
const MENU: &str = "M12 5.5h.01M12 12h.01M12 18.5h.01";

/// The sign at the end of a computer's address bar.
const SCREEN: &str = "M20.5 12v4a1 1 0 0 1-1 1h-15a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1H11M8.5 20.5h7M17 3v7M14 7.5l3 3 3-3";

/// Offers it after something went well, where there is a way.
pub fn offer(way: Way) -> Markup {
    html! {
        section.card aria-labelledby="install" {
            div.tick {
                img.app-icon src="/icon.svg" alt="" width="48" height="48";
                div {
                    h2 id="install" { (t::install::title()) }
                    p.muted { (t::install::help()) }
                }
            }
            @if way == Way::ByHand { (on_apple()) }
            div.choices {
                @if way == Way::Ask {
                    button.button data-variant="main" type="button" data-action=(YES) { (t::install::yes()) }
                    button.button type="button" data-action=(NO) { (t::install::no()) }
                } @else {
                    button.button type="button" data-action=(NO) { (t::install::understood()) }
                }
            }
        }
    }
}

/// How it is done on every kind of device, for whoever asks.
pub fn home_screen(way: Way) -> Markup {
    html! {
        section.card {
            div.tick {
                (icon("device"))
                div {
                    h2 { (t::install::title()) }
                    p.muted { @if way == Way::There { (t::install::there()) } @else { (t::install::help()) } }
                }
            }
            @if way == Way::Ask { button.button type="button" data-action=(YES) { (t::install::yes()) } }
            @if way != Way::There {
                (by_hand(way == Way::ByHand, &t::install::apple(), &on_apple()))
                (by_hand(false, &t::install::android(), &steps(&[
                    (drawn(MENU), t::install::android_menu()),
                    (drawn(ADD), t::install::android_add()),
                ])))
                (by_hand(false, &t::install::computer(), &steps(&[
                    (drawn(SCREEN), t::install::computer_sign()),
                    (icon("check"), t::install::computer_yes()),
                ])))
            }
        }
    }
}

fn by_hand(is_open: bool, device: &str, how: &Markup) -> Markup {
    html! { details open[is_open] { summary { (device) } (how) } }
}

fn on_apple() -> Markup {
    steps(&[
        (icon("share"), t::install::apple_share()),
        (drawn(ADD), t::install::apple_add()),
    ])
}

fn steps(steps: &[(Markup, String)]) -> Markup {
    html! {
        ol.conditions {
            @for (sign, step) in steps { li.tick { (sign) span { (step) } } }
        }
    }
}

/// A sign that only this screen needs, so that the sprite of all screens does without.
fn drawn(path: &str) -> Markup {
    html! { svg.icon aria-hidden="true" viewBox="0 0 24 24" { path d=(path) {} } }
}
