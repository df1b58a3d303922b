//! One reward: what it is, what it costs and is worth, every condition, and exactly what is missing.

use leptos::prelude::*;
use loyalty_contract::ProblemCode;
use loyalty_contract::rewards::Reward;

use crate::api;
use crate::components::failure::{Empty, LoadFailed, Notice, StaleNote};
use crate::components::icon::{Icon, RewardPicture, kind_name};
use crate::components::page_heading::BackBar;
use crate::components::reward_card::{Missing, multiplier};
use crate::components::skeleton::CardsSkeleton;
use crate::data::{Load, Source, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;
use crate::state::{use_programme, use_session};

/// A reward's page.
#[component]
pub fn RewardPage(
    /// Which reward.
    id: String,
) -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    let source = Source::new(use_session(), move || {
        let id = id.clone();
        async move { api::rewards::get_reward(&id).await }
    });
    source.refresh();
    let title = Signal::derive(move || source.value().map_or_else(t::reward::title, |reward| reward.title));
    let content = move || match source.get() {
        Load::Loading => view! { <CardsSkeleton /> }.into_any(),
        Load::Failed(error) if error.code() == Some(ProblemCode::NotFound) => view! {
            <Empty icon="gift" title=t::reward::gone() help=t::reward::gone_help()>
                <a class="button" href=Route::Rewards.path()>{t::home::all_rewards()}</a>
            </Empty>
        }
        .into_any(),
        Load::Failed(error) => view! { <LoadFailed error on_retry=move || source.refresh() /> }.into_any(),
        Load::Ready(reward) => view! { <Details reward /> }.into_any(),
        Load::Stale(reward, _) => {
            let as_of = remembered.status.value().map(|status| status.as_of);
            view! {
                {as_of.map(|as_of| view! { <StaleNote as_of on_retry=move || source.refresh() /> })}
                <Details reward />
            }
            .into_any()
        }
    };
    view! {
        <BackBar title to=Route::Rewards />
        {content}
    }
}

#[component]
fn Details(reward: Reward) -> impl IntoView {
    let remembered = use_remembered();
    let programme = use_programme();
    let ticks = |texts: Vec<String>| {
        texts
            .into_iter()
            .map(|text| view! { <li class="tick"><Icon name="check" /><span>{text}</span></li> })
            .collect_view()
    };
    let conditions = ticks(reward.conditions.clone());
    let facts = facts(&reward);
    let standing = {
        let reward = reward.clone();
        move || {
            let status = remembered.status.value()?;
            let held = status.tier.as_ref().map(|tier| tier.current.as_str());
            let rate = multiplier(&programme.tiers, held);
            Some(match Missing::of(&reward, &programme, rate) {
                Some(missing) => view! { <NotYet missing /> }.into_any(),
                None => {
                    let left = status.balance.available - reward.cost_points;
                    let title = t::reward::ready();
                    view! {
                        <Notice tone="success" icon="check" title>
                            <p>{t::reward::left(&intl::points(left))}</p>
                        </Notice>
                    }
                    .into_any()
                }
            })
        }
    };
    view! {
        <article class="reward-page" data-kind=kind_name(reward.kind)>
            <div class="reward-page__picture"><RewardPicture image_url=reward.image_url kind=reward.kind /></div>
            <div class="column">
                <div class="reward-page__head">
                    <p class="reward-page__cost">
                        <b>{intl::points(reward.cost_points)}</b>
                        {reward.shop_price.map(|price| view! { <span>{t::reward::in_shop(&intl::money(price))}</span> })}
                    </p>
                    <p>{reward.description}</p>
                </div>
                {standing}
                <section class="card">{facts}</section>
                <section class="card">
                    <h2>{t::reward::conditions()}</h2>
                    <ul class="conditions">{conditions}</ul>
                    <p class="muted">{t::reward::that_is_all()}</p>
                </section>
            </div>
        </article>
    }
}

/// Every reason, each with its sentence, and how far the points are.
#[component]
fn NotYet(missing: Missing) -> impl IntoView {
    let sentences = missing
        .sentences
        .into_iter()
        .map(|text| view! { <p>{text}</p> })
        .collect_view();
    view! {
        <Notice tone="warm" icon=if missing.is_gone { "info" } else { "clock" } title=missing.short>
            {sentences}
            {missing.part.map(|part| view! { <span class="meter" style=("--part", format!("{part}%"))></span> })}
        </Notice>
    }
}

fn facts(reward: &Reward) -> impl IntoView + use<> {
    let programme = use_programme();
    let mut facts = vec![
        (t::reward::costs(), intl::points(reward.cost_points)),
        (t::reward::at_the_till(), intl::money(reward.points_worth)),
    ];
    if let Some(tier) = &reward.tier_required {
        let name = programme
            .tiers
            .iter()
            .find(|known| &known.id == tier)
            .map_or(tier, |known| &known.name);
        facts.push((t::reward::for_tier(), name.clone()));
    }
    if let Some(end) = reward.valid_until {
        facts.push((t::reward::until(), intl::last_day(end, DayStyle::Full)));
    }
    if let Some(left) = reward.stock_left {
        facts.push((t::reward::stock(), intl::number(i64::from(left))));
    }
    if let Some(left) = reward.per_member_left {
        facts.push((t::reward::per_member(), intl::number(i64::from(left))));
    }
    let rows = facts
        .into_iter()
        .map(|(name, value)| view! { <li><span>{name}</span><b>{value}</b></li> })
        .collect_view();
    view! { <ul class="facts">{rows}</ul> }
}
