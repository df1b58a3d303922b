//! The way to every screen: at the bottom for a thumb, at the side from 900 px.

use loyalty_contract::programme::Programme;
use maud::{Markup, html};

use super::icon::icon;
use crate::browser::document;
use crate::intl::t;
use crate::routes::Route;

/// The main navigation, as seen from a screen.
pub fn nav(here: &Route, programme: &Programme) -> Markup {
    let item = |to: Route, picture: &str, label: String| {
        html! {
            a.nav__item href=(to.path()) aria-current=[current(here, &to)] { (icon(picture)) span { (label) } }
        }
    };
    html! {
        nav.nav aria-label=(t::nav::main()) {
            a.brand.nav__brand href=(Route::Home.path()) { (brand(programme)) }
            div.nav__row {
                (item(Route::Home, "home", t::nav::home()))
                (item(Route::Rewards, "gift", t::nav::rewards()))
                a.nav__code href=(Route::Code.path()) aria-current=[current(here, &Route::Code)] {
                    (icon("qr"))
                    span.nav__code-label { (t::nav::code()) }
                }
                (item(Route::Activity, "list", t::nav::activity()))
                (item(Route::You, "user", t::nav::you()))
            }
        }
    }
}

/// Says on the page which of them belongs to the screen that one goes to now. Making all of it anew would keep whoever
/// tapped waiting.
pub fn mark_current(here: &Route) {
    for to in [Route::Home, Route::Rewards, Route::Code, Route::Activity, Route::You] {
        let link = [".nav__row [href=\"", &to.path(), "\"]"].concat();
        document::set_or_remove_attribute(&link, "aria-current", current(here, &to));
    }
}

/// The shop's mark and name.
pub fn brand(programme: &Programme) -> Markup {
    html! {
        span.brand__mark {
            @match &programme.theme.logo_url {
                Some(url) => img src=(document::from_api(url)) alt="" width="32" height="32";,
                None => (icon("leaf")),
            }
        }
        span { (programme.name) }
    }
}

/// A reward's page belongs to the catalogue, converting to the home screen, what explains the past to the activity.
fn current(here: &Route, item: &Route) -> Option<&'static str> {
    let here = match here {
        Route::Reward(_) => &Route::Rewards,
        Route::Convert | Route::Vouchers | Route::Voucher(_) | Route::Tier | Route::Join => &Route::Home,
        Route::Profile
        | Route::Address
        | Route::Messages
        | Route::Devices
        | Route::Leave
        | Route::Card
        | Route::Programme => &Route::You,
        Route::Entry(_) | Route::Report(_) | Route::Statement | Route::Claim => &Route::Activity,
        here => here,
    };
    (here == item).then_some("page")
}
