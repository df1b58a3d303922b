//! What to say at the counter: the member's number, large enough to be read by somebody else.

use leptos::prelude::*;
use loyalty_contract::programme::Programme;
use loyalty_contract::status::Status;
use maud::{Markup, html};

use crate::components::failure::{load_failed, stale_note};
use crate::components::live::live_with;
use crate::components::page_heading::PageHeading;
use crate::components::skeleton;
use crate::components::tier_card::tier_name;
use crate::data::{Load, use_remembered};
use crate::intl::{self, t};
use crate::state::use_programme;

/// The member's number.
#[component]
pub fn CodePage() -> impl IntoView {
    let source = use_remembered().status;
    source.want();
    let programme = use_programme();
    let content = move || match source.get() {
        Load::Loading => skeleton::cards(),
        Load::Failed(error) => load_failed(&error),
        Load::Ready(status) => number(&status, &programme),
        Load::Stale(status, _) => html! { (stale_note(status.as_of)) (number(&status, &programme)) },
    };
    view! {
        <div class="page-heading"><PageHeading title=t::nav::code() /></div>
        {live_with(content, move |_, _| source.refresh())}
    }
}

fn number(status: &Status, programme: &Programme) -> Markup {
    html! {
        section.card data-kind="number" {
            (name_and_tier(status, programme))
            p.number-plate { (grouped(&status.member.number)) }
            p { (t::code::say_it()) }
            p.muted { (t::code::proves_nothing()) }
        }
        section.card {
            ul.facts {
                li {
                    span { (t::code::balance(&intl::time(status.as_of))) }
                    b { (intl::money(status.balance.worth)) " · " (intl::points(status.balance.available)) }
                }
            }
        }
    }
}

/// Whose card this is.
pub fn name_and_tier(status: &Status, programme: &Programme) -> Markup {
    html! {
        div.card__head {
            h2 { (status.member.name) }
            @if let Some(tier) = &status.tier { span.badge { (tier_name(&programme.tiers, &tier.current)) } }
        }
    }
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
