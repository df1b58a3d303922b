//! Oneself, and how one likes the wallet.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, ApiError};
use crate::components::failure::{Notice, explain};
use crate::components::icon::Icon;
use crate::components::page_heading::PageHeading;
use crate::components::segmented::Segmented;
use crate::data::use_remembered;
use crate::intl::{self, t};
use crate::pages::code::{grouped, tier_name};
use crate::pages::home::{ContactLinks, rule};
use crate::state::{Theme, use_preferences, use_programme, use_session};

/// Profile, settings, the programme in short, and the way out.
#[component]
pub fn YouPage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    let programme = use_programme();
    let profile = move || {
        remembered.status.value().map(|status| {
            let tier = tier_name(&status);
            view! {
                <section class="card">
                    <div class="card__head">
                        <h2>{status.member.name}</h2>
                        {tier.map(|tier| view! { <span class="badge">{tier}</span> })}
                    </div>
                    <ul class="facts">
                        <li><span>{t::you::number()}</span><b><bdi>{grouped(&status.member.number)}</bdi></b></li>
                        <li><span>{t::you::since()}</span><b>{intl::date(status.member.since)}</b></li>
                        <li><span>{t::you::saved()}</span><b>{intl::money(status.lifetime.saved)}</b></li>
                    </ul>
                </section>
            }
        })
    };
    let terms = programme
        .terms
        .items
        .iter()
        .map(|text| view! { <li class="tick"><Icon name="check" /><span>{text.clone()}</span></li> });
    let stores = programme.stores.iter().map(|store| {
        view! {
            <li>
                <b>{store.name.clone()}</b>
                <span class="muted">{store.address.clone()} " · " {store.hours.clone()}</span>
            </li>
        }
    });
    view! {
        <div class="page-heading"><PageHeading title=t::nav::you() /></div>
        {profile}
        <section class="card">
            <ThemeChoice />
            <LanguageChoice />
        </section>
        <section class="card">
            <h2>{programme.name.clone()}</h2>
            <p>{rule(&programme)}</p>
            <details>
                <summary>{t::you::terms()}</summary>
                <ul class="conditions">{terms.collect_view()}</ul>
            </details>
            <details>
                <summary>{t::you::stores()}</summary>
                <ul class="stack">{stores.collect_view()}</ul>
            </details>
            <h3>{t::you::ask()}</h3>
            <p>{programme.contact.name.clone()}</p>
            <ContactLinks contact=programme.contact.clone() />
        </section>
        <SignOut />
    }
}

#[component]
fn ThemeChoice() -> impl IntoView {
    let preferences = use_preferences();
    let options = vec![
        (Theme::System, t::you::theme_system()),
        (Theme::Light, t::you::theme_light()),
        (Theme::Dark, t::you::theme_dark()),
    ];
    view! {
        <Segmented
            legend=t::you::theme()
            name="theme"
            options
            chosen=Signal::derive(move || preferences.theme())
            on_choose=move |theme| preferences.set_theme(theme)
        />
    }
}

/// The languages that the wallet has, each by its own name.
#[component]
pub fn LanguageChoice() -> impl IntoView {
    let preferences = use_preferences();
    let options = t::LANGUAGES
        .iter()
        .map(|language| ((*language).to_owned(), intl::language_name(language)))
        .collect();
    view! {
        <Segmented
            legend=t::you::language()
            name="language"
            options
            chosen=Signal::derive(move || preferences.language())
            on_choose=move |language: String| preferences.set_language(&language)
        />
    }
}

#[component]
fn SignOut() -> impl IntoView {
    let session = use_session();
    let failed = RwSignal::new(None::<ApiError>);
    let sign_out = move |_| {
        spawn_local(async move {
            match api::auth::delete_current_session().await {
                Ok(()) | Err(ApiError::SignedOut) => session.ended(),
                Err(error) => failed.set(Some(error)),
            }
        });
    };
    view! {
        {move || {
            failed
                .get()
                .map(|error| {
                    let (title, help) = explain(&error);
                    view! { <Notice tone="error" icon="alert" title><p>{help}</p></Notice> }
                })
        }}
        <section class="card">
            <ul class="list">
                <li>
                    <button type="button" class="list-row" data-tone="error" on:click=sign_out>
                        <Icon name="sign-out" />
                        <span class="list-row__text">{t::you::sign_out()}</span>
                    </button>
                </li>
            </ul>
        </section>
    }
}
