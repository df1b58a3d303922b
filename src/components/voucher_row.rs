//! A voucher in a list, and the words for what became of it.

use loyalty_contract::Instant;
use loyalty_contract::programme::Programme;
use loyalty_contract::redemptions::{Redemption, RedemptionState};
use maud::{Markup, html};

use super::icon::icon;
use crate::browser;
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;

/// What it gives, and what became of it.
pub fn voucher_row(voucher: &Redemption, programme: &Programme) -> Markup {
    html! {
        li {
            a.list-row.voucher-row href=(Route::Voucher(voucher.id.clone()).path()) data-state=(voucher.state.as_str()) {
                span.stamp { (icon(picture(voucher.state))) }
                span.list-row__text {
                    b { (gives(voucher)) }
                    span.muted { (became(voucher, programme)) }
                }
                (icon("chevron"))
            }
        }
    }
}

/// What it gives: the reward, or so much off.
pub fn gives(voucher: &Redemption) -> String {
    match &voucher.reward {
        Some(reward) => reward.title.clone(),
        None => t::voucher::money_off(&intl::money(voucher.money)),
    }
}

/// The picture of a state.
pub fn picture(state: RedemptionState) -> &'static str {
    match state {
        RedemptionState::Reserved => "ticket",
        RedemptionState::Captured => "check",
        RedemptionState::Released => "return",
        RedemptionState::Expired => "expire",
        RedemptionState::Refunded => "coins",
        RedemptionState::Unknown => "info",
    }
}

/// A state in a word or two.
pub fn named(state: RedemptionState) -> String {
    match state {
        RedemptionState::Reserved => t::voucher::ready(),
        RedemptionState::Captured => t::voucher::used(),
        RedemptionState::Released => t::voucher::released(),
        RedemptionState::Expired => t::voucher::expired(),
        RedemptionState::Refunded => t::voucher::refunded(),
        RedemptionState::Unknown => t::voucher::unknown(),
    }
}

/// The state with when, or until when, or where.
fn became(voucher: &Redemption, programme: &Programme) -> String {
    let when = match (&voucher.captured, voucher.ended_at) {
        _ if voucher.state == RedemptionState::Reserved => {
            return t::voucher::ready_until(&moment(voucher.valid_until));
        }
        (_, Some(at)) => moment(at),
        (Some(captured), None) => match store_name(captured.store.as_deref(), programme) {
            Some(store) => [moment(captured.at).as_str(), store].join(" · "),
            None => moment(captured.at),
        },
        (None, None) => moment(voucher.created_at),
    };
    [named(voucher.state), when].join(" · ")
}

/// What a shop of the programme is called.
pub fn store_name<'p>(id: Option<&str>, programme: &'p Programme) -> Option<&'p str> {
    let store = programme.stores.iter().find(|store| Some(store.id.as_str()) == id)?;
    Some(&store.name)
}

/// A day and the time of it; today's by that name.
pub fn moment(at: Instant) -> String {
    let time = intl::time(at);
    if intl::same_day(at, browser::now()) {
        t::voucher::today(&time)
    } else {
        t::voucher::day(&intl::day(at, DayStyle::Long), &time)
    }
}
