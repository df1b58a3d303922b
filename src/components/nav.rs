//! The way to every screen: at the bottom for a thumb, at the side from 900 px.

use leptos::prelude::*;

use super::icon::Icon;
use crate::intl::t;
use crate::routes::Route;
use crate::state::use_programme;

/// The main navigation.
#[component]
pub fn Nav(
    /// Where one is.
    #[prop(into)]
    route: Signal<Route>,
) -> impl IntoView {
    let item = move |to: Route, icon: &'static str, label: String| {
        let path = to.path();
        view! {
            <a class="nav__item" href=path aria-current=move || current(&route.get(), &to)>
                <Icon name=icon />
                <span>{label}</span>
            </a>
        }
    };
    view! {
        <nav class="nav" aria-label=t::nav::main()>
            <a class="brand nav__brand" href=Route::Home.path()><Brand /></a>
            <div class="nav__row">
                {item(Route::Home, "home", t::nav::home())}
                {item(Route::Rewards, "gift", t::nav::rewards())}
                <a class="nav__code" href=Route::Code.path() aria-current=move || current(&route.get(), &Route::Code)>
                    <Icon name="qr" />
                    <span class="nav__code-label">{t::nav::code()}</span>
                </a>
                {item(Route::Activity, "list", t::nav::activity())}
                {item(Route::You, "user", t::nav::you())}
            </div>
        </nav>
    }
}

/// The shop's mark and name.
#[component]
pub fn Brand() -> impl IntoView {
    let programme = use_programme();
    let mark = match programme.theme.logo_url.clone() {
        Some(url) => view! { <img src=url alt="" width="32" height="32" /> }.into_any(),
        None => view! { <Icon name="leaf" /> }.into_any(),
    };
    view! {
        <span class="brand__mark">{mark}</span>
        <span>{programme.name.clone()}</span>
    }
}

/// A reward's page belongs to the catalogue, converting to the home screen.
fn current(here: &Route, item: &Route) -> Option<&'static str> {
    let here = match here {
        Route::Reward(_) => &Route::Rewards,
        Route::Convert => &Route::Home,
        here => here,
    };
    (here == item).then_some("page")
}
