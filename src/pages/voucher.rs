//! A voucher, as large as the screen: what the till scans, until when, and what became of it.

use std::time::Duration;

use chrono::TimeDelta;
use leptos::prelude::*;
use loyalty_contract::programme::Programme;
use loyalty_contract::redemptions::{Redemption, RedemptionState};
use loyalty_contract::status::Status;
use loyalty_contract::{Instant, Points, ProblemCode};
use maud::{Markup, html};

use crate::api;
use crate::browser::{document, install, wake_lock};
use crate::components::codes::{barcode, qr};
use crate::components::failure::{empty, load_failed};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::components::ticks::ticks;
use crate::components::voucher_row::{gives, moment, named, picture, store_name};
use crate::data::{Deed, Load, Source, Standing, use_events, use_remembered, use_spending};
use crate::intl::{self, t};
use crate::pages::code::grouped;
use crate::pages::commit::{Outcome, forget_refusal_on_leaving};
use crate::routes::Route;
use crate::state::{use_programme, use_session, watch};

/// How often the countdown moves.
const TICK: Duration = Duration::from_secs(1);

/// A voucher's page.
#[component]
pub fn VoucherPage(
    /// Which voucher.
    id: String,
) -> impl IntoView {
    let (events, spending, status) = (use_events(), use_spending(), use_remembered().status);
    let source = {
        let id = id.clone();
        Source::new(use_session(), move |way| {
            let id = id.clone();
            async move { api::redemptions::get_redemption(way, &id).await }
        })
    };
    source.show();
    if let Some(made) = spending.latest(&id) {
        source.take(made);
    }
    // That it was made is what this screen shows.
    if matches!(spending.get_untracked(), Standing::Done(..)) {
        spending.dismiss();
    }
    status.want();
    forget_refusal_on_leaving();
    let own = id.clone();
    watch(move || {
        if events.may_have_changed(&own) {
            source.refresh();
        }
    });
    let own = id;
    watch(move || {
        if let Standing::Done(_, voucher) = spending.get()
            && voucher.id == own
        {
            source.take(voucher);
            spending.dismiss();
        }
    });

    let programme = use_programme();
    let is_ready = move |voucher: &Redemption| voucher.state == RedemptionState::Reserved;
    let mut was_ready = false;
    watch(move || {
        if let Some(voucher) = source.value() {
            if was_ready && voucher.state == RedemptionState::Captured {
                install::something_went_well();
            }
            was_ready = is_ready(&voucher);
        }
    });
    let ready = Memo::new(move |_| source.value().filter(is_ready));
    let title = Signal::derive(move || match ready.read().is_some() {
        true => t::voucher::show(),
        false => t::voucher::title(),
    });
    let around = move || match source.get() {
        Load::Loading => skeleton::cards(),
        Load::Failed(error) if error.code() == Some(ProblemCode::NotFound) => gone(),
        Load::Failed(error) => load_failed(&error),
        Load::Ready(_) | Load::Stale(..) => Markup::default(),
    };
    let ended = {
        let programme = programme.clone();
        move || match source.value().filter(|voucher| !is_ready(voucher)) {
            Some(voucher) => ended(&voucher, &programme),
            None => Markup::default(),
        }
    };
    // What became of it is said to those who do not see it, too.
    let spoken = move || {
        source
            .value()
            .map_or_else(Markup::default, |voucher| html! { (named(voucher.state)) })
    };
    view! {
        <BackBar title to=Route::Vouchers />
        {live_with(around, move |_, _| source.refresh())}
        {move || ready.get().map(|voucher| view! { <Ready voucher source /> })}
        {live(ended)}
        <Outcome />
        <p class="visually-hidden" role="status">{live(spoken)}</p>
    }
}

fn gone() -> Markup {
    let all = html! { a.button href=(Route::Vouchers.path()) { (t::vouchers::title()) } };
    empty("ticket", &t::voucher::gone(), &t::voucher::gone_help(), &all)
}

const ASK: &str = "undo";
const YES: &str = "undo-yes";
const NO: &str = "undo-no";

/// One that can be used: its codes, how long yet, and giving it back.
#[component]
fn Ready(voucher: Redemption, source: Source<Redemption>) -> impl IntoView {
    let (events, spending, status) = (use_events(), use_spending(), use_remembered().status);
    wake_lock::keep_awake();
    // The server's clock decides, and this device's may be wrong.
    let end = voucher.valid_until;
    let left = RwSignal::new(end - api::server_now());
    let clock = set_interval_with_handle(
        move || {
            let now = end - api::server_now();
            left.set(now);
            // The server tells by itself what the till did; where it cannot, it is asked every other second.
            let is_deaf = !events.is_open_untracked() || now <= TimeDelta::zero();
            if is_deaf && now.num_seconds() % 2 == 0 && document::is_visible() {
                source.ask_unless_asking();
            }
        },
        TICK,
    );
    on_cleanup(move || {
        if let Ok(clock) = clock {
            clock.clear();
        }
    });

    let is_sure = RwSignal::new(false);
    let (id, points) = (voucher.id.clone(), voucher.points);
    let undo = move || undo(points, is_sure.get(), spending.is_busy());
    let act = move |action: &str, _| {
        match action {
            YES => spending.begin(Deed::Release(id.clone())),
            action => {
                is_sure.set(action == ASK);
                document::focus_field(if action == ASK { YES } else { ASK });
            }
        };
    };
    let shown = voucher.clone();
    let facts = move || facts(points, status.value().as_ref());
    let sentences: Vec<String> = [t::voucher::how(), t::voucher::by_itself()]
        .into_iter()
        .chain(voucher.conditions)
        .collect();
    view! {
        <section class="voucher">
            {live(move || html! { p.voucher__state { (icon("clock")) (t::voucher::ready_until(&moment(end))) } })}
            {live(move || html! { p.voucher__gives { (gives(&shown)) } })}
            {live(move || codes(&voucher.code))}
            {live(move || html! { p.voucher__left aria-hidden="true" { (countdown(left.get())) } })}
            <p class="voucher__hint">{t::voucher::cannot_scan()}</p>
        </section>
        <section class="card">{live(facts)}</section>
        {live_with(undo, act)}
        <section class="card">
            <h2>{t::voucher::at_till()}</h2>
            {live(move || ticks(&sentences))}
        </section>
    }
}

fn codes(code: &str) -> Markup {
    html! {
        (qr(code, &t::voucher::qr()))
        (barcode(code, &t::voucher::barcode()))
        p.voucher__code { bdi dir="ltr" { (grouped(code)) } }
    }
}

fn facts(points: Points, status: Option<&Status>) -> Markup {
    html! {
        ul.facts {
            li { span { (t::voucher::taken()) } b { (intl::points(points)) } }
            @if let Some(Status { balance, .. }) = status {
                li {
                    span { (t::voucher::left()) }
                    b { (intl::points(balance.available)) " · " (intl::money(balance.worth)) }
                }
            }
        }
    }
}

/// Giving it back, in two steps: the second says what comes back.
fn undo(points: Points, is_sure: bool, is_busy: bool) -> Markup {
    html! {
        section.card {
            @if is_sure {
                h2 { (t::voucher::undo_sure()) }
                p { (t::voucher::undo_back(&intl::points(points))) }
                div.choices {
                    button.button id=(YES) type="button" data-action=(YES) aria-busy=(is_busy) aria-disabled=(is_busy) {
                        @if is_busy { (t::spend::sending()) } @else { (t::voucher::undo_yes()) }
                    }
                    button.button type="button" data-action=(NO) aria-disabled=(is_busy) { (t::voucher::undo_no()) }
                }
            } @else {
                p { (t::voucher::undo_help()) }
                button.button id=(ASK) type="button" data-action=(ASK) { (icon("return")) (t::voucher::undo()) }
            }
        }
    }
}

/// How long yet, in the two largest units that matter.
fn countdown(left: TimeDelta) -> String {
    let (days, hours, minutes) = (left.num_days(), left.num_hours(), left.num_minutes());
    if days >= 2 {
        t::voucher::left_days(days)
    } else if hours >= 1 {
        t::voucher::left_hours(&intl::number(hours), &intl::number(minutes % 60))
    } else if minutes >= 1 {
        t::voucher::left_minutes(minutes)
    } else {
        t::voucher::left_seconds(left.num_seconds().max(0))
    }
}

/// One that is over: what became of it, when, and what came back.
fn ended(voucher: &Redemption, programme: &Programme) -> Markup {
    let when = |at: Option<Instant>| moment(at.unwrap_or(voucher.created_at));
    let all = intl::points(voucher.points);
    let sentences = match (voucher.state, &voucher.captured) {
        (RedemptionState::Captured, Some(captured)) => {
            let at = moment(captured.at);
            let mut sentences = vec![
                match (store_name(captured.store.as_deref(), programme), &voucher.reward) {
                    (Some(store), None) => t::voucher::used_at(&intl::money(captured.money), store, &at),
                    (None, None) => t::voucher::used_somewhere(&intl::money(captured.money), &at),
                    (Some(store), Some(_)) => t::voucher::had_at(store, &at),
                    (None, Some(_)) => t::voucher::had(&at),
                },
            ];
            if captured.points < voucher.points {
                sentences.push(t::voucher::used_part(&intl::points(voucher.points - captured.points)));
            }
            sentences
        }
        (RedemptionState::Released, _) => vec![t::voucher::released_text(&all, &when(voucher.ended_at))],
        (RedemptionState::Expired, _) => vec![t::voucher::expired_text(&all, &when(voucher.ended_at))],
        (RedemptionState::Refunded, captured) => {
            let back = captured.as_ref().map_or(voucher.points, |captured| captured.points);
            vec![t::voucher::refunded_text(&intl::points(back), &when(voucher.ended_at))]
        }
        _ => vec![],
    };
    html! {
        section.card.ended data-state=(voucher.state.as_str()) {
            span.stamp { (icon(picture(voucher.state))) }
            h2 { (named(voucher.state)) }
            p.ended__gives { (gives(voucher)) }
            @for sentence in &sentences { p { (sentence) } }
            div.choices {
                a.button href=(Route::Home.path()) { (t::nav::home()) }
                a.button href=(Route::Vouchers.path()) { (t::vouchers::title()) }
            }
        }
    }
}
