//! Oneself, and how one likes the wallet.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::programme::Programme;
use loyalty_contract::status::Status;
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::components::failure::{error_notice, load_failed, stale_note};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::page_heading::PageHeading;
use crate::components::segmented::segmented;
use crate::components::skeleton;
use crate::data::{Load, use_remembered};
use crate::intl::{self, t};
use crate::pages::code::{grouped, name_and_tier};
use crate::pages::home::{contact_links, rule};
use crate::pages::reward::conditions;
use crate::routes::{Route, use_router};
use crate::state::{Theme, use_preferences, use_programme, use_session};

/// Profile, settings, the programme in short, and the way out.
#[component]
pub fn YouPage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    let programme = use_programme();
    let profile = {
        let programme = programme.clone();
        move || match remembered.status.get() {
            Load::Loading => skeleton::cards(),
            Load::Failed(error) => load_failed(&error),
            Load::Ready(status) => profile(&status, &programme),
            Load::Stale(status, _) => html! { (stale_note(status.as_of)) (profile(&status, &programme)) },
        }
    };
    let preferences = use_preferences();
    let settings = move || {
        let theme = |theme: Theme, label| (theme.name().unwrap_or_default().to_owned(), label);
        let themes = [
            theme(Theme::System, t::you::theme_system()),
            theme(Theme::Light, t::you::theme_light()),
            theme(Theme::Dark, t::you::theme_dark()),
        ];
        html! {
            section.card {
                (segmented(&t::you::theme(), THEME, &themes, preferences.theme().name().unwrap_or_default()))
                (languages())
                div role="alert" {
                    @if let Some(error) = preferences.refused_language() { (error_notice(&error)) }
                }
            }
        }
    };
    let choose = move |what: &str, value: String| match what {
        THEME => preferences.set_theme(Theme::named(&value)),
        _ => preferences.set_language(&value),
    };
    view! {
        <div class="page-heading"><PageHeading title=t::nav::you() /></div>
        {live_with(profile, move |_, _| remembered.status.refresh())}
        {live_with(settings, choose)}
        {live(move || about(&programme))}
        <SignOut />
    }
}

const THEME: &str = "theme";

fn profile(status: &Status, programme: &Programme) -> Markup {
    html! {
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

/// The programme: its rule, its terms, its shops, and whom to ask.
fn about(programme: &Programme) -> Markup {
    html! {
        section.card {
            h2 { (programme.name) }
            p { (rule(programme)) }
            details { summary { (t::you::terms()) } (conditions(&programme.terms.items)) }
            details {
                summary { (t::you::stores()) }
                ul.list {
                    @for store in &programme.stores {
                        li.list-row {
                            span.list-row__text {
                                b { (store.name) }
                                span.muted { (store.address) " · " (store.hours) }
                            }
                        }
                    }
                }
            }
            h3 { (t::you::ask()) }
            p { (programme.contact.name) }
            (contact_links(&programme.contact))
        }
    }
}

/// The languages that the wallet has, each by its own name.
pub fn languages() -> Markup {
    let options: Vec<_> = t::LANGUAGES
        .iter()
        .map(|language| ((*language).to_owned(), intl::language_name(language)))
        .collect();
    segmented(&t::you::language(), "language", &options, &intl::language_of_texts())
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
