//! Oneself: who one is, how one likes the wallet, what the shop knows, and the way out.

pub mod address;
pub mod devices;
pub mod leave;
pub mod messages;
pub mod profile;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::programme::Programme;
use loyalty_contract::status::Status;
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::browser::share::{Shared, share};
use crate::browser::{self, document, install};
use crate::components::failure::{RETRY, Tone, error_notice, load_failed, notice};
use crate::components::icon::icon;
use crate::components::install::home_screen;
use crate::components::live::{live, live_with};
use crate::components::page_heading::PageHeading;
use crate::components::segmented::segmented;
use crate::components::skeleton;
use crate::data::{Load, use_remembered};
use crate::intl::{self, t};
use crate::pages::code::{grouped, name_and_tier};
use crate::pages::programme::terms_notice;
use crate::routes::{Route, use_router};
use crate::state::{Preferences, TEXT_SIZES, Theme, use_preferences, use_programme, use_session};

const THEME: &str = "theme";
const TEXT_SIZE: &str = "text-size";

/// Who one is, the ways to everything about oneself, settings, and the way out.
#[component]
pub fn YouPage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    remembered.profile.want();
    let programme = use_programme();
    let about = {
        let programme = programme.clone();
        move || match remembered.status.get() {
            Load::Loading => skeleton::cards(),
            Load::Failed(error) => load_failed(&error),
            Load::Ready(status) | Load::Stale(status, _) => about(&status, &programme),
        }
    };
    let preferences = use_preferences();
    on_cleanup(move || preferences.forget_refusal());
    let settings = move || {
        let theme = |theme: Theme, label| (theme.name().unwrap_or_default().to_owned(), label);
        let themes = [
            theme(Theme::System, t::you::theme_system()),
            theme(Theme::Light, t::you::theme_light()),
            theme(Theme::Dark, t::you::theme_dark()),
        ];
        let labels = [t::you::text_normal(), t::you::text_large(), t::you::text_larger()];
        let sizes: Vec<_> = TEXT_SIZES.into_iter().map(str::to_owned).zip(labels).collect();
        html! {
            section.card {
                (segmented(&t::you::theme(), THEME, &themes, preferences.theme().name().unwrap_or_default()))
                (segmented(&t::you::text_size(), TEXT_SIZE, &sizes, &preferences.text_size()))
                (languages(preferences))
            }
        }
    };
    let choose = move |what: &str, value: String| match what {
        THEME => preferences.set_theme(Theme::named(&value)),
        TEXT_SIZE => preferences.set_text_size(&value),
        _ => preferences.set_language(&value),
    };
    let again = move |_: &str, _| {
        remembered.status.refresh();
        remembered.profile.refresh();
    };
    view! {
        <div class="page-heading"><PageHeading title=t::nav::you() /></div>
        {live_with(about, again)}
        {live(move || ways(&programme))}
        <HomeScreen />
        <Invite />
        {live_with(settings, choose)}
        {live(your_data)}
        <SignOut />
    }
}

/// Who one is to the shop.
fn about(status: &Status, programme: &Programme) -> Markup {
    html! {
        (terms_notice(status, programme))
        @if let Some(off) = clock_off() {
            (notice(Tone::Info, "clock", &off, &html! { p { (t::offline::clock_help()) } }))
        }
        section.card {
            (name_and_tier(status, programme))
            ul.facts {
                li { span { (t::you::number()) } b { bdi { (grouped(&status.member.number)) } } }
                li { span { (t::you::since()) } b { (intl::date(status.member.since)) } }
                li { span { (t::you::saved()) } b { (intl::money(status.lifetime.saved)) } }
            }
        }
    }
}

/// How wrong this device's clock is, where it is far off.
fn clock_off() -> Option<String> {
    let off = (api::server_now() - browser::now()).abs();
    let (days, hours, minutes) = (off.num_days(), off.num_hours(), off.num_minutes());
    match (days, hours, minutes) {
        (2.., ..) => Some(t::offline::clock_days(days)),
        (_, 1.., _) => Some(t::offline::clock_hours(hours)),
        (.., 2..) => Some(t::offline::clock_minutes(minutes)),
        _ => None,
    }
}

/// The ways to everything about oneself, and about the programme.
fn ways(programme: &Programme) -> Markup {
    html! {
        section.card {
            ul.list {
                (way("user", &Route::Profile, &t::profile::title(), &t::you::profile_help()))
                (way("mail", &Route::Messages, &t::messages::title(), &t::you::messages_help()))
                (way("device", &Route::Devices, &t::devices::title(), &t::you::devices_help()))
                (way("card", &Route::Card, &t::card::title(), &t::you::card_help()))
            }
        }
        section.card {
            ul.list {
                @if !programme.tiers.is_empty() {
                    (way("ladder", &Route::Tier, &t::ladder::title(), &t::you::tier_help()))
                }
                (way("leaf", &Route::Programme, &t::programme::title(), &t::you::programme_help()))
            }
        }
    }
}

fn way(picture: &str, to: &Route, title: &str, help: &str) -> Markup {
    html! {
        li {
            a.list-row href=(to.path()) {
                (icon(picture))
                span.list-row__text { b { (title) } span.muted { (help) } }
                (icon("chevron"))
            }
        }
    }
}

/// What is held, to take away or to end.
fn your_data() -> Markup {
    html! {
        section.card {
            ul.list {
                li {
                    a.list-row href=(api::profile::export_address()) download="" {
                        (icon("download"))
                        span.list-row__text { b { (t::you::download()) } span.muted { (t::you::download_help()) } }
                    }
                }
                (way("door", &Route::Leave, &t::leave::title(), &t::you::leave_help()))
            }
        }
    }
}

/// The languages that the wallet has, each by its own name, and why the last one chosen could not be had.
pub fn languages(preferences: Preferences) -> Markup {
    let refused = preferences.refused_language();
    let options: Vec<_> = t::LANGUAGES
        .iter()
        .map(|language| ((*language).to_owned(), intl::language_name(language)))
        .collect();
    html! {
        (segmented(&t::you::language(), "language", &options, &preferences.language_untracked()))
        div role="alert" { @if let Some(error) = refused { (error_notice(&error)) } }
    }
}

/// How the wallet gets onto the home screen.
#[component]
fn HomeScreen() -> impl IntoView {
    let way = install::follow_way();
    live_with(move || home_screen(way.get()), |_, _| install::ask())
}

/// The link by which somebody else joins.
#[component]
fn Invite() -> impl IntoView {
    let profile = use_remembered().profile;
    let shop = use_programme().name.clone();
    let shared = RwSignal::new(None::<Shared>);
    let link = move || {
        let code = profile.value()?.profile.referral_code;
        Some([&document::origin(), "/join?ref=", &code].concat())
    };
    let content = move || {
        let Some(link) = link() else {
            // What stands above says that nothing arrived; here only this one thing is missing.
            let failed = matches!(profile.get(), Load::Failed(_));
            return html! {
                @if failed {
                    p.muted {
                        (t::you::invite_failed()) " "
                        button.link type="button" data-action=(RETRY) { (t::app::retry()) }
                    }
                }
            };
        };
        html! {
            section.card {
                div.tick {
                    (icon("heart"))
                    div { h2 { (t::you::invite()) } p.muted { (t::you::invite_help()) } }
                }
                p.plate { bdi { (link) } }
                button.button type="button" data-action="share" { (icon("share")) (t::you::share()) }
                p.muted role="status" {
                    @match shared.get() {
                        Some(Shared::Copied) => (t::you::copied()),
                        Some(Shared::No) => (t::you::copy_by_hand()),
                        Some(Shared::Offered) | None => {},
                    }
                }
            }
        }
    };
    let act = move |action: &str, _: String| {
        let Some(held) = profile.value_untracked() else {
            return profile.refresh();
        };
        if action == RETRY {
            return;
        }
        let link = [&document::origin(), "/join?ref=", &held.profile.referral_code].concat();
        let text = t::you::invitation(&shop);
        spawn_local(async move {
            let done = share(&text, &link).await;
            shared.try_set(Some(done));
        });
    };
    live_with(content, act)
}

#[component]
fn SignOut() -> impl IntoView {
    let (session, router) = (use_session(), use_router());
    let failed = RwSignal::new(None::<ApiError>);
    let sign_out = move |_: &str, _| {
        spawn_local(async move {
            match api::auth::end_session().await {
                Ok(()) | Err(ApiError::SignedOut) => {
                    session.ended();
                    // Whoever signs in next begins where everybody begins.
                    router.go(&Route::Home);
                }
                Err(error) => failed.set(Some(error)),
            }
        });
    };
    let content = move || {
        html! {
            div role="alert" { @if let Some(error) = failed.get() { (error_notice(&error)) } }
            section.card {
                ul.list {
                    li {
                        button.list-row type="button" data-tone="error" data-action="sign-out" {
                            (icon("sign-out"))
                            span.list-row__text { (t::you::sign_out()) }
                        }
                    }
                }
            }
        }
    };
    live_with(content, sign_out)
}
