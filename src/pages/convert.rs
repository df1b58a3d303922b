//! Points and money in both directions: what any amount would take off at the till, and what would be left.
//!
//! While a hand is on the slider or the keyboard, `rules` reckons here; once it rests, a quote asks the server.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::programme::{PointValue, Programme};
use loyalty_contract::quotes::{Quote, QuoteRequest, SpendAmount};
use loyalty_contract::status::{MemberState, Status};
use loyalty_contract::{Money, Points};
use loyalty_rules::worth;
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::browser::timer::Debounce;
use crate::components::chips::{Chip, Chips};
use crate::components::failure::{empty, error_notice, load_failed, stale_note};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::data::{Load, use_remembered};
use crate::intl::{self, t};
use crate::pages::reward::conditions;
use crate::routes::Route;
use crate::state::{use_programme, use_session};

/// How long a hand rests before the server is asked.
const HAND_RESTS: Duration = Duration::from_millis(400);

/// Using points as money.
#[component]
pub fn ConvertPage() -> impl IntoView {
    let source = use_remembered().status;
    source.want();
    let programme = use_programme();
    let around = {
        let programme = programme.clone();
        move || match source.get() {
            Load::Loading => skeleton::cards(),
            Load::Failed(error) => load_failed(&error),
            Load::Stale(status, _) => html! { (stale_note(status.as_of)) (nothing_to_use(&status, &programme)) },
            Load::Ready(status) => nothing_to_use(&status, &programme),
        }
    };
    // What is under the hand changes only when the balance does, not each time the status is asked for.
    let range = Memo::new(move |_| {
        source
            .value()
            .and_then(|status| Range::of(&status, &programme.point_value, programme.min_spend_points))
    });
    view! {
        <BackBar title=t::convert::title() to=Route::Home />
        {live_with(around, move |_| source.refresh())}
        {move || range.get().map(|range| view! { <Converter range /> })}
    }
}

/// Why nothing can be used now, and when it can; nothing where something can.
fn nothing_to_use(status: &Status, programme: &Programme) -> Markup {
    if Range::of(status, &programme.point_value, programme.min_spend_points).is_some() {
        return Markup::default();
    }
    let (title, help) = if status.member.state == MemberState::Paused {
        (t::paused::title(), t::paused::text())
    } else {
        let least = intl::points(programme.min_spend_points);
        (
            t::convert::nothing(),
            t::convert::nothing_help(&intl::points(status.balance.available), &least),
        )
    };
    let rewards = html! { a.button href=(Route::Rewards.path()) { (t::home::all_rewards()) } };
    empty("coins", &title, &help, &rewards)
}

/// What can be used: from the programme's minimum to everything, in minor units of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    value: PointValue,
    available: Points,
    least: Money,
    most: Money,
}

impl Range {
    /// `None` where nothing can be used.
    fn of(status: &Status, value: &PointValue, min_spend: Points) -> Option<Self> {
        let available = status.balance.available;
        if status.member.state == MemberState::Paused || available < min_spend {
            return None;
        }
        let most = worth::worth(available, value).ok()?;
        // The least money whose price is not below the minimum, and which is worth something.
        let below = worth::worth(min_spend, value).ok()?.minor;
        let price = worth::points_for(below, value).ok()?;
        let least = if price < min_spend || below == 0 {
            below + 1
        } else {
            below
        };
        (least <= most.minor).then(|| Self {
            value: *value,
            available,
            least: Money::new(least, value.money.currency),
            most,
        })
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.value.money.currency)
    }

    fn price(&self, minor: i64) -> Points {
        // Within the balance's own worth, which fits.
        worth::points_for(minor, &self.value).unwrap_or(self.available)
    }

    fn left(&self, minor: i64) -> Points {
        self.available - self.price(minor)
    }

    fn clamp(&self, minor: i64) -> i64 {
        minor.clamp(self.least.minor, self.most.minor)
    }

    /// A few round sums below everything: the largest two of 1, 2, 5, 10, 20, 50, … whole units.
    fn round_sums(&self) -> Vec<i64> {
        let unit = 10i64.pow(self.value.money.currency.decimals());
        let mut sums: Vec<i64> = (0..12)
            .flat_map(|power| [1, 2, 5].map(|step| step * 10i64.pow(power) * unit))
            .filter(|sum| (self.least.minor..self.most.minor).contains(sum))
            .collect();
        sums.split_off(sums.len().saturating_sub(2))
    }
}

/// What the server said to an amount.
#[derive(Clone, PartialEq, Eq)]
enum Confirmed {
    Asking,
    Yes(Quote),
    No(ApiError),
}

/// Which of the two fields a text was typed into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Points,
    Money,
}

#[component]
fn Converter(range: Range) -> impl IntoView {
    // Half of it is a start that can be dragged both ways.
    let start = range.round_sums().last().copied().unwrap_or(range.most.minor);
    let minor = RwSignal::new(start);
    // What is being typed stays as typed, with what is wrong with it, until another control moves.
    let typed = RwSignal::new(None::<(Side, String, Option<String>)>);
    let confirmed = RwSignal::new(Confirmed::Asking);

    let rest = Debounce::default();
    let session = use_session();
    Effect::new(move |_| {
        let asked = minor.get();
        confirmed.set(Confirmed::Asking);
        rest.call(HAND_RESTS, move || {
            spawn_local(async move {
                let intent = QuoteRequest::Spend(SpendAmount::Money(range.money(asked)));
                let answer = api::quotes::create_quote(&intent).await;
                if minor.try_get_untracked() == Some(asked) {
                    match answer {
                        Ok(quote) => confirmed.set(Confirmed::Yes(quote)),
                        Err(ApiError::SignedOut) => session.ended(),
                        Err(error) => confirmed.set(Confirmed::No(error)),
                    }
                }
            });
        });
    });

    let choose = move |chosen: i64| {
        typed.set(None);
        minor.set(range.clamp(chosen));
    };
    let part = Signal::derive(move || {
        let span = (range.most.minor - range.least.minor).max(1);
        ((minor.get() - range.least.minor) * 100 / span).to_string() + "%"
    });
    let money = Signal::derive(move || intl::money(range.money(minor.get())));
    let price = Signal::derive(move || intl::points(range.price(minor.get())));
    let spoken = Signal::derive(move || money.get() + ", " + &price.get());
    let length = Signal::derive(move || if money.read().chars().count() > 8 { "long" } else { "" });
    let chips: Vec<Chip> = range
        .round_sums()
        .into_iter()
        .map(|sum| (sum, intl::short_money(range.money(sum))))
        .chain([(range.most.minor, t::convert::all(&intl::money(range.most)))])
        .map(|(sum, label)| {
            (
                label,
                Signal::derive(move || minor.get() == sum),
                Callback::new(move |()| choose(sum)),
            )
        })
        .collect();
    let shop = use_programme().name.clone();
    let facts = move || {
        html! {
            ul.facts {
                li { span { (t::convert::you_keep()) } b { (kept(&range, minor.get())) } }
                li { span { (t::convert::where_to()) } b { (t::convert::every_till(&shop)) } }
            }
        }
    };
    view! {
        <div class="columns">
            <div class="column">
                <section class="amount">
                    <p class="muted">{t::convert::take_off()}</p>
                    <p class="amount__money" data-length=length>{money}</p>
                    <p class="num">{price}</p>
                </section>
                <input
                    class="slider"
                    type="range"
                    min=range.least.minor.to_string()
                    max=range.most.minor.to_string()
                    step="1"
                    aria-label=t::convert::slider()
                    aria-valuetext=spoken
                    style=("--part", part)
                    prop:value=Signal::derive(move || minor.get().to_string())
                    on:input=move |event| choose(event_target_value(&event).parse().unwrap_or(start))
                />
                <Chips label=t::convert::amounts() chips />
                <div class="converter">
                    <TypedAmount range minor typed side=Side::Points />
                    {live(|| icon("arrow-up-down"))}
                    <TypedAmount range minor typed side=Side::Money />
                </div>
            </div>
            <div class="column">
                <section class="card">{live(facts)}</section>
                <section role="status">{live(move || said(&confirmed.get()))}</section>
            </div>
        </div>
    }
}

/// One of the two fields, each following the other.
#[component]
fn TypedAmount(
    range: Range,
    minor: RwSignal<i64>,
    typed: RwSignal<Option<(Side, String, Option<String>)>>,
    side: Side,
) -> impl IntoView {
    let (id, error_id, label, mode) = match side {
        Side::Points => (
            "points",
            "points-error",
            t::convert::points_field(&intl::points_name()),
            "numeric",
        ),
        Side::Money => (
            "money",
            "money-error",
            t::convert::money_field(range.most.currency.code()),
            "decimal",
        ),
    };
    let shown = move || match typed.get() {
        Some((typed_side, text, _)) if typed_side == side => text,
        _ => match side {
            Side::Points => intl::bare_points(range.price(minor.get())),
            Side::Money => intl::typed_money(range.money(minor.get())),
        },
    };
    let problem = move || {
        typed
            .get()
            .filter(|(typed_side, ..)| *typed_side == side)
            .and_then(|(_, _, problem)| problem)
    };
    let on_type = move |event| {
        let text: String = event_target_value(&event);
        let read = match side {
            Side::Points => read_points(&text, &range),
            Side::Money => read_money(&text, &range),
        };
        let problem = match read {
            Ok(chosen) => {
                minor.set(chosen);
                None
            }
            Err(problem) => Some(problem),
        };
        typed.set(Some((side, text, problem)));
    };
    // Leaving the field with a good amount writes it out properly; a wrong one stays, with what is wrong.
    let on_leave = move |_| {
        if problem().is_none() {
            typed.set(None);
        }
    };
    view! {
        <div class="field">
            <label class="field__label" for=id>{label}</label>
            <input
                id=id
                class="field__input num"
                inputmode=mode
                autocomplete="off"
                maxlength="24"
                aria-invalid=Signal::derive(move || if problem().is_some() { "true" } else { "false" })
                aria-describedby=error_id
                prop:value=Signal::derive(shown)
                on:input=on_type
                on:blur=on_leave
            />
            <p class="field__error" id=error_id aria-live="polite">{Signal::derive(move || problem().unwrap_or_default())}</p>
        </div>
    }
}

fn read_points(text: &str, range: &Range) -> Result<i64, String> {
    let points = intl::parse_points(text).ok_or_else(t::convert::not_a_number)?;
    if points > range.available {
        return Err(t::convert::too_much(&intl::points(range.available)));
    }
    let money = worth::worth(points, &range.value).map_err(|_| t::convert::not_a_number())?;
    at_least(money.minor, range)
}

fn read_money(text: &str, range: &Range) -> Result<i64, String> {
    let money = intl::parse_money(text, range.most).ok_or_else(t::convert::not_an_amount)?;
    if money.minor > range.most.minor {
        return Err(t::convert::too_much(&intl::money(range.most)));
    }
    at_least(money.minor, range)
}

fn at_least(minor: i64, range: &Range) -> Result<i64, String> {
    if minor < range.least.minor {
        let (money, points) = (intl::money(range.least), intl::points(range.price(range.least.minor)));
        return Err(t::convert::too_little(&money, &points));
    }
    Ok(minor)
}

fn kept(range: &Range, minor: i64) -> String {
    let left = range.left(minor);
    let worth = worth::worth(left, &range.value).map(intl::money).unwrap_or_default();
    format!("{} · {worth}", intl::points(left))
}

/// What the server said, with every condition.
fn said(confirmed: &Confirmed) -> Markup {
    match confirmed {
        Confirmed::Asking => html! { p.muted aria-busy="true" { (t::convert::asking()) } },
        Confirmed::Yes(quote) => html! {
            div.card {
                h2 { (t::convert::confirmed(&intl::money(quote.money), &intl::points(quote.points))) }
                (conditions(&quote.conditions))
            }
        },
        Confirmed::No(error) => error_notice(error),
    }
}

#[cfg(test)]
mod tests {
    use loyalty_contract::Currency;

    use super::*;

    fn value(points: i64, minor: i64, currency: &str) -> PointValue {
        let currency = Currency::parse(currency).expect("a currency");
        PointValue {
            points: Points(points),
            money: Money::new(minor, currency),
        }
    }

    fn range(value: PointValue, available: i64, min_spend: i64) -> Option<(i64, i64, Vec<i64>)> {
        let status = serde_json::json!({
            "as_of": "2026-11-21T10:00:00Z",
            "member": {"number": "1", "name": "Linh", "since": "2023-04-02", "state": "active", "contact": null},
            "balance": {"available": available, "pending": 0, "worth": {"minor": 0, "currency": value.money.currency}},
            "next_activation": null, "expirations": [], "tier": null,
            "lifetime": {"earned": 0, "spent": 0, "expired": 0, "saved": {"minor": 0, "currency": value.money.currency}},
            "unread_messages": 0, "last_purchase": null, "debt": null
        });
        let status: Status = serde_json::from_value(status).expect("a status");
        Range::of(&status, &value, Points(min_spend)).map(|r| (r.least.minor, r.most.minor, r.round_sums()))
    }

    #[test]
    fn the_range_goes_from_the_minimum_to_everything() {
        let brightleaf = value(100, 50, "EUR");
        assert_eq!(range(brightleaf, 1250, 50), Some((25, 625, vec![200, 500])));
        assert_eq!(range(brightleaf, 50, 50), Some((25, 25, vec![])));
        assert_eq!(range(brightleaf, 49, 50), None);
        assert_eq!(range(brightleaf, -40, 50), None);
        // 51 points give 25 cents for 50 points: below the minimum, so 26 cents for 52 is the least.
        assert_eq!(range(brightleaf, 1250, 51), Some((26, 625, vec![200, 500])));
        assert_eq!(
            range(value(1, 10, "VND"), 60_000, 1000),
            Some((10_000, 600_000, vec![200_000, 500_000]))
        );
    }
}
