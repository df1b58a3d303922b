//! What have I got, what must I not miss, how far is the next tier, what can I have, how does it work.

use leptos::prelude::*;
use loyalty_contract::Money;
use loyalty_contract::ledger::Reference;
use loyalty_contract::programme::{Contact, Programme};
use loyalty_contract::redemptions::Redemption;
use loyalty_contract::rewards::{Availability, Reward};
use loyalty_contract::status::{Debt, Expiration, MemberState, Status};
use loyalty_rules::{earning, worth};
use maud::{Markup, html};

use crate::api;
use crate::components::failure::{RETRY, Tone, load_failed, notice};
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::components::nav::brand;
use crate::components::page_heading::PageHeading;
use crate::components::reward_card::{Missing, multiplier, reward_card};
use crate::components::skeleton;
use crate::components::tier_card::{tier_card, tier_name};
use crate::components::voucher_row::voucher_row;
use crate::components::worth_card::{can_use, worth_card};
use crate::data::{Load, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::pages::programme::terms_notice;
use crate::pages::sign_in::use_form;
use crate::routes::Route;
use crate::state::use_programme;

/// The home screen.
#[component]
pub fn HomePage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    remembered.highlights.want();
    remembered.open_vouchers.want();
    let programme = use_programme();
    let form = use_form();
    on_cleanup(move || form.forget_greeting());
    let content = move || {
        let highlights = remembered.highlights.get();
        let vouchers = remembered.open_vouchers.value().unwrap_or_default();
        let overview = |status: &Status| overview(status, &vouchers, &highlights, &programme, form.has_joined());
        html! {
            div.bar { span.brand { (brand(&programme)) } }
            @match remembered.status.get() {
                Load::Loading => (skeleton::home()),
                Load::Failed(error) => (load_failed(&error)),
                Load::Ready(status) | Load::Stale(status, _) => (overview(&status)),
            }
        }
    };
    let retry = move |_: &str, _| {
        remembered.status.refresh();
        remembered.highlights.refresh();
    };
    view! {
        <PageHeading title=t::nav::home() is_hidden=true />
        {live_with(content, retry)}
    }
}

/// The cards, in the order in which a person asks.
fn overview(
    status: &Status,
    vouchers: &[Redemption],
    highlights: &Load<Vec<Reward>>,
    programme: &Programme,
    has_joined: bool,
) -> Markup {
    let held = status.tier.as_ref().map(|tier| tier.current.as_str());
    let rate = multiplier(&programme.tiers, held);
    let is_usable = can_use(status, programme.min_spend_points);
    let contact = status
        .member
        .contact
        .as_ref()
        .filter(|_| status.member.state == MemberState::Managed);
    html! {
        div.columns {
            div.column {
                (worth_card(status, programme.min_spend_points))
                @if !vouchers.is_empty() { (vouchers_card(vouchers, programme)) }
                @if has_joined { (welcome(programme)) }
                (terms_notice(status, programme))
                @if status.member.state == MemberState::Paused { (paused_card(&programme.contact)) }
                @if let Some(debt) = &status.debt { (debt_card(debt, programme, rate)) }
                @if let Some(contact) = contact { (contact_card(contact)) }
                @if !status.expirations.is_empty() { (expirations_card(&status.expirations, is_usable)) }
                @if let Some(tier) = &status.tier { (tier_card(tier, &programme.tiers, Some(&Route::Tier))) }
            }
            div.column {
                @match highlights {
                    Load::Loading => (skeleton::shelf()),
                    Load::Failed(_) => p.muted {
                        (t::home::highlights_failed()) " "
                        button.link type="button" data-action=(RETRY) { (t::app::retry()) }
                    },
                    Load::Ready(rewards) | Load::Stale(rewards, _) => {
                        @if !rewards.is_empty() {
                            (highlights_shelf(rewards, status, programme, rate))
                        } @else if status.member.state != MemberState::Paused {
                            (no_reward(is_usable))
                        }
                    }
                }
                (rule_card(status, programme, rate))
            }
        }
    }
}

/// Greets somebody who has just joined, with what to do first.
fn welcome(programme: &Programme) -> Markup {
    let text = html! { p { (t::join::welcome_help()) } };
    html! { div role="status" { (notice(Tone::Success, "heart", &t::join::welcome(&programme.name), &text)) } }
}

/// What can be shown at the till now.
fn vouchers_card(vouchers: &[Redemption], programme: &Programme) -> Markup {
    html! {
        section.card {
            div.card__head {
                h2 { (t::vouchers::ready()) }
                a.link href=(Route::Vouchers.path()) { (t::vouchers::all()) }
            }
            ul.list { @for voucher in vouchers.iter().take(3) { (voucher_row(voucher, programme)) } }
        }
    }
}

/// What ends soon, when, and what it is worth until then.
fn expirations_card(expirations: &[Expiration], can_use: bool) -> Markup {
    html! {
        section.card data-tone="warm" {
            div.tick {
                (icon("clock"))
                div {
                    @for end in expirations {
                        @let (day, points) = (intl::last_day(end.at, DayStyle::Long), intl::points(end.points));
                        p { b { (t::home::expires(&day, &points, &intl::money(end.worth))) } }
                    }
                    p.muted {
                        (t::home::expires_help())
                        @if can_use { " " a.link href=(Route::Convert.path()) { (t::home::use_first()) } }
                    }
                    p.muted {
                        a.link href=(api::ledger::deadlines_address()) download { (t::entry_page::calendar()) }
                    }
                }
            }
        }
    }
}

/// Why the balance is below zero, and how it comes back.
pub fn debt_card(debt: &Debt, programme: &Programme, rate: u32) -> Markup {
    let why = match (&debt.cause.reference, &debt.cause.reason) {
        (Some(Reference::Return { amount, .. }), Some(thing)) => {
            t::debt::returned(&intl::money(*amount), &intl::day(debt.cause.at, DayStyle::Long), thing)
        }
        (_, Some(reason)) => t::debt::because(reason),
        _ => t::debt::returned_something(),
    };
    let shopping = earning::minor_for(debt.points, &programme.earning, rate);
    let text = html! {
        p { (why) }
        p {
            @if let Some(minor) = shopping {
                (t::debt::back(&intl::points(debt.points), &intl::money(Money::new(minor, programme.currency)))) " "
            }
            a.link href=(Route::Activity.path()) { (t::debt::see()) }
        }
    };
    notice(Tone::Warm, "return", &t::debt::title(&intl::points(debt.points)), &text)
}

/// Seeing everything, neither earning nor spending, without blame.
pub fn paused_card(contact: &Contact) -> Markup {
    let text = html! { p { (t::paused::text()) } (contact_links(contact)) };
    notice(Tone::Info, "pause", &t::paused::title(), &text)
}

/// The person who looks after a strategic customer.
fn contact_card(contact: &Contact) -> Markup {
    let who = if contact.role.is_empty() {
        contact.name.clone()
    } else {
        t::managed::text(&contact.name, &contact.role)
    };
    notice(
        Tone::Info,
        "person",
        &t::managed::title(),
        &html! { p { (who) } (contact_links(contact)) },
    )
}

/// Ways to reach somebody.
pub fn contact_links(contact: &Contact) -> Markup {
    let ways = [("tel:", &contact.phone), ("mailto:", &contact.email)];
    html! {
        ul.contact-links {
            @for (scheme, address) in ways.into_iter().filter(|(_, address)| !address.is_empty()) {
                li { a.link href={ (scheme) (address.replace(' ', "")) } { bdi { (address) } } }
            }
        }
    }
}

/// A few rewards within reach, or the nearest.
fn highlights_shelf(rewards: &[Reward], status: &Status, programme: &Programme, rate: u32) -> Markup {
    let is_any_ready = rewards
        .iter()
        .any(|reward| reward.availability == Some(Availability::Ready));
    let title = match (is_any_ready, &status.last_purchase) {
        (true, _) => t::home::within_reach(),
        (false, None) => t::home::first_goals(),
        (false, Some(_)) => t::home::next_goals(),
    };
    html! {
        section.stack {
            div.card__head {
                h2 { (title) }
                a.link href=(Route::Rewards.path()) { (t::home::all_rewards()) }
            }
            ul.shelf {
                @for reward in rewards { li { (reward_card(reward, Missing::of(reward, programme, rate).as_ref())) } }
            }
        }
    }
}

/// In place of the shelf where everything is sold out, or the shop has no rewards.
fn no_reward(can_use: bool) -> Markup {
    html! {
        section.card {
            div.card__head {
                h2 { (t::home::no_reward()) }
                a.link href=(Route::Rewards.path()) { (t::home::all_rewards()) }
            }
            @if can_use { p.muted { (t::home::money_off_works()) } }
        }
    }
}

/// The rule in one sentence, made from the programme's numbers, with the member's own last purchase as the example.
fn rule_card(status: &Status, programme: &Programme, rate: u32) -> Markup {
    let example = match &status.last_purchase {
        Some(last) => Some(t::rule::last_purchase(
            &intl::points(last.points),
            &intl::money(last.total),
            &intl::money(last.worth),
        )),
        None => example(programme, rate),
    };
    html! {
        section.card {
            div.rule {
                span.rule__mark { (icon("check")) }
                div {
                    h2 { (rule(programme)) }
                    p.muted { (tier_rate(status, programme, rate).unwrap_or_default()) " " (example.unwrap_or_default()) }
                    a.link href=(Route::Programme.path()) { (t::programme::see()) }
                }
            }
        }
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

/// What the member's tier makes of the rule, where that is more.
fn tier_rate(status: &Status, programme: &Programme, rate: u32) -> Option<String> {
    let tier = status.tier.as_ref().filter(|_| rate != earning::PLAIN_RATE_PERMILLE)?;
    let earned = earning::earned(programme.earning.per_money.minor, &programme.earning, rate).ok()?;
    let per_money = intl::short_money(programme.earning.per_money);
    Some(t::rule::as_tier(
        &per_money,
        &intl::points(earned),
        tier_name(&programme.tiers, &tier.current),
    ))
}

/// What ten times the earning step would bring, for someone without a purchase yet.
fn example(programme: &Programme, rate: u32) -> Option<String> {
    let total = Money::new(programme.earning.per_money.minor.checked_mul(10)?, programme.currency);
    let points = earning::earned(total.minor, &programme.earning, rate).ok()?;
    let worth = worth::worth(points, &programme.point_value).ok()?;
    Some(t::rule::example(
        &intl::points(points),
        &intl::short_money(total),
        &intl::money(worth),
    ))
}
