//! What stands beside a screen on which nobody is in the middle of something: a new version, and the offer to put the
//! wallet on the home screen.

use leptos::prelude::*;
use loyalty_contract::Points;
use maud::Markup;

use crate::browser::install::{self, Way};
use crate::components::install::{NO, YES, offer};
use crate::components::live::live_with;
use crate::components::update::update_bar;
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
    let can_be_had = move || is_home && matches!(way.get(), Way::Ask | Way::ByHand);
    let can_update = move || has_update.get() && !spending.is_busy();
    let update = move || if can_update() { update_bar() } else { Markup::default() };
    let invitation = move || {
        if is_due.get() && can_be_had() && !can_update() {
            offer(way.get())
        } else {
            Markup::default()
        }
    };
    let answer = move |action: &str, _| match action {
        YES => install::ask(),
        NO => install::decline(),
        _ => (),
    };
    view! {
        <div class="aside">
            <div role="status">{live_with(update, |_, _| install::update())}</div>
            {live_with(invitation, answer)}
        </div>
    }
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
