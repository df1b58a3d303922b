//! Leaving for good: what that means first, then a code, then goodbye.

use leptos::prelude::*;
use loyalty_contract::Points;
use loyalty_contract::auth::Purpose;
use loyalty_contract::redemptions::Redemption;
use loyalty_contract::status::{MemberState, Status};
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::components::failure::{RETRY, load_failed};
use crate::components::form::beside;
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::components::ticks::points_of;
use crate::data::{Load, use_remembered};
use crate::intl::{self, t};
use crate::pages::proof::{Proof, Proving, SEND_ADDRESS, Then, code_step};
use crate::pages::sign_in::use_form;
use crate::routes::{Route, use_router};
use crate::state::use_session;

/// What leaving means, and the code that does it.
#[component]
pub fn LeavePage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    remembered.profile.want();
    remembered.open_vouchers.want();
    let (session, router, sign_in) = (use_session(), use_router(), use_form());
    let form = RwSignal::new(Proving::default());
    let proof = Proof::new(form, Purpose::Leave, move |answer| async move {
        match api::profile::leave(&answer).await {
            Ok(()) => Ok(Box::new(move || {
                sign_in.say_goodbye();
                session.ended();
                router.go(&Route::Home);
            }) as Then),
            Err(ApiError::SignedOut) => Ok(Box::new(move || session.ended()) as Then),
            Err(error) => Err(error),
        }
    });
    let content = move || {
        let form = form.read();
        let (status, profile) = (remembered.status.get(), remembered.profile.get());
        let (status, address) = match (&status, &profile) {
            (Load::Failed(error), _) | (_, Load::Failed(error)) => return load_failed(error),
            (Load::Loading, _) | (_, Load::Loading) => return skeleton::cards(),
            (Load::Ready(status) | Load::Stale(status, _), Load::Ready(held) | Load::Stale(held, _)) => {
                (status, &held.profile.address)
            }
        };
        match &form.sent {
            Some(sent) => html! {
                p { b { (t::leave::last_word()) } }
                (code_step(&form, sent, &t::leave::leave(), &t::leave::rather_stay()))
            },
            None => html! {
                (what_it_means(status, remembered.open_vouchers.value().as_deref()))
                form.signin__form data-action=(SEND_ADDRESS) {
                    (beside(form.fault.as_ref()))
                    p.muted { (t::leave::code_goes_to(address)) }
                    button.button data-tone="error" aria-busy=(form.is_busy) { (t::leave::go_on()) }
                    a.button data-variant="plain" href=(Route::You.path()) data-back="" { (t::leave::rather_stay()) }
                }
            },
        }
    };
    let act = move |action: &str, value: String| match action {
        RETRY => {
            remembered.status.refresh();
            remembered.profile.refresh();
        }
        SEND_ADDRESS => {
            let address = remembered.profile.value_untracked().map(|held| held.profile.address);
            form.write_untracked().address = address.unwrap_or_default();
            proof.send_address();
        }
        _ => proof.act(action, value),
    };
    view! {
        <BackBar title=t::leave::title() to=Route::You />
        {live_with(content, act)}
    }
}

/// What happens to the points, to what was reserved, and to everything that is known.
fn what_it_means(status: &Status, vouchers: Option<&[Redemption]>) -> Markup {
    let balance = &status.balance;
    let mut sentences = Vec::new();
    if balance.available > Points::ZERO {
        let (points, worth) = (intl::points(balance.available), intl::money(balance.worth));
        sentences.push(("coins", t::leave::points_end(&points, &worth)));
    } else {
        sentences.push(("coins", t::leave::no_points()));
    }
    if balance.pending > Points::ZERO {
        sentences.push(("clock", t::leave::waiting_end(&intl::points(balance.pending))));
    }
    match vouchers {
        Some([]) => {}
        Some(open) => {
            let points = Points(open.iter().map(|voucher| voucher.points.0).sum());
            sentences.push((
                "ticket",
                t::leave::open_vouchers(open.len() as i64, &intl::points(points)),
            ));
        }
        None => sentences.push(("ticket", t::leave::vouchers_end())),
    }
    sentences.extend([
        ("user", t::leave::erased()),
        ("file", t::leave::kept()),
        ("door", t::leave::for_good()),
    ]);
    html! {
        section.card {
            h2 { (t::leave::what_happens()) }
            (points_of(&sentences))
        }
        section.card {
            ul.list {
                @if balance.available > Points::ZERO && status.member.state != MemberState::Paused {
                    li {
                        a.list-row href=(Route::Rewards.path()) {
                            (icon("gift"))
                            span.list-row__text { b { (t::leave::use_first()) } }
                            (icon("chevron"))
                        }
                    }
                }
                li {
                    a.list-row href=(api::profile::export_address()) download="" {
                        (icon("download"))
                        span.list-row__text { b { (t::you::download()) } span.muted { (t::you::download_help()) } }
                    }
                }
            }
        }
    }
}
