//! The catalogue: what points can be turned into.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use loyalty_contract::Points;
use loyalty_contract::rewards::{AvailabilityFilter, Reward, RewardKind, RewardSort};
use loyalty_contract::status::{MemberState, Status};

use crate::browser::timer::Debounce;
use crate::components::failure::{Empty, LoadFailed};
use crate::components::icon::{Icon, RewardPicture};
use crate::components::page_heading::PageHeading;
use crate::components::reward_card::{Missing, RewardCard, multiplier};
use crate::components::skeleton::CatalogueSkeleton;
use crate::data::{CatalogueFilter, Load, More, use_remembered};
use crate::intl::{self, t};
use crate::routes::Route;
use crate::state::use_programme;

/// How long typing rests before it is looked for.
const TYPING_RESTS: Duration = Duration::from_millis(250);

/// The catalogue with search, kinds, *ready / soon / all*, and its order.
#[component]
pub fn RewardsPage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    remembered.catalogue.want();
    view! {
        <div class="page-heading">
            <PageHeading title=t::nav::rewards() />
            {move || remembered.status.value().map(|status| {
                let balance = status.balance;
                view! {
                    <span class="badge num">
                        {intl::money(balance.worth)} " · " {intl::bare_points(balance.available)}
                    </span>
                }
            })}
        </div>
        <Filters />
        <Catalogue />
    }
}

/// What to look for, and in which order.
#[component]
fn Filters() -> impl IntoView {
    let remembered = use_remembered();
    let filter = remembered.catalogue_filter;
    let change = move |apply: &dyn Fn(&mut CatalogueFilter)| {
        filter.update(|filter| apply(filter));
        remembered.catalogue.refresh();
    };
    let typing = Debounce::default();
    let on_type = move |event| {
        let words: String = event_target_value(&event);
        filter.update(|filter| filter.words = words);
        typing.call(TYPING_RESTS, move || remembered.catalogue.refresh());
    };
    let availability = [
        (AvailabilityFilter::All, t::rewards::all()),
        (AvailabilityFilter::Ready, t::rewards::ready()),
        (AvailabilityFilter::Soon, t::rewards::soon()),
    ];
    let sorts = [
        (RewardSort::Recommended, t::rewards::sort_recommended()),
        (RewardSort::Cost, t::rewards::sort_cost()),
        (RewardSort::CostDesc, t::rewards::sort_cost_desc()),
        (RewardSort::Title, t::rewards::sort_title()),
    ];
    let chip = move |is_on: Signal<bool>, label: String, on_press: Box<dyn Fn()>| {
        view! {
            <button type="button" class="chip" aria-pressed=move || is_on.get().to_string() on:click=move |_| on_press()>
                {label}
            </button>
        }
    };
    let availability = availability.map(|(value, label)| {
        let is_on = Signal::derive(move || filter.read().availability == value);
        chip(
            is_on,
            label,
            Box::new(move || change(&|filter| filter.availability = value)),
        )
    });
    let kinds = kinds().map(|(value, label)| {
        let is_on = Signal::derive(move || filter.read().kind == Some(value));
        // Pressed again, a kind is let go.
        let press = move || change(&|filter| filter.kind = if filter.kind == Some(value) { None } else { Some(value) });
        chip(is_on, label, Box::new(press))
    });
    let options = sorts
        .iter()
        .map(|(value, label)| {
            let value = *value;
            view! { <option prop:selected=move || filter.read().sort == value>{label.clone()}</option> }
        })
        .collect_view();
    let on_sort = move |event: leptos::ev::Event| {
        let chosen = event_target::<web_sys::HtmlSelectElement>(&event).selected_index();
        let sort = usize::try_from(chosen)
            .ok()
            .and_then(|at| sorts.get(at))
            .map(|(sort, _)| *sort);
        change(&move |filter| filter.sort = sort.unwrap_or_default());
    };
    view! {
        <label class="search">
            <Icon name="search" />
            <span class="visually-hidden">{t::rewards::search()}</span>
            <input
                type="search"
                maxlength="80"
                enterkeyhint="search"
                placeholder=t::rewards::search_hint()
                prop:value=move || filter.read().words.clone()
                on:input=on_type
            />
        </label>
        <div class="chips" role="group" aria-label=t::rewards::filter()>
            {availability.collect_view()}
            {kinds.collect_view()}
        </div>
        <div class="select-field">
            <label class="visually-hidden" for="sort">{t::rewards::sort()}</label>
            <select id="sort" on:change=on_sort>{options}</select>
            <Icon name="chevron" />
        </div>
    }
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

/// What was found.
#[component]
fn Catalogue() -> impl IntoView {
    let remembered = use_remembered();
    let list = remembered.catalogue;
    move || match list.get() {
        Load::Loading => view! { <CatalogueSkeleton /> }.into_any(),
        Load::Failed(error) => view! { <LoadFailed error on_retry=move || list.refresh() /> }.into_any(),
        Load::Stale(_, error) => view! { <LoadFailed error on_retry=move || list.refresh() /> }.into_any(),
        Load::Ready(pages) => {
            let status = remembered.status.value();
            let money_off = status
                .as_ref()
                .is_some_and(|status| fits_money_off(&remembered.catalogue_filter.read_untracked(), status));
            if !money_off && pages.iter().all(|page| page.is_empty()) {
                return view! { <NothingFound /> }.into_any();
            }
            let rate = rate(status.as_ref());
            view! {
                <ul class="grid" aria-busy=move || list.is_busy().to_string()>
                    {money_off.then(|| view! { <li><MoneyOffCard /></li> })}
                    {pages.into_iter().map(|page| cards(page, rate)).collect_view()}
                </ul>
                {move || match list.more() {
                    More::No | More::Asking => None,
                    More::After(_) | More::Failed(..) => Some(view! {
                        <div class="load-more">
                            <button type="button" class="button" on:click=move |_| list.grow()>{t::app::more()}</button>
                        </div>
                    }),
                }}
            }
            .into_any()
        }
    }
}

fn cards(page: Arc<Vec<Reward>>, rate: u32) -> impl IntoView {
    let programme = use_programme();
    page.iter()
        .cloned()
        .map(|reward| {
            let missing = Missing::of(&reward, &programme, rate);
            view! { <li><RewardCard reward missing /></li> }
        })
        .collect_view()
}

fn rate(status: Option<&Status>) -> u32 {
    let held = status
        .and_then(|status| status.tier.as_ref())
        .map(|tier| tier.current.as_str());
    multiplier(&use_programme().tiers, held)
}

/// Whether money off, which every programme has, belongs to what is looked for.
fn fits_money_off(filter: &CatalogueFilter, status: &Status) -> bool {
    let can_use =
        status.member.state != MemberState::Paused && status.balance.available >= use_programme().min_spend_points;
    filter.words.trim().is_empty()
        && filter.kind.is_none_or(|kind| kind == RewardKind::MoneyOff)
        && can_use
        && filter.availability != AvailabilityFilter::Soon
}

/// Money off at the till, any amount: the reward that every programme has.
#[component]
fn MoneyOffCard() -> impl IntoView {
    let programme = use_programme();
    let least: Points = programme.min_spend_points;
    let worth = loyalty_rules::worth::worth(least, &programme.point_value).ok();
    view! {
        <a class="reward" href=Route::Convert.path() data-kind="money_off" data-state="ready">
            <span class="reward__picture"><RewardPicture image_url=None kind=RewardKind::MoneyOff /></span>
            <span class="reward__body">
                <span class="reward__title">{t::rewards::money_off()}</span>
                <span class="reward__cost">
                    <b>{t::rewards::from(&intl::points(least))}</b>
                    {worth.map(|worth| format!(" · {}", t::rewards::and_up(&intl::money(worth))))}
                </span>
            </span>
        </a>
    }
}

#[component]
fn NothingFound() -> impl IntoView {
    let remembered = use_remembered();
    let clear = move |_| {
        remembered.catalogue_filter.set(CatalogueFilter::default());
        remembered.catalogue.refresh();
    };
    view! {
        <Empty icon="search" title=t::rewards::none() help=t::rewards::none_help()>
            <button type="button" class="button" on:click=clear>{t::rewards::show_all()}</button>
        </Empty>
    }
}
