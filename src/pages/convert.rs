//! Points and money in both directions: what any amount would take off at the till, and what would be left.
//!
//! While a hand is on the slider or the keyboard, `rules` reckons here; once it rests, a quote asks the server, and one
//! tap does what the quote says.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::programme::{PointValue, Programme};
use loyalty_contract::quotes::{Quote, QuoteRequest, SpendAmount};
use loyalty_contract::status::{MemberState, Status};
use loyalty_contract::{Money, Points};
use loyalty_rules::worth;
use maud::{Markup, html};

use crate::api;
use crate::browser::document;
use crate::browser::timer::Debounce;
use crate::components::chips::chips;
use crate::components::failure::{empty, load_failed};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::page_heading::BackBar;
use crate::components::reward_card::multiplier;
use crate::components::skeleton;
use crate::data::{Load, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::pages::commit::{Commit, Outcome, Quoted, forget_refusal_on_leaving, usable_until};
use crate::pages::home::{debt_card, paused_card};
use crate::routes::Route;
use crate::state::{use_programme, use_session, watch};

/// How long a hand rests before the server is asked.
const HAND_RESTS: Duration = Duration::from_millis(400);

/// Using points as money.
#[component]
pub fn ConvertPage() -> impl IntoView {
    let source = use_remembered().status;
    source.want();
    forget_refusal_on_leaving();
    let programme = use_programme();
    let around = {
        let programme = programme.clone();
        move || match source.get() {
            Load::Loading => skeleton::cards(),
            Load::Failed(error) => load_failed(&error),
            Load::Ready(status) | Load::Stale(status, _) => nothing_to_use(&status, &programme),
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
        {live_with(around, move |_, _| source.refresh())}
        {move || match range.get() {
            Some(range) => view! { <Converter range /> }.into_any(),
            None => view! { <Outcome /> }.into_any(),
        }}
    }
}

/// Why nothing can be used now, and when it can; nothing where something can.
fn nothing_to_use(status: &Status, programme: &Programme) -> Markup {
    if Range::of(status, &programme.point_value, programme.min_spend_points).is_some() {
        return Markup::default();
    }
    if status.member.state == MemberState::Paused {
        return paused_card(&programme.contact);
    }
    let least = intl::points(programme.min_spend_points);
    let help = t::convert::nothing_help(&intl::points(status.balance.available), &least);
    let rewards = html! {
        @if let Some(next) = &status.next_activation {
            p.muted { (t::convert::more_on(&intl::day(next.at, DayStyle::Long), &intl::points(next.points))) }
        }
        a.button href=(Route::Rewards.path()) { (t::home::all_rewards()) }
    };
    let held = status.tier.as_ref().map(|tier| tier.current.as_str());
    html! {
        @if let Some(debt) = &status.debt { (debt_card(debt, programme, multiplier(&programme.tiers, held))) }
        (empty("coins", &t::convert::nothing(), &help, &rewards))
    }
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

    /// How far along the slider an amount is, in whole percent.
    fn part(&self, minor: i64) -> i64 {
        (minor - self.least.minor) * 100 / (self.most.minor - self.least.minor).max(1)
    }

    /// How much one step of the slider takes off: what a point is worth where that is whole, so that no step costs a
    /// point for a part of it.
    fn step(&self) -> i64 {
        let PointValue { points, money } = self.value;
        match (money.minor.checked_rem(points.0), money.minor.checked_div(points.0)) {
            (Some(0), Some(step)) => step.max(1),
            _ => 1,
        }
    }

    /// A few round sums below everything: the largest two of 1, 2, 5, 10, 20, 50, … minor units.
    fn round_sums(&self) -> Vec<i64> {
        let mut sums: Vec<i64> = (0..15)
            .flat_map(|power| [1, 2, 5].map(|step| step * 10i64.pow(power)))
            .filter(|sum| (self.least.minor..self.most.minor).contains(sum))
            .collect();
        sums.split_off(sums.len().saturating_sub(2))
    }
}

/// What is being typed.
#[derive(Clone, Default, PartialEq, Eq)]
struct Entered {
    /// The field that is being typed into: its text stays as typed.
    typing: Option<&'static str>,
    /// What is wrong with what was typed; the amount is then still the last good one.
    problem: Option<String>,
}

const SLIDER: &str = "slider";
const POINTS: &str = "points";
const MONEY: &str = "money";

#[component]
fn Converter(range: Range) -> impl IntoView {
    let start = range.round_sums().last().copied().unwrap_or(range.most.minor);
    // How much to take off, in minor units.
    let minor = RwSignal::new(start);
    let entered = RwSignal::new(Entered::default());
    let quoted = RwSignal::new(Quoted::Asking);
    let tries = RwSignal::new(0);
    // A chip is one tap, not a hand that is still moving.
    let is_moving = StoredValue::new(false);
    ask_when_at_rest(range, minor, tries, is_moving, quoted);
    watch(move || follow(&range, minor.get(), &entered.read()));

    let take = move |field: Option<&'static str>, read: Result<i64, String>| {
        let (chosen, problem) = match read {
            Ok(chosen) => (chosen, None),
            Err(problem) => (minor.get_untracked(), Some(problem)),
        };
        entered.update(|entered| {
            entered.typing = field;
            entered.problem = problem;
        });
        if chosen != minor.get_untracked() {
            minor.set(chosen);
        }
    };
    let set = move |minor: i64| take(None, Ok(range.clamp(minor)));
    let act = move |action: &str, value: String| {
        is_moving.set_value(matches!(action, POINTS | MONEY | SLIDER));
        match action {
            POINTS => take(Some(POINTS), read_points(&value, &range)),
            MONEY => take(Some(MONEY), read_money(&value, &range)),
            SLIDER => set(value.parse().unwrap_or(start)),
            // A chip is called by its amount.
            amount => set(amount.parse().unwrap_or(start)),
        }
    };
    let programme = use_programme();
    let facts = move || {
        html! {
            ul.facts {
                li { span { (t::spend::costs()) } b { (intl::points(range.price(minor.get()))) } }
                li { span { (t::convert::you_keep()) } b { (kept(&range, minor.get())) } }
                li { span { (t::spend::until()) } b { (usable_until(programme.voucher_valid_minutes)) } }
                li { span { (t::convert::where_to()) } b { (t::convert::every_till(&programme.name)) } }
            }
        }
    };
    let title = |quote: &Quote| t::convert::confirmed(&intl::money(quote.money), &intl::points(quote.points));
    let label = move || t::spend::use_money(&intl::money(range.money(minor.get())));
    let ask = move || tries.update(|tries| *tries += 1);
    let problem = move || html! { p.field__error id="amount-error" aria-live="polite" { (entered.read().problem.as_deref().unwrap_or_default()) } };
    view! {
        <div class="columns">
            <div class="column">
                {live(move || amount(&range, minor.get()))}
                {live_with(move || slider(&range, start), act)}
                {live_with(move || amounts(&range, minor.get()), act)}
                {live_with(move || fields(&range, start), act)}
                {live(problem)}
            </div>
            <div class="column">
                <section class="card">{live(facts)}</section>
                <Commit quoted known=vec![] title=Rc::new(title) label=Rc::new(label) ask=Rc::new(ask) />
            </div>
        </div>
    }
}

/// Asks the server about an amount once the hand rests on it.
fn ask_when_at_rest(
    range: Range,
    minor: RwSignal<i64>,
    tries: RwSignal<i64>,
    is_moving: StoredValue<bool>,
    quoted: RwSignal<Quoted>,
) {
    let rest = Debounce::default();
    let session = use_session();
    watch(move || {
        let asked = minor.get();
        let turn = tries.get();
        quoted.set(Quoted::Asking);
        let wait = if is_moving.get_value() {
            HAND_RESTS
        } else {
            Duration::ZERO
        };
        rest.call(wait, move || {
            spawn_local(async move {
                let intent = QuoteRequest::Spend(SpendAmount::Money(range.money(asked)));
                let answer = api::quotes::create_quote(&intent).await;
                // The screen may be gone, or the hand elsewhere.
                if minor.try_get_untracked() == Some(asked)
                    && tries.try_get_untracked() == Some(turn)
                    && let Some(said) = Quoted::of(answer, session)
                {
                    quoted.set(said);
                }
            });
        });
    });
}

/// Lets slider and fields follow what is chosen, all but the one that is being typed into.
fn follow(range: &Range, minor: i64, entered: &Entered) {
    let (money, price) = (range.money(minor), range.price(minor));
    if let Some(slider) = document::element(SLIDER) {
        document::set_part(&slider, &range.part(minor).to_string());
    }
    document::set_value(SLIDER, &minor.to_string());
    document::set_attribute(SLIDER, "aria-valuetext", &spoken_amount(range, minor));
    for (field, text) in [(POINTS, intl::bare_points(price)), (MONEY, intl::typed_money(money))] {
        let is_typing = entered.typing == Some(field);
        if !is_typing {
            document::set_value(field, &text);
        }
        let is_wrong = is_typing && entered.problem.is_some();
        document::set_attribute(field, "aria-invalid", if is_wrong { "true" } else { "false" });
        document::set_attribute(field, "aria-describedby", if is_wrong { "amount-error" } else { "" });
    }
}

/// What the slider says to those who hear it.
fn spoken_amount(range: &Range, minor: i64) -> String {
    intl::money(range.money(minor)) + ", " + &intl::points(range.price(minor))
}

/// The amount in the largest type of the page.
fn amount(range: &Range, minor: i64) -> Markup {
    let money = intl::money(range.money(minor));
    html! {
        section.amount {
            p.muted { (t::convert::take_off()) }
            p.amount__money data-length=[(money.chars().count() > 8).then_some("long")] { (money) }
            p.num { (intl::points(range.price(minor))) }
        }
    }
}

fn slider(range: &Range, start: i64) -> Markup {
    html! {
        input.slider id=(SLIDER) type="range" min=(range.least.minor) max=(range.most.minor) step=(range.step()) value=(start)
            data-action=(SLIDER) data-part=(range.part(start)) aria-label=(t::convert::slider())
            aria-valuetext=(spoken_amount(range, start));
    }
}

/// A few amounts for one tap, all of it among them.
fn amounts(range: &Range, minor: i64) -> Markup {
    let round = range
        .round_sums()
        .into_iter()
        .map(|sum| (sum, intl::short_money(range.money(sum))));
    let all = (range.most.minor, t::convert::all(&intl::money(range.most)));
    let row: Vec<_> = round
        .chain([all])
        .map(|(sum, label)| (sum.to_string(), label, sum == minor))
        .collect();
    chips(&t::convert::amounts(), &row)
}

/// Two fields, each following the other.
fn fields(range: &Range, start: i64) -> Markup {
    let field = |id: &str, label: String, mode: &str, text: String| {
        html! {
            div.field {
                label.field__label for=(id) { (label) }
                input.field__input.num id=(id) inputmode=(mode) autocomplete="off" maxlength="24" value=(text)
                    data-action=(id);
            }
        }
    };
    let (points, money) = (
        intl::bare_points(range.price(start)),
        intl::typed_money(range.money(start)),
    );
    html! {
        div.converter {
            (field(POINTS, t::convert::points_field(&intl::points_name()), "numeric", points))
            (icon("arrow-up-down"))
            (field(MONEY, t::convert::money_field(range.most.currency.code()), "decimal", money))
        }
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
    let money = intl::parse_money(text, range.most)
        .ok_or_else(|| t::convert::not_an_amount(&intl::example_money(range.most.currency)))?;
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
        assert_eq!(
            range(value(100, 125, "KWD"), 1250, 50),
            Some((62, 1562, vec![500, 1000]))
        );
    }
}
