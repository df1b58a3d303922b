//! One reward: what it is, what it costs and is worth, every condition, and exactly what is missing.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::ProblemCode;
use loyalty_contract::programme::Programme;
use loyalty_contract::quotes::{Quote, QuoteRequest};
use loyalty_contract::rewards::{Availability, Reward};
use loyalty_contract::status::Status;
use maud::{Markup, html};

use crate::api;
use crate::components::failure::{Tone, empty, load_failed, notice};
use crate::components::icon::reward_picture;
use crate::components::live::{live, live_with};
use crate::components::page_heading::BackBar;
use crate::components::reward_card::{Missing, multiplier};
use crate::components::skeleton;
use crate::components::ticks::ticks;
use crate::components::tier_card::tier_name;
use crate::data::{Load, Source, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::pages::commit::{Commit, Outcome, Quoted, forget_refusal_on_leaving, usable_until};
use crate::routes::Route;
use crate::state::{use_programme, use_session};

/// A reward's page.
#[component]
pub fn RewardPage(
    /// Which reward.
    id: String,
) -> impl IntoView {
    let status = use_remembered().status;
    status.want();
    let source = Source::new(use_session(), move |way| {
        let id = id.clone();
        async move { api::rewards::get_reward(way, &id).await }
    });
    source.want();
    forget_refusal_on_leaving();
    let programme = use_programme();
    // What is to be taken changes only when the reward does, not each time that the status is asked for.
    let ready = Memo::new(move |_| {
        source
            .value()
            .filter(|reward| reward.availability == Some(Availability::Ready))
    });
    let title = Signal::derive(move || source.value().map_or_else(t::reward::title, |reward| reward.title));
    let around = move || match source.get() {
        Load::Loading => skeleton::cards(),
        Load::Failed(error) if error.code() == Some(ProblemCode::NotFound) => gone(),
        Load::Failed(error) => load_failed(&error),
        Load::Ready(_) | Load::Stale(..) => Markup::default(),
    };
    let is_there = Memo::new(move |_| source.get().value().is_some());
    let picture = move || source.value().map_or_else(Markup::default, |reward| picture(&reward));
    let details = move || {
        let reward = source.value();
        reward.map_or_else(Markup::default, |reward| {
            details(&reward, status.value().as_ref(), &programme)
        })
    };
    view! {
        <BackBar title to=Route::Rewards />
        {live_with(around, move |_, _| source.refresh())}
        <Show when=move || is_there.get()>
            <article class="reward-page">
                {live(picture)}
                <div class="column">
                    {live(details.clone())}
                    {move || match ready.get() {
                        Some(reward) => view! { <TakeIt reward /> }.into_any(),
                        None => view! { <Outcome /> }.into_any(),
                    }}
                </div>
            </article>
        </Show>
    }
}

/// What taking a reward costs and leaves, and the tap that does it.
#[component]
fn TakeIt(reward: Reward) -> impl IntoView {
    let quoted = RwSignal::new(Quoted::Asking);
    let turns = StoredValue::new(0);
    let session = use_session();
    let id = reward.id.clone();
    let ask = move || {
        let turn = turns.get_value() + 1;
        turns.set_value(turn);
        quoted.set(Quoted::Asking);
        let intent = QuoteRequest::RewardId(id.clone());
        spawn_local(async move {
            let answer = api::quotes::create_quote(&intent).await;
            // The screen may be gone, or have asked again.
            if turns.try_get_value() == Some(turn)
                && let Some(said) = Quoted::of(answer, session)
            {
                quoted.set(said);
            }
        });
    };
    ask();
    let minutes = reward.voucher_valid_minutes;
    let facts = move || {
        let quoted = quoted.read();
        html! {
            ul.facts {
                @if let Quoted::Yes(quote) = &*quoted {
                    @let left = &quote.balance_after;
                    li {
                        span { (t::convert::you_keep()) }
                        b { (intl::points(left.available)) " · " (intl::money(left.worth)) }
                    }
                }
                li { span { (t::spend::until()) } b { (usable_until(minutes)) } }
            }
        }
    };
    let title = {
        let name = reward.title.clone();
        move |quote: &Quote| t::spend::reward_for(&intl::points(quote.points), &name)
    };
    let cost = reward.cost_points;
    let label = move || {
        let points = match &*quoted.read() {
            Quoted::Yes(quote) => quote.points,
            _ => cost,
        };
        t::spend::use_points(&intl::points(points))
    };
    view! {
        <section class="card">{live(facts)}</section>
        <Commit quoted known=reward.conditions title=Rc::new(title) label=Rc::new(label) ask=Rc::new(ask) />
    }
}

fn gone() -> Markup {
    let others = html! { a.button href=(Route::Rewards.path()) { (t::home::all_rewards()) } };
    empty("gift", &t::reward::gone(), &t::reward::gone_help(), &others)
}

fn picture(reward: &Reward) -> Markup {
    html! {
        div.reward-page__picture data-kind=(reward.kind.as_str()) {
            (reward_picture(reward.image_url.as_deref(), reward.kind))
        }
    }
}

fn details(reward: &Reward, status: Option<&Status>, programme: &Programme) -> Markup {
    html! {
        div.reward-page__head {
            p.reward-page__cost {
                b { (intl::points(reward.cost_points)) }
                @if let Some(price) = reward.shop_price { span { (t::reward::in_shop(&intl::money(price))) } }
            }
            p { (reward.description) }
        }
        @if let Some(status) = status { (standing(reward, status, programme)) }
        section.card {
            ul.facts {
                @for (name, value) in facts(reward, programme) { li { span { (name) } b { (value) } } }
            }
        }
        // Where it can be had, they stand beside the tap that takes it.
        @if reward.availability != Some(Availability::Ready) {
            section.card {
                h2 { (t::reward::conditions()) }
                (conditions(&reward.conditions))
            }
        }
    }
}

/// Every condition at the size of everything else, and the word that there are no others.
pub fn conditions(conditions: &[String]) -> Markup {
    html! {
        (ticks(conditions))
        p.muted { (t::reward::that_is_all()) }
    }
}

/// Whether this member can have it, and if not, every reason with how far the points are.
fn standing(reward: &Reward, status: &Status, programme: &Programme) -> Markup {
    let held = status.tier.as_ref().map(|tier| tier.current.as_str());
    let rate = multiplier(&programme.tiers, held);
    match (Missing::of(reward, programme, rate), &reward.availability) {
        (Some(missing), _) => {
            let picture = if missing.is_gone { "info" } else { "clock" };
            let text = html! {
                @for sentence in &missing.sentences { p { (sentence) } }
                @if let Some(part) = missing.part { span.meter data-part=(part) {} }
            };
            notice(Tone::Warm, picture, &missing.short, &text)
        }
        (None, Some(Availability::Ready)) => {
            let left = t::reward::left(&intl::points(status.balance.available - reward.cost_points));
            notice(Tone::Success, "check", &t::reward::ready(), &html! { p { (left) } })
        }
        (None, _) => Markup::default(),
    }
}

fn facts(reward: &Reward, programme: &Programme) -> Vec<(String, String)> {
    let mut facts = vec![
        (t::reward::costs(), intl::points(reward.cost_points)),
        (t::reward::at_the_till(), intl::money(reward.points_worth)),
    ];
    if let Some(tier) = &reward.tier_required {
        facts.push((t::reward::for_tier(), tier_name(&programme.tiers, tier).to_owned()));
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
    facts
}
