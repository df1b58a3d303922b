//! One thing that happened to the balance: what it was, how it was counted, and what belongs to it.

use leptos::prelude::*;
use loyalty_contract::ledger::{EarningRate, EntryDetails, EntryKind, LedgerEntry, Reference};
use loyalty_contract::programme::PointValue;
use loyalty_contract::{Money, Points, ProblemCode};
use loyalty_rules::earning::{self, PLAIN_RATE_PERMILLE};
use loyalty_rules::worth;
use maud::{Markup, html};

use crate::api;
use crate::browser;
use crate::components::entry_row::{entry_row, picture, title};
use crate::components::failure::{Tone, empty, error_notice, load_failed, notice};
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::data::{Load, Source, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;
use crate::state::{use_programme, use_session};

/// An entry's page.
#[component]
pub fn EntryPage(
    /// Which entry.
    id: String,
) -> impl IntoView {
    let remembered = use_remembered();
    let known = remembered.entry(&id);
    let source = Source::new(use_session(), move |way| {
        let id = id.clone();
        async move { api::ledger::get_entry(way, &id).await }
    });
    source.want();
    let value = use_programme().point_value;
    let heading = {
        let known = known.clone();
        Signal::derive(move || {
            let entry = source.value().map(|details| details.entry).or_else(|| known.clone());
            entry.as_ref().map_or_else(t::entry_page::title, title)
        })
    };
    let content = move || match (source.get(), &known) {
        (Load::Ready(details) | Load::Stale(details, _), _) => explained(&details.entry, Some(&details), &value),
        (Load::Failed(error), _) if error.code() == Some(ProblemCode::NotFound) => gone(),
        (Load::Loading, None) => skeleton::cards(),
        (Load::Loading, Some(entry)) => explained(entry, None, &value),
        (Load::Failed(error), None) => load_failed(&error),
        // What the list says of it is there, and how it was counted is not.
        (Load::Failed(error), Some(entry)) => html! {
            (error_notice(&error))
            (explained(entry, None, &value))
        },
    };
    view! {
        <BackBar title=heading to=Route::Activity />
        {live_with(content, move |_, _| source.refresh())}
    }
}

fn gone() -> Markup {
    let activity = html! { a.button href=(Route::Activity.path()) { (t::nav::activity()) } };
    empty("list", &t::entry_page::gone(), &t::entry_page::gone_help(), &activity)
}

fn explained(entry: &LedgerEntry, details: Option<&EntryDetails>, value: &PointValue) -> Markup {
    let tone = (entry.points > Points::ZERO).then_some("gain");
    let steps = details.and_then(|details| steps(entry, details)).unwrap_or_default();
    html! {
        section.card.entry-page data-tone=[tone] {
            div.entry-page__head {
                span.entry__mark { (icon(picture(entry.kind))) }
                p.entry-page__points.num { (intl::signed_points(entry.points)) }
                p.muted.num { (intl::money(entry.worth)) }
            }
            p { (sentence(entry)) }
            (standing(entry))
        }
        section.card {
            ul.facts { @for (name, value) in facts(entry, value) { li { span { (name) } b { (value) } } } }
        }
        @if !steps.is_empty() {
            section.card {
                h2 { (t::entry_page::counted()) }
                ol.steps { @for step in steps { li { (step) } } }
            }
        }
        @if let Some(details) = details.filter(|details| !details.related.is_empty()) {
            section.card data-kind="ledger" {
                h2.day { (relation(entry)) }
                ul { @for other in &details.related { (entry_row(other)) } }
            }
        }
        div.actions {
            @if let Some(Reference::Redemption { id, .. }) = &entry.reference {
                a.button href=(Route::Voucher(id.clone()).path()) { (icon("ticket")) (t::entry_page::voucher()) }
            }
            @if has_dates(entry) {
                a.button href=(api::ledger::deadlines_address()) download { (icon("calendar")) (t::entry_page::calendar()) }
            }
            a.button data-variant="plain" href=(Route::Report(entry.id.clone()).path()) { (t::entry_page::wrong()) }
        }
    }
}

/// What happened, as one would say it.
fn sentence(entry: &LedgerEntry) -> String {
    let points = intl::points(Points(entry.points.0.saturating_abs()));
    let what = |reward: &Option<String>| reward.clone().unwrap_or_else(t::entry::money_off);
    match (entry.kind, &entry.reference) {
        (EntryKind::Earn, Some(Reference::Purchase { store, total, .. })) => {
            t::entry_page::bought(&points, store, &intl::money(*total))
        }
        (EntryKind::Earn, _) => t::entry_page::bought_somewhere(&points),
        (EntryKind::Bonus, _) => t::entry_page::given(&points),
        (
            EntryKind::Spend,
            Some(Reference::Redemption {
                reward: None, money, ..
            }),
        ) => t::entry_page::paid_less(&intl::money(*money), &points),
        (EntryKind::Spend, Some(Reference::Redemption { reward, .. })) => t::entry_page::used(&points, &what(reward)),
        (EntryKind::Spend, _) => t::entry_page::used_somehow(&points),
        (EntryKind::Release, Some(Reference::Redemption { reward, .. })) => {
            t::entry_page::released(&points, &what(reward))
        }
        (EntryKind::Refund, Some(Reference::Redemption { reward, .. })) => {
            t::entry_page::refunded(&points, &what(reward))
        }
        (EntryKind::Release | EntryKind::Refund, _) => t::entry_page::came_back(&points),
        (EntryKind::Return, Some(Reference::Return { store, amount, .. })) => {
            t::entry_page::returned(&intl::money(*amount), &points, store)
        }
        (EntryKind::Return, _) => t::entry_page::returned_something(&points),
        (EntryKind::Expire, _) => t::entry_page::ended(&points),
        (EntryKind::Adjust | EntryKind::Unknown, _) if entry.points < Points::ZERO => t::entry_page::taken(&points),
        (EntryKind::Adjust | EntryKind::Unknown, _) => t::entry_page::added(&points),
    }
}

/// What is still to come of it: points that wait, or that end.
fn standing(entry: &LedgerEntry) -> Markup {
    let now = browser::now();
    let points = intl::points(entry.points);
    match (entry.available_at, entry.expires_at) {
        (Some(at), _) if now < at => {
            let help = t::entry_page::waits_help(&intl::day(at, DayStyle::Long), &points);
            notice(Tone::Info, "clock", &t::entry_page::waits(), &html! { p { (help) } })
        }
        (_, Some(end)) if now < end => {
            let day = intl::last_day(end, DayStyle::Long);
            html! { p.muted { (t::entry_page::good_until(&day)) } }
        }
        (_, Some(_)) => html! { p.muted { (t::entry_page::over()) } },
        _ => Markup::default(),
    }
}

fn has_dates(entry: &LedgerEntry) -> bool {
    let now = browser::now();
    [entry.available_at, entry.expires_at]
        .into_iter()
        .flatten()
        .any(|at| now < at)
}

fn facts(entry: &LedgerEntry, value: &PointValue) -> Vec<(String, String)> {
    let when = intl::day(entry.at, DayStyle::Full) + " · " + &intl::time(entry.at);
    let mut facts = vec![(t::entry_page::when(), when)];
    if let Some(reason) = &entry.reason {
        let name = match entry.kind {
            EntryKind::Return => t::entry_page::thing(),
            _ => t::entry_page::reason(),
        };
        facts.push((name, reason.clone()));
    }
    match &entry.reference {
        Some(Reference::Purchase {
            external_id,
            store,
            total,
        }) => {
            facts.push((t::entry_page::shop(), store.clone()));
            facts.push((t::entry_page::paid(), intl::money(*total)));
            facts.push((t::entry_page::receipt(), external_id.clone()));
        }
        Some(Reference::Return {
            external_id,
            purchase,
            store,
            amount,
        }) => {
            facts.push((t::entry_page::shop(), store.clone()));
            facts.push((t::entry_page::paid_back(), intl::money(*amount)));
            facts.push((t::entry_page::receipt(), purchase.clone()));
            facts.push((t::entry_page::return_receipt(), external_id.clone()));
        }
        _ => (),
    }
    if let Some(at) = entry.available_at {
        facts.push((t::entry_page::usable_from(), intl::day(at, DayStyle::Full)));
    }
    if let Some(end) = entry.expires_at {
        facts.push((t::entry_page::usable_until(), intl::last_day(end, DayStyle::Full)));
    }
    facts.push((t::entry_page::left(), with_worth(entry.balance_after, value)));
    facts
}

/// Points, and what they are worth at the till.
pub fn with_worth(points: Points, value: &PointValue) -> String {
    let worth = worth::worth(points, value).map(intl::money).unwrap_or_default();
    intl::points(points) + " · " + &worth
}

/// How it was counted, a sentence a step; nothing where the numbers do not say it.
fn steps(entry: &LedgerEntry, details: &EntryDetails) -> Option<Vec<String>> {
    let rate = details.rate.as_ref()?;
    match &entry.reference {
        Some(Reference::Purchase { total, .. }) if gives(*total, rate)? == entry.points => {
            let mut steps = rule(rate);
            steps.push(t::entry_page::so_it_gave(
                &intl::points(entry.points),
                &intl::money(*total),
            ));
            if has_rest(*total, rate) {
                steps.push(t::entry_page::rounded());
            }
            Some(steps)
        }
        Some(Reference::Return { amount, .. }) => returned(entry, *amount, rate, &details.related),
        _ => None,
    }
}

/// What is counted for a return: what the goods that were kept give, and what is too much by that.
fn returned(entry: &LedgerEntry, amount: Money, rate: &EarningRate, related: &[LedgerEntry]) -> Option<Vec<String>> {
    let bought = related.iter().find_map(|other| match other.reference {
        Some(Reference::Purchase { total, .. }) => Some(total),
        _ => None,
    })?;
    let before = related
        .iter()
        .filter(|other| other.at < entry.at)
        .filter_map(|other| match other.reference {
            Some(Reference::Return { amount, .. }) => Some(amount.minor),
            _ => None,
        });
    let had = Money::new(bought.minor.checked_sub(before.sum())?, bought.currency);
    let kept = Money::new(had.minor.checked_sub(amount.minor)?, bought.currency);
    let (had_given, still_gives) = (gives(had, rate)?, gives(kept, rate)?);
    // What had expired is not taken again: then the sums alone do not say what was taken.
    if still_gives - had_given != entry.points {
        return None;
    }
    let mut steps = rule(rate);
    steps.push(t::entry_page::had_given(&intl::points(had_given), &intl::money(had)));
    steps.push(if kept.minor == 0 {
        t::entry_page::kept_nothing()
    } else {
        t::entry_page::kept(&intl::money(kept), &intl::points(still_gives))
    });
    steps.push(t::entry_page::so_it_took(&intl::points(-entry.points)));
    Some(steps)
}

fn gives(total: Money, rate: &EarningRate) -> Option<Points> {
    earning::earned(total.minor, &rate.earning, rate.multiplier_permille).ok()
}

/// Whether the rule gives a part of a point beyond whole ones.
fn has_rest(total: Money, rate: &EarningRate) -> bool {
    let per = i128::from(rate.earning.per_money.minor) * i128::from(PLAIN_RATE_PERMILLE);
    let product = i128::from(total.minor) * i128::from(rate.earning.points.0) * i128::from(rate.multiplier_permille);
    per != 0 && product % per != 0
}

/// The programme's rule at the time, and what the tier made of it.
fn rule(rate: &EarningRate) -> Vec<String> {
    let (money, points) = (
        intl::short_money(rate.earning.per_money),
        intl::points(rate.earning.points),
    );
    let mut rule = vec![t::entry_page::rule(&money, &points)];
    if rate.multiplier_permille != PLAIN_RATE_PERMILLE {
        rule.push(t::entry_page::tier(&intl::times(rate.multiplier_permille)));
    }
    rule
}

fn relation(entry: &LedgerEntry) -> String {
    match entry.reference {
        Some(Reference::Redemption { .. }) => t::entry_page::same_voucher(),
        Some(Reference::Return { .. }) => t::entry_page::its_purchase(),
        _ => t::entry_page::came_back_of_it(),
    }
}

#[cfg(test)]
mod tests {
    use loyalty_contract::Currency;
    use loyalty_contract::programme::Earning;

    use super::*;

    fn money(minor: i64) -> Money {
        Money::new(minor, Currency::parse("EUR").expect("EUR"))
    }

    fn rate(multiplier_permille: u32) -> EarningRate {
        EarningRate {
            earning: Earning {
                points: Points(1),
                per_money: money(300),
            },
            multiplier_permille,
        }
    }

    #[test]
    fn a_part_of_a_point_is_spoken_of_only_where_there_is_one() {
        for (minor, permille, is_there) in [
            (600, 1000, false),
            (601, 1000, true),
            (600, 1250, true),
            (1200, 1250, false),
        ] {
            assert_eq!(
                has_rest(money(minor), &rate(permille)),
                is_there,
                "{minor} at {permille}"
            );
        }
    }
}
