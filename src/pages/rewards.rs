//! The catalogue: what points can be turned into.

use std::time::Duration;

use leptos::prelude::*;
use loyalty_contract::programme::Programme;
use loyalty_contract::rewards::{AvailabilityFilter, RewardKind, RewardSort};
use loyalty_contract::status::{MemberState, Status};
use loyalty_rules::worth;
use maud::{Markup, html};

use crate::browser::timer::Debounce;
use crate::components::chips::{Chip, Chips};
use crate::components::failure::{RETRY, empty, load_failed};
use crate::components::icon::{icon, reward_picture};
use crate::components::live::{live, live_with};
use crate::components::page_heading::PageHeading;
use crate::components::reward_card::{Missing, multiplier, reward_card};
use crate::components::skeleton;
use crate::data::{CatalogueFilter, Load, More, use_remembered};
use crate::intl::{self, t};
use crate::routes::Route;
use crate::state::use_programme;

/// How long typing rests before it is looked for.
const TYPING_RESTS: Duration = Duration::from_millis(250);

const MORE: &str = "more";
const SHOW_ALL: &str = "show-all";

/// The catalogue with search, kinds, *ready / soon / all*, and its order.
#[component]
pub fn RewardsPage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    remembered.catalogue.want();
    let programme = use_programme();
    let balance = move || match remembered.status.value() {
        Some(Status { balance, .. }) => {
            html! { span.badge.num { (intl::money(balance.worth)) " · " (intl::bare_points(balance.available)) } }
        }
        None => Markup::default(),
    };
    let found = move || {
        let list = remembered.catalogue;
        match list.get() {
            Load::Loading => skeleton::catalogue(),
            Load::Failed(error) | Load::Stale(_, error) => load_failed(&error),
            Load::Ready(pages) => {
                let status = remembered.status.value();
                let filter = remembered.catalogue_filter.read_untracked();
                let held = status
                    .as_ref()
                    .and_then(|status| status.tier.as_ref())
                    .map(|tier| tier.current.as_str());
                let rate = multiplier(&programme.tiers, held);
                let with_money_off = status
                    .as_ref()
                    .is_some_and(|status| fits_money_off(&filter, status, &programme));
                if !with_money_off && pages.iter().all(|page| page.is_empty()) {
                    return nothing_found();
                }
                html! {
                    ul.grid {
                        @if with_money_off { li { (money_off_card(&programme)) } }
                        @for reward in pages.iter().flat_map(|page| page.iter()) {
                            li { (reward_card(reward, Missing::of(reward, &programme, rate).as_ref())) }
                        }
                    }
                    @if matches!(list.more(), More::After(_) | More::Failed(..)) {
                        div.load-more { button.button type="button" data-action=(MORE) { (t::app::more()) } }
                    }
                }
            }
        }
    };
    let act = move |action: &str| match action {
        RETRY => remembered.catalogue.refresh(),
        MORE => remembered.catalogue.grow(),
        _ => {
            remembered.catalogue_filter.set(CatalogueFilter::default());
            remembered.catalogue.refresh();
        }
    };
    view! {
        <div class="page-heading"><PageHeading title=t::nav::rewards() />{live(balance)}</div>
        <Filters />
        {live_with(found, act)}
    }
}

/// What to look for, and in which order.
#[component]
fn Filters() -> impl IntoView {
    let remembered = use_remembered();
    let filter = remembered.catalogue_filter;
    let typing = Debounce::default();
    let on_type = move |event| {
        let words: String = event_target_value(&event);
        filter.update(|filter| filter.words = words);
        typing.call(TYPING_RESTS, move || remembered.catalogue.refresh());
    };
    let words = Signal::derive(move || filter.read().words.clone());
    let sorts = [
        (RewardSort::Recommended, t::rewards::sort_recommended()),
        (RewardSort::Cost, t::rewards::sort_cost()),
        (RewardSort::CostDesc, t::rewards::sort_cost_desc()),
        (RewardSort::Title, t::rewards::sort_title()),
    ];
    let options = sorts
        .iter()
        .map(|(sort, label)| {
            let is_chosen = filter.read_untracked().sort == *sort;
            view! { <option selected=is_chosen>{label.clone()}</option> }
        })
        .collect_view();
    let on_sort = move |event: leptos::ev::Event| {
        let chosen = event_target::<web_sys::HtmlSelectElement>(&event).selected_index();
        let sort = usize::try_from(chosen)
            .ok()
            .and_then(|at| sorts.get(at))
            .map(|(sort, _)| *sort);
        filter.update(|filter| filter.sort = sort.unwrap_or_default());
        remembered.catalogue.refresh();
    };
    view! {
        <div class="toolbar">
            <label class="search">
                {live(|| icon("search"))}
                <span class="visually-hidden">{t::rewards::search()}</span>
                <input
                    type="search"
                    maxlength="80"
                    enterkeyhint="search"
                    placeholder=t::rewards::search_hint()
                    prop:value=words
                    on:input=on_type
                />
            </label>
            <div class="select-field">
                <label class="visually-hidden" for="sort">{t::rewards::sort()}</label>
                <select id="sort" on:change=on_sort>{options}</select>
                {live(|| icon("chevron"))}
            </div>
        </div>
        <Chips label=t::rewards::filter() chips=chips() />
    }
}

/// Whether it can be had, then which kind; a kind pressed again is let go.
fn chips() -> Vec<Chip> {
    let remembered = use_remembered();
    let filter = remembered.catalogue_filter;
    let availability = [
        (AvailabilityFilter::All, t::rewards::all()),
        (AvailabilityFilter::Ready, t::rewards::ready()),
        (AvailabilityFilter::Soon, t::rewards::soon()),
    ];
    let kinds = [
        (RewardKind::FreeProduct, t::kind::free_product()),
        (RewardKind::MoneyOff, t::kind::money_off()),
        (RewardKind::PercentOff, t::kind::percent_off()),
        (RewardKind::Upgrade, t::kind::upgrade()),
        (RewardKind::Delivery, t::kind::delivery()),
        (RewardKind::Experience, t::kind::experience()),
        (RewardKind::Donation, t::kind::donation()),
    ];
    let by_availability = availability.into_iter().map(move |(value, label)| {
        let press = move |()| {
            filter.update(|filter| filter.availability = value);
            remembered.catalogue.refresh();
        };
        (
            label,
            Signal::derive(move || filter.read().availability == value),
            Callback::new(press),
        )
    });
    let by_kind = kinds.into_iter().map(move |(value, label)| {
        let press = move |()| {
            filter.update(|filter| filter.kind = (filter.kind != Some(value)).then_some(value));
            remembered.catalogue.refresh();
        };
        (
            label,
            Signal::derive(move || filter.read().kind == Some(value)),
            Callback::new(press),
        )
    });
    by_availability.chain(by_kind).collect()
}

/// Whether money off, which every programme has, belongs to what is looked for.
fn fits_money_off(filter: &CatalogueFilter, status: &Status, programme: &Programme) -> bool {
    let can_use = status.member.state != MemberState::Paused && status.balance.available >= programme.min_spend_points;
    can_use
        && filter.words.trim().is_empty()
        && filter.kind.is_none_or(|kind| kind == RewardKind::MoneyOff)
        && filter.availability != AvailabilityFilter::Soon
}

/// Money off at the till, any amount: the reward that every programme has.
fn money_off_card(programme: &Programme) -> Markup {
    let least = programme.min_spend_points;
    html! {
        a.reward href=(Route::Convert.path()) data-kind="money_off" data-state="ready" {
            span.reward__picture { (reward_picture(None, RewardKind::MoneyOff)) }
            span.reward__body {
                span.reward__title { (t::rewards::money_off()) }
                span.reward__cost {
                    b { (t::rewards::from(&intl::points(least))) }
                    @if let Ok(worth) = worth::worth(least, &programme.point_value) {
                        span { (t::rewards::and_up(&intl::money(worth))) }
                    }
                }
            }
        }
    }
}

fn nothing_found() -> Markup {
    let show_all = html! { button.button type="button" data-action=(SHOW_ALL) { (t::rewards::show_all()) } };
    empty("search", &t::rewards::none(), &t::rewards::none_help(), &show_all)
}
