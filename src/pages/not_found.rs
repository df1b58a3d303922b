//! An address that leads nowhere.

use leptos::prelude::*;

use crate::components::failure::Empty;
use crate::components::page_heading::PageHeading;
use crate::intl::t;
use crate::routes::Route;

/// Says so, and shows the way home.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <PageHeading title=t::failure::not_found() is_hidden=true />
        <Empty icon="search" title=t::failure::not_found() help=t::failure::not_found_help()>
            <a class="button" href=Route::Home.path()>{t::nav::home()}</a>
        </Empty>
    }
}
