//! What to show at the counter: a code that says who the member is, another one every half minute, with or without a
//! connection. Without a key for it, their number does.

use std::time::Duration;

use leptos::html;
use leptos::prelude::*;
use loyalty_contract::programme::Programme;
use loyalty_contract::status::Status;
use loyalty_contract::{Instant, ProblemCode};
use loyalty_rules::member_code::{self, PERIOD_S};
use maud::{Markup, html};

use crate::api;
use crate::browser::code_key::CodeKey;
use crate::browser::{document, wake_lock};
use crate::components::codes::{barcode, qr};
use crate::components::failure::{RETRY, Tone, load_failed, notice};
use crate::components::live::{live, live_with};
use crate::components::page_heading::PageHeading;
use crate::components::skeleton;
use crate::components::tier_card::tier_name;
use crate::data::member_code::{Holding, MemberCode};
use crate::data::{Load, Source, use_remembered};
use crate::intl::{self, t};
use crate::routes::Route;
use crate::state::{use_programme, use_session, watch};

const TURN_ON: &str = "turn-on";
const PASS: &str = "pass";

/// The member's code.
#[component]
pub fn CodePage() -> impl IntoView {
    let status = use_remembered().status;
    status.want();
    let code = MemberCode::new(use_session(), status);
    let programme = use_programme();
    wake_lock::keep_awake();
    let badge = move || match code.key() {
        Some(_) => html! { span.badge { (t::code::works_offline()) } },
        None => Markup::default(),
    };
    let content = move || match (code.holding(), status.get()) {
        (Holding::Here(_), _) => Markup::default(),
        (Holding::Loading, _) | (_, Load::Loading) => skeleton::cards(),
        (_, Load::Failed(error)) => load_failed(&error),
        (holding, Load::Ready(status) | Load::Stale(status, _)) => html! {
            (instead(&holding))
            (number(&status, &programme))
        },
    };
    let act = move |action: &str, _| match action {
        TURN_ON => code.turn_on(|| document::focus_field(PASS)),
        _ => status.refresh(),
    };
    let balance = move || match status.get() {
        Load::Loading | Load::Failed(_) => Markup::default(),
        Load::Ready(status) | Load::Stale(status, _) => balance(&status),
    };
    view! {
        <div class="page-heading"><PageHeading title=t::nav::code() />{live(badge)}</div>
        {live_with(content, act)}
        {move || code.key().map(|key| view! { <Pass code key status /> })}
        {live_with(balance, act)}
    }
}

/// Whose code it is, what a till scans, what somebody reads out, and how long yet.
#[component]
fn Pass(code: MemberCode, key: CodeKey, status: Source<Status>) -> impl IntoView {
    let programme = use_programme();
    let now = now_by_the_second();
    let step = Memo::new(move |_| member_code::step(now.get()));
    let digits = RwSignal::new(String::new());
    let number = key.member_number.clone();
    watch(move || {
        let (step_now, key) = (step.get(), key.clone());
        leptos::task::spawn_local(async move {
            let signed = key.sign(&member_code::message(step_now)).await;
            match signed.ok().and_then(|signed| member_code::digits(&signed)) {
                // The screen may be left by then, or the half minute over.
                Some(made) if step.try_get_untracked() == Some(step_now) => {
                    digits.try_set(made);
                }
                Some(_) => (),
                None => code.is_useless(),
            }
        });
    });
    let left = Memo::new(move |_| PERIOD_S - now.get().timestamp().unsigned_abs() % PERIOD_S);
    let bar = NodeRef::<html::Div>::new();
    watch(move || {
        if let Some(bar) = bar.get() {
            document::set_part(&bar, &(left.get() * 100 / PERIOD_S).to_string());
        }
    });
    let who = move || match status.value() {
        Some(status) => who(&status, &programme),
        None => Markup::default(),
    };
    let drawn = {
        let number = number.clone();
        move || drawn(&number, &digits.read())
    };
    let countdown = move || html! { (t::code::left(left.get() as i64)) };
    view! {
        <section class="pass" id=PASS tabindex="-1">
            {live(who)}
            {live(drawn)}
            // Whoever hears the screen is not told of every second.
            <div class="pass__left" aria-hidden="true">
                <div class="meter" node_ref=bar></div>
                <p>{live(countdown)}</p>
            </div>
            {live(move || spoken(&number, &digits.read()))}
            <p class="pass__hint">{t::code::every(&intl::number(PERIOD_S as i64))}</p>
            <p class="pass__hint">{t::code::cannot_scan()}</p>
        </section>
    }
}

/// The server's time, anew as each second of it begins, and when the page is looked at again.
fn now_by_the_second() -> RwSignal<Instant> {
    let now = RwSignal::new(api::server_now());
    tick(now);
    let listener = window_event_listener_untyped("visibilitychange", move |_| {
        now.try_set(api::server_now());
    });
    on_cleanup(move || listener.remove());
    now
}

fn tick(now: RwSignal<Instant>) {
    let at = api::server_now();
    // Nobody looks any more.
    if now.try_set(at).is_some() {
        return;
    }
    let rest = 1_000_u64.saturating_sub(u64::from(at.timestamp_subsec_millis()));
    set_timeout(move || tick(now), Duration::from_millis(rest));
}

fn who(status: &Status, programme: &Programme) -> Markup {
    html! {
        p.pass__who {
            bdi { (status.member.name) }
            @if let Some(tier) = &status.tier { " · " (tier_name(&programme.tiers, &tier.current)) }
        }
    }
}

/// What a till scans; white paper as large until it is known.
fn drawn(number: &str, digits: &str) -> Markup {
    html! {
        @if digits.is_empty() {
            div.qr {}
            div.barcode {}
        } @else {
            (qr(&member_code::qr_text(number, digits), &t::voucher::qr()))
            (barcode(&member_code::barcode_text(number, digits), &t::voucher::barcode()))
        }
    }
}

/// What somebody types in who cannot scan: the number, which stays, and the digits, which change.
fn spoken(number: &str, digits: &str) -> Markup {
    html! {
        p.pass__digits dir="ltr" {
            bdi { (grouped(number)) } " " b { (grouped(digits)) }
        }
    }
}

/// Why there is a number and no code, and what to do about it.
fn instead(holding: &Holding) -> Markup {
    let devices = || html! { a.button href=(Route::Devices.path()) { (t::devices::title()) } };
    let (picture, title, help, ways) = match holding {
        Holding::Missing(error) if error.code().is_none() => {
            let again = html! { button.button type="button" data-action=(RETRY) { (t::app::retry()) } };
            ("offline", t::code::none(), t::code::none_help(), again)
        }
        Holding::Missing(error) if error.code() == Some(ProblemCode::TooManyCodeKeys) => {
            ("device", t::code::too_many(), t::code::too_many_help(), devices())
        }
        Holding::Ended => {
            let ways = html! {
                button.button data-variant="main" type="button" data-action=(TURN_ON) { (t::code::turn_on()) }
                (devices())
            };
            ("lock", t::code::ended(), t::code::ended_help(), ways)
        }
        Holding::Impossible => (
            "info",
            t::code::impossible(),
            t::code::impossible_help(),
            Markup::default(),
        ),
        // The number says it all.
        Holding::Missing(_) | Holding::Loading | Holding::Here(_) => return Markup::default(),
    };
    notice(
        Tone::Info,
        picture,
        &title,
        &html! { p { (help) } div.notice__ways { (ways) } },
    )
}

fn number(status: &Status, programme: &Programme) -> Markup {
    html! {
        section.card data-kind="number" {
            (name_and_tier(status, programme))
            p.number-plate { (grouped(&status.member.number)) }
            p { (t::code::say_it()) }
            p.muted { (t::code::proves_nothing()) }
        }
    }
}

fn balance(status: &Status) -> Markup {
    html! {
        section.card {
            ul.facts {
                li {
                    span { (t::code::balance(&intl::time(status.as_of))) }
                    b { (intl::money(status.balance.worth)) " · " (intl::points(status.balance.available)) }
                }
            }
        }
    }
}

/// Whose card this is.
pub fn name_and_tier(status: &Status, programme: &Programme) -> Markup {
    html! {
        div.card__head {
            h2 { (status.member.name) }
            @if let Some(tier) = &status.tier { span.badge { (tier_name(&programme.tiers, &tier.current)) } }
        }
    }
}

/// Digits in groups of four, as they are read aloud.
pub fn grouped(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join("\u{a0}")
}
