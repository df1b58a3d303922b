//! What to say at the counter: the member's number, large enough to be read by somebody else.

use leptos::prelude::*;
use loyalty_contract::status::Status;

use crate::components::failure::{LoadFailed, StaleNote};
use crate::components::page_heading::PageHeading;
use crate::components::skeleton::CardsSkeleton;
use crate::data::{Load, use_remembered};
use crate::intl::{self, t};
use crate::state::use_programme;

/// The member's number.
#[component]
pub fn CodePage() -> impl IntoView {
    let source = use_remembered().status;
    source.want();
    let retry = move || source.refresh();
    view! {
        <div class="page-heading"><PageHeading title=t::nav::code() /></div>
        {move || match source.get() {
            Load::Loading => view! { <CardsSkeleton /> }.into_any(),
            Load::Failed(error) => view! { <LoadFailed error on_retry=retry /> }.into_any(),
            Load::Ready(status) => view! { <Number status /> }.into_any(),
            Load::Stale(status, _) => {
                view! {
                    <StaleNote as_of=status.as_of on_retry=retry />
                    <Number status />
                }
                    .into_any()
            }
        }}
    }
}

#[component]
fn Number(status: Status) -> impl IntoView {
    let tier = tier_name(&status);
    view! {
        <section class="card" data-kind="number">
            <div class="card__head">
                <h2>{status.member.name}</h2>
                {tier.map(|tier| view! { <span class="badge">{tier}</span> })}
            </div>
            <p class="number-plate">{grouped(&status.member.number)}</p>
            <p>{t::code::say_it()}</p>
            <p class="muted">{t::code::proves_nothing()}</p>
        </section>
        <section class="card">
            <ul class="facts">
                <li>
                    <span>{t::code::balance(&intl::time(status.as_of))}</span>
                    <b>{intl::money(status.balance.worth)} " · " {intl::points(status.balance.available)}</b>
                </li>
            </ul>
        </section>
    }
}

/// The name of the tier held.
pub fn tier_name(status: &Status) -> Option<String> {
    let held = &status.tier.as_ref()?.current;
    use_programme()
        .tiers
        .iter()
        .find(|tier| &tier.id == held)
        .map(|tier| tier.name.clone())
}

/// Digits in groups of four, as they are read aloud.
pub fn grouped(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join("\u{a0}")
}
