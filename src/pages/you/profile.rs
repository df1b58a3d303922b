//! Who one is to the shop: name, birthday, telephone number, the language that it writes in, and the address.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::account::ProfileChange;
use loyalty_contract::programme::Programme;
use loyalty_contract::{Problem, ProblemCode};
use maud::{Markup, html};

use crate::api::profile::Held;
use crate::api::{self, ApiError};
use crate::browser::document;
use crate::components::failure::{RETRY, Tone, load_failed, notice};
use crate::components::form::{Fault, Typed, beside, text_field};
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::components::page_heading::BackBar;
use crate::components::segmented::segmented;
use crate::components::skeleton;
use crate::data::{Load, Source, use_remembered};
use crate::intl::{self, t};
use crate::routes::Route;
use crate::state::{use_programme, use_session};

const NAME: &str = "name";
const BIRTHDAY: &str = "birthday";
const PHONE: &str = "phone";
const LANGUAGE: &str = "written-language";

/// What was typed and not saved yet; what was not touched is as the profile says.
#[derive(Clone, Default)]
struct Draft {
    name: Option<String>,
    birthday: Option<String>,
    phone: Option<String>,
    language: Option<String>,
    /// What went wrong, and at which field.
    fault: Option<(&'static str, Fault)>,
    is_busy: bool,
    is_saved: bool,
}

/// The form.
#[component]
pub fn ProfilePage() -> impl IntoView {
    let remembered = use_remembered();
    let source = remembered.profile;
    source.want();
    let programme = use_programme();
    let session = use_session();
    let draft = RwSignal::new(Draft::default());
    let content = move || {
        let form = |held: &Held| form(held, &draft.read(), &programme);
        match source.get() {
            Load::Loading => skeleton::cards(),
            Load::Failed(error) => load_failed(&error),
            Load::Ready(held) | Load::Stale(held, _) => form(&held),
        }
    };
    let act = move |action: &str, value: String| match action {
        RETRY => source.refresh(),
        NAME => typed(draft, |draft| draft.name = Some(value)),
        BIRTHDAY => typed(draft, |draft| draft.birthday = Some(value)),
        PHONE => typed(draft, |draft| draft.phone = Some(value)),
        LANGUAGE => typed(draft, |draft| draft.language = Some(value)),
        _ => {
            let Some(held) = source.value_untracked() else { return };
            let change = change(&held, &draft.read_untracked());
            let change = match change {
                Ok(change) => change,
                Err(fault) => return fail(draft, fault),
            };
            if std::mem::replace(&mut draft.write().is_busy, true) {
                return;
            }
            spawn_local(async move {
                match api::profile::update_profile(&held.tag, &change).await {
                    Ok(held) => {
                        source.take(held);
                        // The home screen calls them by their name.
                        remembered.status.refresh();
                        draft.try_set(Draft {
                            is_saved: true,
                            ..Draft::default()
                        });
                    }
                    Err(ApiError::SignedOut) => session.ended(),
                    Err(error) => refused(&error, draft, source),
                }
            });
        }
    };
    view! {
        <BackBar title=t::profile::title() to=Route::You />
        {live_with(content, act)}
    }
}

/// Takes what is typed. The form is written anew only to take back what was said of the last try.
fn typed(draft: RwSignal<Draft>, take: impl FnOnce(&mut Draft)) {
    take(&mut draft.write_untracked());
    if draft.with_untracked(|draft| draft.fault.is_some() || draft.is_saved) {
        draft.update(|draft| {
            draft.fault = None;
            draft.is_saved = false;
        });
    }
}

fn fail(draft: RwSignal<Draft>, (field, fault): (&'static str, Fault)) {
    // The screen may be gone.
    let is_there = draft.try_update(|draft| {
        draft.is_busy = false;
        draft.fault = Some((field, fault));
    });
    if is_there.is_some() && !field.is_empty() {
        document::focus_field(field);
    }
}

fn refused(error: &ApiError, draft: RwSignal<Draft>, source: Source<Held>) {
    let is_about = |pointer: &str| matches!(error, ApiError::Refused(problem) if about(problem, pointer));
    let fault = if is_about("/name") {
        (NAME, Fault::Field(t::join::name_wrong()))
    } else if is_about("/birthday") {
        (BIRTHDAY, Fault::Field(t::profile::birthday_wrong()))
    } else if is_about("/phone") {
        (PHONE, Fault::Field(t::profile::phone_wrong()))
    } else if error.code() == Some(ProblemCode::ProfileChanged) {
        // What was typed stays; beside it comes what was changed elsewhere.
        source.refresh();
        let (title, help) = (t::profile::changed(), t::profile::changed_help());
        ("", Fault::Form { title, help })
    } else {
        ("", Fault::of(error))
    };
    fail(draft, fault);
}

fn about(problem: &Problem, pointer: &str) -> bool {
    problem.errors.iter().any(|error| error.pointer == pointer)
}

/// What of the draft is different, or what is wrong with it.
fn change(held: &Held, draft: &Draft) -> Result<ProfileChange, (&'static str, Fault)> {
    let name = draft.name.as_deref().map(str::trim);
    if name == Some("") {
        return Err((NAME, Fault::Field(t::join::name_missing())));
    }
    let birthday = match draft.birthday.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(typed) => {
            let wrong = || (BIRTHDAY, Fault::Field(t::profile::birthday_wrong()));
            Some(Some(intl::parse_day(typed).ok_or_else(wrong)?))
        }
    };
    let phone = draft.phone.as_deref().map(|typed| match typed.trim() {
        "" => None,
        typed => Some(typed.to_owned()),
    });
    Ok(ProfileChange {
        name: name.filter(|name| *name != held.profile.name).map(str::to_owned),
        language: draft.language.clone(),
        birthday: birthday.filter(|day| *day != held.profile.birthday),
        phone: phone.filter(|phone| *phone != held.profile.phone),
        consents: None,
    })
}

fn form(held: &Held, draft: &Draft, programme: &Programme) -> Markup {
    let profile = &held.profile;
    let fault_at = |field: &str| {
        draft
            .fault
            .as_ref()
            .filter(|(at, _)| *at == field)
            .map(|(_, fault)| fault)
    };
    let birthday = profile.birthday.map(|day| day.to_string()).unwrap_or_default();
    let phone = draft.phone.as_deref().or(profile.phone.as_deref()).unwrap_or_default();
    let languages: Vec<_> = programme
        .languages
        .iter()
        .map(|language| (language.clone(), intl::language_name(language)))
        .collect();
    html! {
        form.stack novalidate data-action="save" {
            section.card {
                (beside(fault_at("")))
                (text_field(NAME, &t::join::name(), draft.name.as_deref().unwrap_or(&profile.name), &Typed::NAME,
                    fault_at(NAME)))
                (text_field(BIRTHDAY, &t::profile::birthday(), draft.birthday.as_deref().unwrap_or(&birthday),
                    &Typed::BIRTHDAY, fault_at(BIRTHDAY)))
                p.muted { (t::profile::birthday_help()) }
                (text_field(PHONE, &t::profile::phone(), phone, &Typed::PHONE, fault_at(PHONE)))
                p.muted { (t::profile::phone_help()) }
                @if languages.len() > 1 {
                    (segmented(&t::profile::language(), LANGUAGE, &languages,
                        draft.language.as_deref().unwrap_or(&profile.language)))
                }
            }
            div role="status" {
                @if draft.is_saved { (notice(Tone::Success, "check", &t::profile::saved(), &Markup::default())) }
            }
            button.button data-variant="main" aria-busy=(draft.is_busy) { (t::profile::save()) }
        }
        section.card {
            ul.list {
                li {
                    a.list-row href=(Route::Address.path()) {
                        (icon("mail"))
                        span.list-row__text { b { (t::address::title()) } span.muted { bdi { (profile.address) } } }
                        (icon("chevron"))
                    }
                }
            }
        }
    }
}
