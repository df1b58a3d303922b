//! What the balance is worth, in the largest type of the page.

use leptos::prelude::*;
use loyalty_contract::Points;
use loyalty_contract::status::{MemberState, Status};

use crate::intl::{self, DayStyle, t};
use crate::routes::Route;

/// Worth first, the points beside it, and one button that uses it.
#[component]
pub fn WorthCard(
    /// Whose balance.
    status: Status,
    /// The fewest points that can be used.
    min_spend: Points,
) -> impl IntoView {
    let balance = status.balance;
    let is_paused = status.member.state == MemberState::Paused;
    let state = if balance.available < Points::ZERO {
        Some("debt")
    } else if is_paused {
        Some("paused")
    } else if balance.available == Points::ZERO && balance.pending == Points::ZERO {
        Some("empty")
    } else {
        None
    };
    let label = if state == Some("debt") {
        t::home::below_zero(&status.member.name)
    } else {
        t::home::worth_label(&status.member.name)
    };
    let pending = status
        .next_activation
        .map(|next| t::home::pending(&intl::day(next.at, DayStyle::Short), &intl::signed_points(next.points)));
    let can_use = !is_paused && balance.available >= min_spend;
    view! {
        <section class="worth" data-state=state>
            <p class="worth__label">{label}</p>
            <div>
                <p class="worth__money">{intl::money(balance.worth)}</p>
                <p class="worth__points">{intl::points(balance.available)}</p>
            </div>
            <div class="worth__row">
                {can_use
                    .then(|| {
                        view! {
                            <a class="button" data-variant="on-accent" href=Route::Convert.path()>{t::home::use_it()}</a>
                        }
                    })}
                {(state == Some("empty"))
                    .then(|| {
                        view! {
                            <a class="button" data-variant="on-accent" href=Route::Rewards.path()>
                                {t::home::look_around()}
                            </a>
                        }
                    })}
                {pending.map(|pending| view! { <span class="worth__pending">{pending}</span> })}
            </div>
        </section>
    }
}
