//! What stands beside a screen on which nobody is in the middle of something: a new version, and the offer to put the
//! wallet on the home screen.

use leptos::prelude::*;
use loyalty_contract::Points;
use maud::Markup;

use crate::browser::install::{self, Way};
use crate::components::install::{NO, YES, offer};
use crate::components::live::live_with;
use crate::components::update::{UPDATE, update_bar};
use crate::data::member_code::MemberCode;
use crate::data::{use_remembered, use_spending};
use crate::routes::{Route, use_router};
use crate::state::{use_session, watch};

/// One of them at a time; the new version first.
#[component]
pub fn Aside() -> impl IntoView {
    notice_what_comes_in();
    let spending = use_spending();
    let (way, is_due, has_update) = (install::follow_way(), install::follow_offer(), install::follow_update());
    let (session, status) = (use_session(), use_remembered().status);
    watch(move || {
        // Who put the wallet on their home screen means to show it at tills, and there may be no network there.
        if way.get() == Way::There {
            MemberCode::prepare(session, status);
        }
    });
    // You has a place of its own for it, which is always there.
    let is_home = use_router().route_untracked() == Route::Home;
    let content = move || {
        let can_be_had = is_home && matches!(way.get(), Way::Ask | Way::ByHand);
        if has_update.get() && !spending.is_busy() {
            update_bar()
        } else if is_due.get() && can_be_had {
            offer(way.get())
        } else {
            Markup::default()
        }
    };
    let act = move |action: &str, _| match action {
        UPDATE => install::update(),
        YES => install::ask(),
        NO => install::decline(),
        _ => (),
    };
    view! { <aside class="aside">{live_with(content, act)}</aside> }
}

/// Notes that points came in while somebody looked.
pub fn notice_what_comes_in() {
    let status = use_remembered().status;
    let mut before = None::<Points>;
    watch(move || {
        let earned = status.value().map(|status| status.lifetime.earned);
        if before.is_some_and(|before| earned.is_some_and(|earned| earned > before)) {
            install::something_went_well();
        }
        before = earned;
    });
}
