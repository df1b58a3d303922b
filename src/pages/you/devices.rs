//! Where one is signed in, which of those can show the code, and ending either.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::account::MemberSession;
use loyalty_contract::code_keys::CodeKey;
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::components::failure::{RETRY, error_notice, load_failed};
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::data::{Load, Source};
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;
use crate::state::use_session;

const ALL_OTHERS: &str = "all-others";

/// What the name of a code key begins with, where it is the code that is to be ended and not the session.
const CODE: &str = "code:";

/// The list.
#[component]
pub fn DevicesPage() -> impl IntoView {
    let session = use_session();
    let source = Source::new(session, api::profile::list_sessions);
    source.want();
    let keys = Source::new(session, api::code_keys::list_code_keys);
    keys.want();
    let failed = RwSignal::new(None::<ApiError>);
    // The one that is being ended: a second tap would find nothing any more.
    let ending = RwSignal::new(None::<String>);
    let content = move || {
        // Without an answer about the codes, the list is of use all the same.
        let keys = keys.value().unwrap_or_default();
        let list = |sessions: &[MemberSession]| list(sessions, &keys, ending.read().as_deref());
        html! {
            div role="alert" { @if let Some(error) = failed.get() { (error_notice(&error)) } }
            @match source.get() {
                Load::Loading => (skeleton::ledger()),
                Load::Failed(error) => (load_failed(&error)),
                Load::Ready(sessions) | Load::Stale(sessions, _) => (list(&sessions)),
            }
        }
    };
    let act = move |action: &str, _: String| {
        if action == RETRY {
            source.refresh();
            return keys.refresh();
        }
        if ending.read_untracked().is_some() {
            return;
        }
        let id = action.to_owned();
        ending.set(Some(id.clone()));
        failed.set(None);
        spawn_local(async move {
            let answer = match (id.as_str(), id.strip_prefix(CODE)) {
                (_, Some(key)) => api::code_keys::delete_code_key(key).await,
                (ALL_OTHERS, None) => api::profile::end_other_sessions().await,
                (id, None) => api::profile::end_session(id).await,
            };
            if ending.try_set(None).is_some() {
                return;
            }
            match answer {
                Err(ApiError::SignedOut) => session.ended(),
                Err(error) => failed.set(Some(error)),
                Ok(()) => {
                    source.refresh();
                    keys.refresh();
                }
            }
        });
    };
    view! {
        <BackBar title=t::devices::title() to=Route::You />
        <p class="muted">{t::devices::help()}</p>
        {live_with(content, act)}
    }
}

fn list(sessions: &[MemberSession], keys: &[CodeKey], ending: Option<&str>) -> Markup {
    let key_of = |session: &MemberSession| keys.iter().find(|key| key.session_id == session.id);
    html! {
        section.card {
            ul.list {
                @for session in sessions { (row(session, key_of(session), ending)) }
            }
        }
        @if sessions.iter().any(|session| !session.is_current) {
            button.button type="button" data-action=(ALL_OTHERS) aria-busy=(ending == Some(ALL_OTHERS)) {
                (icon("sign-out")) (t::devices::end_others())
            }
        } @else {
            p.muted { (t::devices::only_here()) }
        }
    }
}

fn row(session: &MemberSession, key: Option<&CodeKey>, ending: Option<&str>) -> Markup {
    let device = Some(session.device.clone()).filter(|device| !device.is_empty());
    let device = device.unwrap_or_else(t::devices::unknown);
    html! {
        li.list-row {
            (icon("device"))
            span.list-row__text {
                b { bdi { (device) } }
                span.muted { (t::devices::last_used(&intl::day(session.last_seen_at, DayStyle::Long))) }
                @if !session.is_remembered { span.muted { (t::devices::borrowed()) } }
            }
            @if session.is_current {
                span.badge { (icon("check")) (t::devices::this_one()) }
            } @else {
                button.button type="button" data-action=(session.id) aria-busy=(ending == Some(&session.id))
                    aria-label=(t::devices::end_named(&device)) { (t::devices::end()) }
            }
            @if let Some(key) = key { (code(key, &device, ending)) }
        }
    }
}

/// That a device can show the code, and the way to end that.
fn code(key: &CodeKey, device: &str, ending: Option<&str>) -> Markup {
    let action = [CODE, &key.key_id].concat();
    html! {
        div.device-code {
            (icon("qr"))
            span.muted {
                @match key.last_used_at {
                    Some(at) => (t::devices::code_used(&intl::day(at, DayStyle::Long))),
                    None => (t::devices::shows_code()),
                }
            }
            button.link type="button" data-action=(action) aria-busy=(ending == Some(&action))
                aria-label=(t::devices::code_off_named(device)) { (t::devices::code_off()) }
        }
    }
}
