//! Another address to sign in with: a code goes to the new one, a note to the old one.

use leptos::prelude::*;
use loyalty_contract::auth::Purpose;
use maud::html;

use crate::api::{self, ApiError};
use crate::components::failure::{Tone, load_failed, notice};
use crate::components::live::live_with;
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::components::ticks::points_of;
use crate::data::{Load, use_remembered};
use crate::intl::t;
use crate::pages::proof::{Proof, Proving, Then, address_step, code_step};
use crate::routes::Route;
use crate::state::use_session;

/// The two steps, and that it is done.
#[component]
pub fn AddressPage() -> impl IntoView {
    let source = use_remembered().profile;
    source.want();
    let session = use_session();
    let form = RwSignal::new(Proving::default());
    let is_done = RwSignal::new(false);
    let proof = Proof::new(form, Purpose::ChangeAddress, move |answer| async move {
        match api::profile::change_address(&answer).await {
            Ok(held) => Ok(Box::new(move || {
                source.take(held);
                form.set(Proving::default());
                is_done.set(true);
            }) as Then),
            Err(ApiError::SignedOut) => Ok(Box::new(move || session.ended()) as Then),
            Err(error) => Err(error),
        }
    });
    let content = move || {
        let held = match source.get() {
            Load::Loading => return skeleton::cards(),
            Load::Failed(error) => return load_failed(&error),
            Load::Ready(held) | Load::Stale(held, _) => held,
        };
        let form = form.read();
        html! {
            section.card {
                ul.facts { li { span { (t::address::now()) } b { bdi { (held.profile.address) } } } }
            }
            div role="status" {
                @if is_done.get() {
                    (notice(Tone::Success, "check", &t::address::done(), &html! { p { (t::address::done_help()) } }))
                }
            }
            @if let Some(sent) = &form.sent {
                (code_step(&form, sent, &t::address::change(), &t::sign_in::other_address()))
            } @else if !is_done.get() {
                (points_of(&[
                    ("mail", t::address::code()),
                    ("info", t::address::note()),
                    ("device", t::address::elsewhere()),
                ]))
                (address_step(&form, &t::address::new(), &maud::Markup::default()))
            }
        }
    };
    view! {
        <BackBar title=t::address::title() to=Route::Profile />
        {live_with(content, move |action, value| {
            if action == crate::components::failure::RETRY { source.refresh() } else { proof.act(action, value) }
        })}
    }
}
