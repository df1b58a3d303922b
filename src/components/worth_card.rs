//! What the balance is worth, in the largest type of the page.

use loyalty_contract::Points;
use loyalty_contract::status::{MemberState, Status};
use maud::{Markup, html};

use crate::intl::{self, DayStyle, t};
use crate::routes::Route;

/// Whether anything can be used as money now. `min_spend` is the fewest that can be.
pub fn can_use(status: &Status, min_spend: Points) -> bool {
    let available = status.balance.available;
    status.member.state != MemberState::Paused && available > Points::ZERO && available >= min_spend
}

/// Worth first, the points beside it, and one button that uses it. `min_spend` is the fewest that can be used.
pub fn worth_card(status: &Status, min_spend: Points) -> Markup {
    let balance = &status.balance;
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
    let label = match state {
        Some("debt") => t::home::below_zero(&status.member.name),
        _ => t::home::worth_label(&status.member.name),
    };
    let worth = intl::money(balance.worth);
    html! {
        section.worth data-state=[state] {
            p.worth__label { (label) }
            div {
                p.worth__money data-length=[(worth.chars().count() > 8).then_some("long")] { (worth) }
                p.worth__points { (intl::points(balance.available)) }
            }
            div.worth__row {
                @if can_use(status, min_spend) {
                    a.button data-variant="on-accent" href=(Route::Convert.path()) { (t::home::use_it()) }
                }
                @if state == Some("empty") {
                    a.button data-variant="on-accent" href=(Route::Rewards.path()) { (t::home::look_around()) }
                }
                @if let Some(next) = &status.next_activation {
                    span.worth__pending {
                        (t::home::pending(&intl::day(next.at, DayStyle::Short), &intl::signed_points(next.points)))
                    }
                    @if balance.pending != next.points {
                        span.worth__pending { (t::home::pending_total(&intl::points(balance.pending))) }
                    }
                }
            }
        }
    }
}
