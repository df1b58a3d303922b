//! The catalogue: what points can be turned into.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use loyalty_contract::programme::Programme;
use loyalty_contract::rewards::{AvailabilityFilter, RewardKind, RewardSort};
use loyalty_contract::status::{MemberState, Status};
use loyalty_rules::worth;
use maud::{Markup, html};

use crate::browser::document;
use crate::browser::timer::{Debounce, after_picture};
use crate::components::chips::chips;
use crate::components::failure::{RETRY, empty, load_failed};
use crate::components::icon::{icon, reward_picture};
use crate::components::live::{live, live_with};
use crate::components::page_heading::PageHeading;
use crate::components::reward_card::{Missing, multiplier, reward_card};
use crate::components::skeleton;
use crate::components::worth_card::can_use;
use crate::data::{CatalogueFilter, Load, More, use_remembered};
use crate::intl::{self, t};
use crate::pages::home::paused_card;
use crate::routes::Route;
use crate::state::use_programme;

/// How long typing rests before it is looked for.
const TYPING_RESTS: Duration = Duration::from_millis(250);

const MORE: &str = "more";
const SHOW_ALL: &str = "show-all";
const SORT: &str = "sort";
const WORDS: &str = "words";

const SEARCH_FIELD: &str = "search";
const SORT_FIELD: &str = "sort";

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
        let load = list.get();
        match load {
            Load::Loading => skeleton::catalogue(),
            Load::Failed(error) => load_failed(&error),
            Load::Ready(pages) | Load::Stale(pages, _) => {
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
                    return nothing_found(&filter);
                }
                html! {
                    @if status.as_ref().is_some_and(|status| status.member.state == MemberState::Paused) {
                        (paused_card(&programme.contact))
                    }
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
    let filter = remembered.catalogue_filter;
    let typing = Debounce::default();
    let act = move |action: &str, value: String| match action {
        MORE => remembered.catalogue.grow(),
        WORDS => {
            filter.update(|filter| filter.words = value);
            typing.call(TYPING_RESTS, move || remembered.catalogue.renew());
        }
        RETRY => remembered.catalogue.refresh(),
        _ => {
            filter.update(|filter| change(filter, action, &value));
            if action == SHOW_ALL {
                // The fields are written once, and would go on saying what nobody looks for any more.
                document::set_value(SEARCH_FIELD, "");
                document::set_value(SORT_FIELD, sorts()[0].1);
            }
            // The chip is seen to be pressed before the cards, which take a slow phone longer, are drawn.
            after_picture(move || remembered.catalogue.renew());
        }
    };
    let act = Rc::new(act);
    let (act_in_filters, act_on_chips) = (Rc::clone(&act), Rc::clone(&act));
    // What is typed and chosen stays in its fields: they are written once.
    let fields = move || fields(&filter.get_untracked());
    view! {
        <div class="page-heading"><PageHeading title=t::nav::rewards() />{live(balance)}</div>
        {live_with(fields, move |action, value| act_in_filters(action, value))}
        {live_with(move || filter_chips(&filter.get()), move |action, value| act_on_chips(action, value))}
        {live_with(found, move |action, value| act(action, value))}
    }
}

/// What an action makes of the filter; a kind pressed again is let go.
fn change(filter: &mut CatalogueFilter, action: &str, value: &str) {
    match action {
        SHOW_ALL => *filter = CatalogueFilter::default(),
        SORT => {
            filter.sort = sorts()
                .into_iter()
                .find(|(_, name, _)| *name == value)
                .map(|(sort, ..)| sort)
                .unwrap_or_default()
        }
        _ => {
            if let Some((availability, ..)) = availabilities().into_iter().find(|(_, name, _)| *name == action) {
                filter.availability = availability;
            }
            if let Some((kind, _)) = kinds().into_iter().find(|(kind, _)| kind.as_str() == action) {
                filter.kind = (filter.kind != Some(kind)).then_some(kind);
            }
        }
    }
}

fn sorts() -> [(RewardSort, &'static str, String); 4] {
    [
        (RewardSort::Recommended, "recommended", t::rewards::sort_recommended()),
        (RewardSort::Cost, "cost", t::rewards::sort_cost()),
        (RewardSort::CostDesc, "cost_desc", t::rewards::sort_cost_desc()),
        (RewardSort::Title, "title", t::rewards::sort_title()),
    ]
}

fn availabilities() -> [(AvailabilityFilter, &'static str, String); 3] {
    [
        (AvailabilityFilter::All, "all", t::rewards::all()),
        (AvailabilityFilter::Ready, "ready", t::rewards::ready()),
        (AvailabilityFilter::Soon, "soon", t::rewards::soon()),
    ]
}

fn kinds() -> [(RewardKind, String); 7] {
    [
        (RewardKind::FreeProduct, t::kind::free_product()),
        (RewardKind::MoneyOff, t::kind::money_off()),
        (RewardKind::PercentOff, t::kind::percent_off()),
        (RewardKind::Upgrade, t::kind::upgrade()),
        (RewardKind::Delivery, t::kind::delivery()),
        (RewardKind::Experience, t::kind::experience()),
        (RewardKind::Donation, t::kind::donation()),
    ]
}

/// What to look for, and in which order.
fn fields(filter: &CatalogueFilter) -> Markup {
    html! {
        div.toolbar {
            label.search {
                (icon("search"))
                span.visually-hidden { (t::rewards::search()) }
                input type="search" id=(SEARCH_FIELD) maxlength="80" enterkeyhint="search" placeholder=(t::rewards::search_hint())
                    value=(filter.words) data-action=(WORDS);
            }
            div.select-field {
                label.visually-hidden for=(SORT_FIELD) { (t::rewards::sort()) }
                select id=(SORT_FIELD) data-action=(SORT) {
                    @for (sort, name, label) in sorts() { option value=(name) selected[sort == filter.sort] { (label) } }
                }
                (icon("chevron"))
            }
        }
    }
}

/// Whether it can be had, then which kind.
fn filter_chips(filter: &CatalogueFilter) -> Markup {
    let by_availability =
        availabilities().map(|(value, name, label)| (name.to_owned(), label, filter.availability == value));
    let by_kind = kinds().map(|(kind, label)| (kind.as_str().to_owned(), label, filter.kind == Some(kind)));
    chips(&t::rewards::filter(), &[&by_availability[..], &by_kind[..]].concat())
}

/// Whether money off, which every programme has, belongs to what is looked for.
fn fits_money_off(filter: &CatalogueFilter, status: &Status, programme: &Programme) -> bool {
    can_use(status, programme.min_spend_points)
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

/// Nothing fits: the way back to everything.
fn nothing_found(filter: &CatalogueFilter) -> Markup {
    let show_all = html! { button.button type="button" data-action=(SHOW_ALL) { (t::rewards::show_all()) } };
    if filter.availability == AvailabilityFilter::Ready && filter.words.trim().is_empty() {
        return empty(
            "gift",
            &t::rewards::none_ready(),
            &t::rewards::none_ready_help(),
            &show_all,
        );
    }
    empty("search", &t::rewards::none(), &t::rewards::none_help(), &show_all)
}
