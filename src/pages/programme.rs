//! The programme: its rule, what it says, what will be different, where the shops are, and whom to ask.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::Points;
use loyalty_contract::programme::{AnnouncedChange, Programme, Store, Terms};
use loyalty_contract::status::Status;
use loyalty_rules::{earning, worth};
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::components::failure::{RETRY, Tone, error_notice, load_failed, notice};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::page_heading::BackBar;
use crate::components::reward_card::multiplier;
use crate::components::skeleton;
use crate::components::ticks::ticks;
use crate::data::{Load, Source, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::pages::home::{contact_links, rule};
use crate::pages::reward::conditions;
use crate::routes::Route;
use crate::state::{use_programme, use_session};

const AGREE: &str = "agree";

/// Everything about the programme.
#[component]
pub fn ProgrammePage() -> impl IntoView {
    let programme = use_programme();
    let session = use_session();
    let status = use_remembered().status;
    status.want();
    let versions = Source::new(session, api::programme::list_terms);
    versions.want();

    let rule = {
        let programme = programme.clone();
        move || match status.get() {
            Load::Loading => skeleton::cards(),
            Load::Failed(error) => html! { (rule_card(None, &programme)) (load_failed(&error)) },
            Load::Ready(status) | Load::Stale(status, _) => in_numbers(&status, &programme),
        }
    };
    let agreement = {
        let programme = programme.clone();
        let outcome = RwSignal::new(None::<Result<u32, ApiError>>);
        let version = programme.terms.version;
        let agree = move |_: &str, _: String| {
            spawn_local(async move {
                let answer = api::programme::agree_to_terms(version).await;
                if answer == Err(ApiError::SignedOut) {
                    return session.ended();
                }
                if outcome.try_set(Some(answer.map(|()| version))).is_none() {
                    status.refresh();
                }
            });
        };
        let content = move || {
            html! {
                div role="status" {
                    @match outcome.get() {
                        Some(Err(error)) => (error_notice(&error)),
                        Some(Ok(version)) => (notice(Tone::Success, "check",
                            &t::programme::agreed(&intl::number(i64::from(version))), &Markup::default())),
                        None => {},
                    }
                }
                @if let Some(status) = status.value() {
                    @if is_behind(&status, &programme) && !matches!(outcome.get(), Some(Ok(_))) {
                        (to_agree(&status, &programme))
                    }
                }
            }
        };
        live_with(content, agree)
    };
    let terms = {
        let programme = programme.clone();
        move || terms(&programme.terms, &versions.get())
    };
    view! {
        <BackBar title=t::programme::title() to=Route::You />
        {live_with(rule, move |_, _| status.refresh())}
        {agreement}
        {live_with(terms, move |_, _| versions.refresh())}
        {live(move || around(&programme))}
    }
}

/// Whether there are terms that this member has not agreed to yet.
fn is_behind(status: &Status, programme: &Programme) -> bool {
    status.member.accepted_terms_version < Some(programme.terms.version)
}

/// For other screens: that there are new terms, and where to read them.
pub fn terms_notice(status: &Status, programme: &Programme) -> Markup {
    html! {
        @if is_behind(status, programme) {
            (notice(Tone::Info, "file", &t::programme::new_terms(), &html! {
                p { (t::programme::new_terms_help()) " " a.link href=(Route::Programme.path()) { (t::programme::read_them()) } }
            }))
        }
    }
}

/// What is new in the terms, and the button that agrees.
fn to_agree(status: &Status, programme: &Programme) -> Markup {
    let terms = &programme.terms;
    // Of somebody who has skipped a version, the changes of this one would not be all.
    let is_next = status.member.accepted_terms_version.map(|version| version + 1) == Some(terms.version);
    html! {
        section.notice data-tone="info" {
            (icon("file"))
            div.notice__text {
                h2 { (t::programme::new_terms()) }
                @if is_next {
                    p { (t::programme::what_is_new()) }
                    (ticks(&terms.changes))
                } @else {
                    p { (t::programme::please_read()) }
                }
                p.muted { (t::programme::keeps_points()) }
            }
            div.notice__actions {
                button.button type="button" data-action=(AGREE) { (t::programme::agree()) }
            }
        }
    }
}

fn in_numbers(status: &Status, programme: &Programme) -> Markup {
    html! {
        (rule_card(Some(status), programme))
        @for change in &programme.announced_changes { (announced(change, status, programme)) }
    }
}

/// The rule in one sentence, worked on the member's own last purchase.
fn rule_card(status: Option<&Status>, programme: &Programme) -> Markup {
    let last = status.and_then(|status| status.last_purchase.as_ref());
    let months = programme.points_valid_months;
    let least = worth::worth(programme.min_spend_points, &programme.point_value).map(intl::money);
    html! {
        section.card {
            div.rule { span.rule__mark { (icon("check")) } div { h2 { (rule(programme)) } } }
            @if let Some(last) = last {
                div.worked {
                    p.muted { (t::programme::your_last(&intl::day(last.at, DayStyle::Long))) }
                    ul.facts {
                        li { span { (t::programme::you_paid()) } span { (intl::money(last.total)) } }
                        li { span { (t::programme::you_got()) } span { (intl::points(last.points)) } }
                        li { span { (t::programme::worth_it()) } span { (intl::money(last.worth)) } }
                    }
                }
            }
            ul.facts {
                li {
                    span { (t::programme::usable_from()) }
                    b { (intl::points(programme.min_spend_points)) " · " (least.unwrap_or_default()) }
                }
                li {
                    span { (t::programme::wait()) }
                    b { (t::programme::days(i64::from(programme.return_window_days))) }
                }
                li {
                    span { (t::programme::good_for()) }
                    b {
                        @match months {
                            Some(months) => (t::programme::months(i64::from(months))),
                            None => (t::programme::for_ever()),
                        }
                    }
                }
            }
        }
    }
}

/// What will be different, from when on, and what that means for what the member has.
fn announced(change: &AnnouncedChange, status: &Status, programme: &Programme) -> Markup {
    let text = html! {
        p { (change.text) }
        @for sentence in meanings(change, status, programme) { p { b { (sentence) } } }
    };
    let title = t::programme::from_day(&intl::day(change.effective_from, DayStyle::Full));
    notice(Tone::Warm, "calendar", &title, &text)
}

fn meanings(change: &AnnouncedChange, status: &Status, programme: &Programme) -> Vec<String> {
    let mut sentences = Vec::new();
    let available = status.balance.available;
    if let Some(value) = &change.point_value
        && available > Points::ZERO
        && let Ok(then) = worth::worth(available, value)
    {
        sentences.push(t::programme::worth_then(
            &intl::points(available),
            &intl::money(then),
            &intl::money(status.balance.worth),
        ));
    }
    if let (Some(rule), Some(last)) = (&change.earning, &status.last_purchase) {
        let held = status.tier.as_ref().map(|tier| tier.current.as_str());
        let rate = multiplier(&programme.tiers, held);
        if let Ok(then) = earning::earned(last.total.minor, rule, rate) {
            sentences.push(t::programme::earned_then(
                &intl::points(last.points),
                &intl::points(then),
                &intl::money(last.total),
            ));
        }
    }
    if let Some(months) = change.points_valid_months {
        sentences.push(t::programme::good_then(i64::from(months)));
    }
    sentences
}

/// The terms that hold, what is new in them, and those that held before.
fn terms(terms: &Terms, versions: &Load<Vec<Terms>>) -> Markup {
    html! {
        section.card {
            div { h2 { (t::you::terms()) } p.muted { (version(terms)) } }
            (conditions(&terms.items))
            @if !terms.changes.is_empty() {
                h3 { (t::programme::changed()) }
                (ticks(&terms.changes))
            }
            @match versions {
                Load::Loading => {},
                Load::Failed(_) => p.muted {
                    (t::programme::earlier_failed()) " "
                    button.link type="button" data-action=(RETRY) { (t::app::retry()) }
                },
                Load::Ready(versions) | Load::Stale(versions, _) => {
                    @for earlier in versions.iter().filter(|earlier| earlier.version < terms.version) {
                        details {
                            summary { (version(earlier)) }
                            div.stack {
                                ul.conditions { @for text in &earlier.items { li { (text) } } }
                                @if !earlier.changes.is_empty() {
                                    h3 { (t::programme::changed()) }
                                    (ticks(&earlier.changes))
                                }
                            }
                        }
                    }
                },
            }
        }
    }
}

fn version(terms: &Terms) -> String {
    t::programme::version(
        &intl::date(terms.effective_from),
        &intl::number(i64::from(terms.version)),
    )
}

/// Where the shops are, and whom to ask.
fn around(programme: &Programme) -> Markup {
    html! {
        @if !programme.stores.is_empty() {
            section.card {
                h2 { (t::you::stores()) }
                ul.list { @for shop in &programme.stores { (store(shop)) } }
            }
        }
        section.card {
            h2 { (t::you::ask()) }
            p { (programme.contact.name) }
            (contact_links(&programme.contact))
        }
    }
}

fn store(store: &Store) -> Markup {
    html! {
        li.list-row data-align="start" {
            (icon("pin"))
            div.list-row__text {
                h3 { (store.name) }
                p { bdi { (store.address) } }
                @if !store.hours.is_empty() { p.muted { (store.hours) } }
                @if !store.phone.is_empty() {
                    p { a.link href={ "tel:" (store.phone.replace(' ', "")) } { bdi { (store.phone) } } }
                }
            }
        }
    }
}
