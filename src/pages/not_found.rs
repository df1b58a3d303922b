//! An address that leads nowhere.

use leptos::prelude::*;
use maud::html;

use crate::components::failure::empty;
use crate::components::live::live;
use crate::components::page_heading::PageHeading;
use crate::intl::t;
use crate::routes::Route;

/// Says so, and shows the way home.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let content = || {
        let home = html! { a.button href=(Route::Home.path()) { (t::nav::home()) } };
        empty("search", &t::failure::not_found(), &t::failure::not_found_help(), &home)
    };
    view! {
        <PageHeading title=t::failure::not_found() is_hidden=true />
        {live(content)}
    }
}
