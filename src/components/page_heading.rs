//! A screen's name: the page's title, and where the focus goes when one arrives.

use leptos::html;
use leptos::prelude::*;

use super::icon::icon;
use super::live::live;
use crate::browser;
use crate::intl::t;
use crate::routes::{Route, focus_heading};
use crate::state::{use_programme, watch};

/// The one `h1` of a screen.
#[component]
pub fn PageHeading(
    /// What the screen is called.
    #[prop(into)]
    title: Signal<String>,
    /// For screens that say who they are by what they show.
    #[prop(optional)]
    is_hidden: bool,
) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    let shop = use_programme().name.clone();
    watch(move || browser::set_title(&(title.get() + " · " + &shop)));
    watch(move || {
        if let Some(heading) = heading.get() {
            focus_heading(&heading);
        }
    });
    let class = if is_hidden { "visually-hidden" } else { "" };
    view! { <h1 node_ref=heading tabindex="-1" class=class>{title}</h1> }
}

/// The bar of a screen below another: the way back, and its name.
#[component]
pub fn BackBar(
    /// What the screen is called.
    #[prop(into)]
    title: Signal<String>,
    /// Where back is.
    to: Route,
) -> impl IntoView {
    view! {
        <div class="bar" data-kind="title">
            <a class="icon-button" href=to.path() aria-label=t::app::back() data-back="">{live(|| icon("back"))}</a>
            <PageHeading title />
            <span></span>
        </div>
    }
}
