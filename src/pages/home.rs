//! What have I got, what must I not miss, how far is the next tier, what can I have, how does it work.

use leptos::prelude::*;
use loyalty_contract::ledger::Reference;
use loyalty_contract::programme::{Contact, Programme};
use loyalty_contract::rewards::{Availability, Reward};
use loyalty_contract::status::{Debt, Expiration, MemberState, Status};
use loyalty_contract::{Money, Points};
use loyalty_rules::{earning, worth};

use crate::components::failure::{LoadFailed, Notice, StaleNote};
use crate::components::icon::Icon;
use crate::components::nav::Brand;
use crate::components::page_heading::PageHeading;
use crate::components::reward_card::{Missing, RewardCard, multiplier};
use crate::components::skeleton::HomeSkeleton;
use crate::components::tier_card::TierCard;
use crate::components::worth_card::WorthCard;
use crate::data::{Load, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;
use crate::state::use_programme;

/// The home screen.
#[component]
pub fn HomePage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    remembered.highlights.want();
    let retry = move || {
        remembered.status.refresh();
        remembered.highlights.refresh();
    };
    view! {
        <PageHeading title=t::nav::home() is_hidden=true />
        <div class="bar"><span class="brand"><Brand /></span></div>
        {move || match remembered.status.get() {
            Load::Loading => view! { <HomeSkeleton /> }.into_any(),
            Load::Failed(error) => view! { <LoadFailed error on_retry=retry /> }.into_any(),
            Load::Ready(status) => view! { <Overview status /> }.into_any(),
            Load::Stale(status, _) => {
                view! {
                    <StaleNote as_of=status.as_of on_retry=retry />
                    <Overview status />
                }
                    .into_any()
            }
        }}
    }
}

/// The cards, in the order in which a person asks.
#[component]
fn Overview(status: Status) -> impl IntoView {
    let programme = use_programme();
    let held = status.tier.as_ref().map(|tier| tier.current.clone());
    let rate = multiplier(&programme.tiers, held.as_deref());
    let tier = status.tier.clone().map(|tier| {
        view! { <TierCard tier tiers=programme.tiers.clone() /> }
    });
    let is_managed = status.member.state == MemberState::Managed;
    let contact = status.member.contact.clone().filter(|_| is_managed);
    view! {
        <div class="columns">
            <div class="column">
                <WorthCard status=status.clone() min_spend=programme.min_spend_points />
                {(status.member.state == MemberState::Paused).then(|| view! { <PausedCard /> })}
                {status.debt.clone().map(|debt| view! { <DebtCard debt rate /> })}
                {contact.map(|contact| view! { <ContactCard contact /> })}
                {(!status.expirations.is_empty())
                    .then(|| view! { <ExpirationsCard expirations=status.expirations.clone() /> })}
                {tier}
            </div>
            <div class="column">
                <Highlights rate is_new=status.last_purchase.is_none() />
                <RuleCard status held rate />
            </div>
        </div>
    }
}

/// What ends soon, when, and what it is worth until then.
#[component]
fn ExpirationsCard(expirations: Vec<Expiration>) -> impl IntoView {
    let rows = expirations
        .into_iter()
        .map(|end| {
            let (day, points) = (intl::last_day(end.at, DayStyle::Long), intl::points(end.points));
            view! { <p><b>{t::home::expires(&day, &points, &intl::money(end.worth))}</b></p> }
        })
        .collect_view();
    view! {
        <section class="card" data-tone="warm">
            <div class="tick">
                <Icon name="clock" />
                <div>
                    {rows}
                    <p class="muted">
                        {t::home::expires_help()} " "
                        <a class="link" href=Route::Convert.path()>{t::home::use_first()}</a>
                    </p>
                </div>
            </div>
        </section>
    }
}

/// Why the balance is below zero, and how it comes back.
#[component]
fn DebtCard(debt: Debt, rate: u32) -> impl IntoView {
    let programme = use_programme();
    let why = match (&debt.cause.reference, &debt.cause.reason) {
        (Some(Reference::Return { amount, .. }), Some(thing)) => {
            t::debt::returned(&intl::money(*amount), &intl::day(debt.cause.at, DayStyle::Long), thing)
        }
        (_, Some(reason)) => t::debt::because(reason),
        _ => t::debt::returned_something(),
    };
    let back = earning::minor_for(debt.points, &programme.earning, rate).map(|minor| {
        t::debt::back(
            &intl::points(debt.points),
            &intl::money(Money::new(minor, programme.currency)),
        )
    });
    view! {
        <Notice tone="warm" icon="return" title=t::debt::title(&intl::points(debt.points))>
            <p>{why}</p>
            <p>{back} " " <a class="link" href=Route::Activity.path()>{t::debt::see()}</a></p>
        </Notice>
    }
}

/// Seeing everything, neither earning nor spending, without blame.
#[component]
fn PausedCard() -> impl IntoView {
    let contact = use_programme().contact.clone();
    view! {
        <Notice tone="info" icon="pause" title=t::paused::title()>
            <p>{t::paused::text()}</p>
            <ContactLinks contact />
        </Notice>
    }
}

/// The person who looks after a strategic customer.
#[component]
fn ContactCard(contact: Contact) -> impl IntoView {
    let text = if contact.role.is_empty() {
        contact.name.clone()
    } else {
        t::managed::text(&contact.name, &contact.role)
    };
    view! {
        <Notice tone="info" icon="person" title=t::managed::title()>
            <p>{text}</p>
            <ContactLinks contact />
        </Notice>
    }
}

/// Ways to reach somebody.
#[component]
pub fn ContactLinks(
    /// Whom.
    contact: Contact,
) -> impl IntoView {
    let link = |scheme: &str, address: String| {
        (!address.is_empty()).then(|| {
            let href = format!("{scheme}:{}", address.replace(' ', ""));
            view! { <li><a class="link" href=href><bdi>{address}</bdi></a></li> }
        })
    };
    view! {
        <ul class="contact-links">
            {link("tel", contact.phone.clone())}
            {link("mailto", contact.email.clone())}
        </ul>
    }
}

/// A few rewards within reach, or the nearest.
#[component]
fn Highlights(rate: u32, is_new: bool) -> impl IntoView {
    let source = use_remembered().highlights;
    let programme = use_programme();
    move || {
        let rewards = match source.get() {
            Load::Ready(rewards) | Load::Stale(rewards, _) => rewards,
            Load::Loading | Load::Failed(_) => return None,
        };
        if rewards.is_empty() {
            return None;
        }
        let is_ready = |reward: &Reward| reward.availability == Some(Availability::Ready);
        let title = match (rewards.iter().any(is_ready), is_new) {
            (true, _) => t::home::within_reach(),
            (false, true) => t::home::first_goals(),
            (false, false) => t::home::next_goals(),
        };
        let cards = rewards
            .into_iter()
            .map(|reward| {
                let missing = Missing::of(&reward, &programme, rate);
                view! { <li><RewardCard reward missing /></li> }
            })
            .collect_view();
        Some(view! {
            <section class="stack">
                <div class="card__head">
                    <h2>{title}</h2>
                    <a class="link" href=Route::Rewards.path()>{t::home::all_rewards()}</a>
                </div>
                <ul class="shelf">{cards}</ul>
            </section>
        })
    }
}

/// The rule in one sentence, made from the programme's numbers, with the member's own last purchase as the example.
#[component]
fn RuleCard(status: Status, held: Option<String>, rate: u32) -> impl IntoView {
    let programme = use_programme();
    let sentence = rule(&programme);
    let tier_rate = (rate != earning::PLAIN_RATE_PERMILLE)
        .then(|| {
            let tier = programme.tiers.iter().find(|tier| Some(&tier.id) == held.as_ref())?;
            let earned = earning::earned(programme.earning.per_money.minor, &programme.earning, rate).ok()?;
            let per_money = intl::short_money(programme.earning.per_money);
            Some(t::rule::as_tier(&per_money, &intl::points(earned), &tier.name))
        })
        .flatten();
    let example = match status.last_purchase {
        Some(last) => Some(t::rule::last_purchase(
            &intl::points(last.points),
            &intl::money(last.total),
            &intl::money(last.worth),
        )),
        None => example(&programme, rate),
    };
    view! {
        <section class="card">
            <div class="rule">
                <span class="rule__mark"><Icon name="check" /></span>
                <div>
                    <h2>{sentence}</h2>
                    <p class="muted">{tier_rate} " " {example}</p>
                </div>
            </div>
        </section>
    }
}

/// "For X we give Y", and what Y is worth.
pub fn rule(programme: &Programme) -> String {
    t::rule::sentence(
        &intl::short_money(programme.earning.per_money),
        &intl::points(programme.earning.points),
        &intl::money(programme.point_value.money),
        &intl::points(programme.point_value.points),
    )
}

/// What ten times the earning step would bring, for someone without a purchase yet.
fn example(programme: &Programme, rate: u32) -> Option<String> {
    let total = Money::new(programme.earning.per_money.minor.checked_mul(10)?, programme.currency);
    let points: Points = earning::earned(total.minor, &programme.earning, rate).ok()?;
    let worth = worth::worth(points, &programme.point_value).ok()?;
    Some(t::rule::example(
        &intl::points(points),
        &intl::short_money(total),
        &intl::money(worth),
    ))
}
