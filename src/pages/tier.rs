//! The ladder: what every tier brings, where one is, what reaches the next one and what keeps the one held.

use leptos::prelude::*;
use loyalty_contract::programme::{Programme, Tier, TierWindow};
use loyalty_contract::status::{Status, TierStatus};
use loyalty_contract::{Money, Points};
use loyalty_rules::{earning, tiers};
use maud::{Markup, html};

use crate::components::failure::{empty, load_failed};
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::components::page_heading::BackBar;
use crate::components::reward_card::multiplier;
use crate::components::skeleton;
use crate::components::ticks::ticks;
use crate::components::tier_card::{tier_card, tier_name};
use crate::data::{Load, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;
use crate::state::use_programme;

/// Where one stands on the ladder, and how one moves on it.
#[component]
pub fn TierPage() -> impl IntoView {
    let source = use_remembered().status;
    source.want();
    let programme = use_programme();
    let content = move || match source.get() {
        Load::Loading => skeleton::cards(),
        Load::Failed(error) => load_failed(&error),
        Load::Ready(status) | Load::Stale(status, _) => standing(&status, &programme),
    };
    view! {
        <BackBar title=t::ladder::title() to=Route::Home />
        {live_with(content, move |_, _| source.refresh())}
    }
}

fn standing(status: &Status, programme: &Programme) -> Markup {
    let Some(tier) = &status.tier else {
        let home = html! { a.button href=(Route::Home.path()) { (t::nav::home()) } };
        return empty("search", &t::failure::not_found(), &t::failure::not_found_help(), &home);
    };
    html! {
        div.columns {
            div.column {
                (tier_card(tier, &programme.tiers, None))
                (ladder(tier, programme))
            }
            div.column {
                @if let Some(next) = tier.next.as_deref() { (to_reach(tier, next, programme)) }
                (to_keep(tier, programme))
                (what_counts(status, programme))
            }
        }
    }
}

/// Every tier, the highest at the top as on a ladder; each says in words and by its mark whether it is reached.
fn ladder(held: &TierStatus, programme: &Programme) -> Markup {
    let at = programme.tiers.iter().position(|tier| tier.id == held.current);
    html! {
        section.card {
            h2 { (t::ladder::all()) }
            ol.ladder reversed {
                @for (rank, tier) in programme.tiers.iter().enumerate().rev() {
                    (rung(tier, Rung::of(rank, at), held, programme))
                }
            }
        }
    }
}

/// Where a rung is from where one stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rung {
    Below,
    Here,
    Above,
}

impl Rung {
    fn of(rank: usize, held: Option<usize>) -> Self {
        match held {
            Some(held) if rank == held => Self::Here,
            Some(held) if rank < held => Self::Below,
            _ => Self::Above,
        }
    }

    /// What the stylesheet calls it, and its mark.
    fn look(self) -> (&'static str, &'static str) {
        match self {
            Self::Below => ("below", "check"),
            Self::Here => ("here", "user"),
            Self::Above => ("above", "lock"),
        }
    }
}

fn rung(tier: &Tier, rung: Rung, held: &TierStatus, programme: &Programme) -> Markup {
    let (state, mark) = rung.look();
    let rate = earning::earned(
        programme.earning.per_money.minor,
        &programme.earning,
        tier.multiplier_permille,
    );
    let per_money = intl::short_money(programme.earning.per_money);
    html! {
        li.rung data-state=(state) aria-current=[(rung == Rung::Here).then_some("step")] {
            span.rung__mark { (icon(mark)) }
            div.rung__body {
                div.card__head {
                    h3 { (tier.name) }
                    @match rung {
                        Rung::Here => span.badge data-tone="accent" { (t::ladder::here()) },
                        Rung::Below => span.badge { (t::ladder::reached()) },
                        Rung::Above => span.badge {
                            (t::ladder::to_go(&intl::bare_points(tier.threshold - held.qualifying)))
                        },
                    }
                }
                p.muted {
                    @if tier.threshold == Points::ZERO { (t::ladder::from_start()) } @else {
                        (t::ladder::from(&intl::points(tier.threshold)))
                    }
                    @if let Ok(points) = rate { " · " (t::ladder::rate(&per_money, &intl::points(points))) }
                }
                @if !tier.benefits.is_empty() { (ticks(&tier.benefits)) }
            }
        }
    }
}

/// What the next tier takes.
fn to_reach(tier: &TierStatus, next: &str, programme: &Programme) -> Markup {
    let name = tier_name(&programme.tiers, next);
    let missing = tier.remaining.unwrap_or_default();
    html! {
        section.card {
            h2 { (t::ladder::reach(name)) }
            p { (t::ladder::missing(&intl::points(missing))) " " (shopping(missing, tier, programme)) }
            p.muted { (window(programme)) " " (held_for(programme, name)) }
        }
    }
}

/// What that is in shopping, where it can be said.
fn shopping(points: Points, tier: &TierStatus, programme: &Programme) -> String {
    let rate = multiplier(&programme.tiers, Some(&tier.current));
    earning::minor_for(points, &programme.earning, rate)
        .map(|minor| t::ladder::shopping(&intl::money(Money::new(minor, programme.currency))))
        .unwrap_or_default()
}

fn window(programme: &Programme) -> String {
    match programme.tier_window {
        TierWindow::CalendarYear => t::ladder::calendar_year(),
        TierWindow::Rolling12Months => t::ladder::rolling(),
    }
}

fn held_for(programme: &Programme, name: &str) -> String {
    match programme.tier_window {
        TierWindow::CalendarYear => t::ladder::until_next_year(name),
        TierWindow::Rolling12Months => t::ladder::for_a_year(name),
    }
}

/// What the tier held takes to stay.
fn to_keep(tier: &TierStatus, programme: &Programme) -> Markup {
    let name = tier_name(&programme.tiers, &tier.current);
    html! {
        section.card {
            h2 { (t::ladder::keep(name)) }
            @match &tier.keep {
                None => p { (t::ladder::nobody_loses(name)) },
                Some(keep) => {
                    @let part = tiers::percent(keep.collected, keep.needed);
                    @let missing = keep.needed - keep.collected;
                    div.meter role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=(part)
                        aria-label=(t::ladder::keep(name)) data-part=(part) {}
                    p {
                        (t::ladder::needed(&intl::last_day(keep.by, DayStyle::Full), &intl::points(keep.needed))) " "
                        (t::ladder::collected(&intl::points(keep.collected)))
                    }
                    @if missing <= Points::ZERO {
                        p.outcome { (icon("check")) span { (t::ladder::stays(name)) } }
                    } @else {
                        p.outcome { (icon("clock")) span {
                            (t::ladder::missing(&intl::points(missing))) " " (shopping(missing, tier, programme))
                        } }
                        p.muted { (t::ladder::else_down()) }
                    }
                },
            }
        }
    }
}

/// What moves one on the ladder: what waits, what was returned, what was given and what was used.
fn what_counts(status: &Status, programme: &Programme) -> Markup {
    let name = intl::points_name();
    let pending = status.balance.pending;
    let mut sentences = vec![window(programme), t::ladder::pending_counts(&name)];
    if pending > Points::ZERO {
        sentences.push(t::ladder::pending_now(&intl::points(pending)));
    }
    sentences.extend([
        t::ladder::returns(&name),
        t::ladder::gifts(&name),
        t::ladder::using(&name),
    ]);
    html! {
        section.card {
            h2 { (t::ladder::what_counts()) }
            (ticks(&sentences))
        }
    }
}
