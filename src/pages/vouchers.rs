//! Every voucher: those that can be used first, then what became of the others.

use leptos::prelude::*;
use loyalty_contract::programme::Programme;
use loyalty_contract::redemptions::{Redemption, RedemptionState};
use maud::{Markup, html};

use crate::components::failure::{RETRY, empty, error_notice, load_failed};
use crate::components::live::live_with;
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::components::voucher_row::voucher_row;
use crate::components::worth_card::can_use;
use crate::data::{Load, More, use_remembered};
use crate::intl::t;
use crate::routes::Route;
use crate::state::use_programme;

const MORE: &str = "more";

/// The list of vouchers.
#[component]
pub fn VouchersPage() -> impl IntoView {
    let remembered = use_remembered();
    let (open, all) = (remembered.open_vouchers, remembered.vouchers);
    open.want();
    all.want();
    remembered.status.want();
    let programme = use_programme();
    let content = move || {
        let (load, more) = (all.get(), all.more());
        match &load {
            Load::Loading => return skeleton::ledger(),
            Load::Failed(error) => return load_failed(error),
            Load::Ready(_) | Load::Stale(..) => (),
        }
        let known: Vec<&Redemption> = load
            .value()
            .into_iter()
            .flatten()
            .flat_map(|page| page.iter())
            .collect();
        // The few that are open are asked for by themselves: they may stand on a page far below.
        let open = open.value().unwrap_or_else(|| {
            let open = known
                .iter()
                .filter(|voucher| voucher.state == RedemptionState::Reserved);
            open.copied().cloned().collect()
        });
        let past: Vec<&Redemption> = known
            .into_iter()
            .filter(|voucher| voucher.state != RedemptionState::Reserved)
            .collect();
        let status = remembered.status.value();
        let is_usable = status.is_some_and(|status| can_use(&status, programme.min_spend_points));
        html! {
            @if open.is_empty() && past.is_empty() { (none(is_usable)) }
            (group(&t::vouchers::ready(), &open.iter().collect::<Vec<_>>(), &programme))
            (group(&t::vouchers::past(), &past, &programme))
            @match &more {
                More::No => {},
                More::After(_) | More::Asking => div.load-more {
                    button.button type="button" data-action=(MORE) aria-busy=(more == More::Asking) { (t::app::more()) }
                },
                More::Failed(_, error) => div role="alert" {
                    (error_notice(error))
                    button.button type="button" data-action=(MORE) { (t::app::retry()) }
                },
            }
        }
    };
    let act = move |action: &str, _| match action {
        RETRY => {
            open.refresh();
            all.refresh();
        }
        _ => all.grow(),
    };
    view! {
        <BackBar title=t::vouchers::title() to=Route::Home />
        {live_with(content, act)}
    }
}

fn group(title: &str, vouchers: &[&Redemption], programme: &Programme) -> Markup {
    html! {
        @if !vouchers.is_empty() {
            section.card {
                h2 { (title) }
                ul.list { @for voucher in vouchers { (voucher_row(voucher, programme)) } }
            }
        }
    }
}

fn none(can_use: bool) -> Markup {
    let ways = html! {
        @if can_use {
            a.button href=(Route::Convert.path()) { (t::home::use_it()) }
        } @else {
            a.button href=(Route::Rewards.path()) { (t::home::all_rewards()) }
        }
    };
    empty("ticket", &t::vouchers::none(), &t::vouchers::none_help(), &ways)
}
