//! Signing in: an address, then the code that was sent to it.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::ProblemCode;
use loyalty_contract::auth::{Challenge, SignedIn};

use crate::api::{self, ApiError};
use crate::browser;
use crate::components::failure::{Notice, explain};
use crate::components::icon::Icon;
use crate::components::nav::Brand;
use crate::components::page_heading::PageHeading;
use crate::data::use_remembered;
use crate::intl::t;
use crate::pages::home::rule;
use crate::pages::you::LanguageChoice;
use crate::state::{use_programme, use_session};

/// The two steps, and what went wrong in them.
#[component]
pub fn SignInPage() -> impl IntoView {
    let programme = use_programme();
    let address = RwSignal::new(String::new());
    let challenge = RwSignal::new(None::<Challenge>);
    let notice = RwSignal::new(None::<Failure>);
    view! {
        <main class="signin" id="main">
            <section class="signin__panel">
                <span class="brand"><Brand /></span>
                <p class="signin__promise">{rule(&programme)}</p>
            </section>
            <div class="signin__body">
                {move || match challenge.get() {
                    None => view! { <AddressStep address challenge notice /> }.into_any(),
                    Some(sent) => view! { <CodeStep address sent challenge notice /> }.into_any(),
                }}
                <LanguageChoice />
            </div>
        </main>
    }
}

/// What went wrong: at the field, or beside the form.
#[derive(Clone, PartialEq, Eq)]
enum Failure {
    Field(String),
    Form { title: String, help: String },
}

impl Failure {
    fn of(error: &ApiError) -> Self {
        match error.code() {
            Some(ProblemCode::CodeWrong) => Self::Field(t::sign_in::code_wrong()),
            Some(ProblemCode::InvalidFields) => Self::Field(t::sign_in::address_wrong()),
            Some(ProblemCode::ChannelUnavailable) => Self::Field(t::sign_in::channel_unavailable()),
            Some(ProblemCode::ChallengeExpired) => Self::Field(t::sign_in::challenge_expired()),
            _ => {
                let (title, help) = explain(error);
                Self::Form { title, help }
            }
        }
    }
}

#[component]
fn AddressStep(
    address: RwSignal<String>,
    challenge: RwSignal<Option<Challenge>>,
    notice: RwSignal<Option<Failure>>,
) -> impl IntoView {
    let is_busy = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = address.get_untracked().trim().to_owned();
        if !looks_like_an_address(&typed) {
            notice.set(Some(Failure::Field(t::sign_in::address_wrong())));
            focus(field);
            return;
        }
        is_busy.set(true);
        spawn_local(async move {
            let answer = api::auth::create_challenge(&typed).await;
            is_busy.try_set(false);
            match answer {
                Ok(sent) => {
                    notice.try_set(None);
                    challenge.try_set(Some(sent));
                }
                Err(error) => {
                    notice.try_set(Some(Failure::of(&error)));
                    focus(field);
                }
            }
        });
    };
    view! {
        <PageHeading title=t::sign_in::welcome() />
        <p class="muted">{t::sign_in::address_help()}</p>
        <form class="signin__form" novalidate on:submit=on_submit>
            <FormFailure notice />
            <div class="field">
                <label class="field__label" for="address">{t::sign_in::address()}</label>
                <input
                    id="address"
                    node_ref=field
                    class="field__input"
                    type="email"
                    inputmode="email"
                    autocomplete="email"
                    maxlength="254"
                    dir="ltr"
                    aria-invalid=move || is_at_field(notice).to_string()
                    aria-describedby="address-error"
                    prop:value=move || address.get()
                    on:input=move |event| address.set(event_target_value(&event))
                />
                <FieldFailure id="address-error" notice />
            </div>
            <button class="button" data-variant="main" aria-busy=move || is_busy.get().to_string() disabled=move || is_busy.get()>
                {t::sign_in::send_code()}
            </button>
        </form>
        {use_programme()
            .demo
            .then(|| view! { <Notice tone="info" icon="info" title=t::app::demo()><p>{t::sign_in::demo_address()}</p></Notice> })}
    }
}

#[component]
fn CodeStep(
    address: RwSignal<String>,
    sent: Challenge,
    challenge: RwSignal<Option<Challenge>>,
    notice: RwSignal<Option<Failure>>,
) -> impl IntoView {
    let session = use_session();
    let remembered = use_remembered();
    let code = RwSignal::new(String::new());
    let is_busy = RwSignal::new(false);
    let is_new = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    field.on_load(|field| browser::focus(&field));
    let id = StoredValue::new(sent.challenge_id);
    let send = move || {
        // One code is sent once, also when a sixth digit and a tap on the button come together.
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        spawn_local(async move {
            let answer = api::auth::create_session(&id.get_value(), &digits(&code.get_untracked())).await;
            is_busy.try_set(false);
            match answer {
                Ok(SignedIn::Member) => {
                    session.started();
                    remembered.refresh();
                }
                Ok(SignedIn::New { .. }) => {
                    is_new.try_set(true);
                }
                Err(error) => {
                    let is_over = error.code() == Some(ProblemCode::ChallengeExpired);
                    notice.try_set(Some(Failure::of(&error)));
                    if is_over {
                        challenge.try_set(None);
                    } else {
                        focus(field);
                    }
                }
            }
        });
    };
    let on_type = move |event| {
        code.set(event_target_value(&event));
        notice.set(None);
        if digits(&code.get_untracked()).len() == 6 {
            send();
        }
    };
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if digits(&code.get_untracked()).len() == 6 {
            send();
        } else {
            notice.set(Some(Failure::Field(t::sign_in::six_digits())));
            focus(field);
        }
    };
    let again = move |_| {
        notice.set(None);
        challenge.set(None);
    };
    let demo = sent.demo_code.map(|demo_code| {
        let spaced = format!("{} {}", demo_code.get(..3).unwrap_or_default(), demo_code.get(3..).unwrap_or_default());
        let fill = move |_| {
            code.set(demo_code.clone());
            send();
        };
        view! {
            <div class="notice" data-tone="info">
                <Icon name="info" />
                <div class="notice__text">
                    <b>{t::app::demo()}</b>
                    <p>{t::sign_in::demo_code()} " " <bdi class="num">{spaced}</bdi></p>
                </div>
                <div class="notice__actions">
                    <button type="button" class="button" data-variant="quiet" on:click=fill>{t::sign_in::use_code()}</button>
                </div>
            </div>
        }
    });
    view! {
        <PageHeading title=t::sign_in::code_title() />
        <p class="muted">{t::sign_in::code_help(&address.get_untracked())}</p>
        {demo}
        {move || {
            is_new
                .get()
                .then(|| {
                    view! {
                        <Notice tone="warm" icon="info" title=t::sign_in::not_a_member()>
                            <p>{t::sign_in::not_a_member_help()}</p>
                        </Notice>
                    }
                })
        }}
        <form class="signin__form" novalidate on:submit=on_submit>
            <FormFailure notice />
            <div class="field">
                <label class="field__label" for="code">{t::sign_in::code()}</label>
                <input
                    id="code"
                    node_ref=field
                    class="code-input"
                    inputmode="numeric"
                    autocomplete="one-time-code"
                    maxlength="8"
                    dir="ltr"
                    aria-invalid=move || is_at_field(notice).to_string()
                    aria-describedby="code-error"
                    prop:value=move || code.get()
                    on:input=on_type
                />
                <FieldFailure id="code-error" notice />
            </div>
            <button class="button" data-variant="main" aria-busy=move || is_busy.get().to_string() disabled=move || is_busy.get()>
                {t::sign_in::sign_in()}
            </button>
            <button type="button" class="button" data-variant="plain" on:click=again>{t::sign_in::other_address()}</button>
        </form>
    }
}

#[component]
fn FieldFailure(id: &'static str, notice: RwSignal<Option<Failure>>) -> impl IntoView {
    view! {
        <p class="field__error" id=id aria-live="polite">
            {move || match notice.get() {
                Some(Failure::Field(text)) => Some(view! { <Icon name="alert" /><span>{text}</span> }),
                _ => None,
            }}
        </p>
    }
}

#[component]
fn FormFailure(notice: RwSignal<Option<Failure>>) -> impl IntoView {
    view! {
        <div role="alert">
            {move || match notice.get() {
                Some(Failure::Form { title, help }) => {
                    Some(view! { <Notice tone="error" icon="alert" title><p>{help}</p></Notice> })
                }
                _ => None,
            }}
        </div>
    }
}

fn is_at_field(notice: RwSignal<Option<Failure>>) -> bool {
    matches!(notice.get(), Some(Failure::Field(_)))
}

fn focus(field: NodeRef<html::Input>) {
    if let Some(field) = field.try_get_untracked().flatten() {
        browser::focus(&field);
    }
}

/// Enough to spare a question to the server; the server decides.
fn looks_like_an_address(typed: &str) -> bool {
    let is_email = typed
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let is_phone = typed.strip_prefix('+').is_some_and(|rest| digits(rest).len() >= 7);
    is_email || is_phone
}

/// The digits of a text, in any of our languages' figures, as the server reads them.
fn digits(typed: &str) -> String {
    typed
        .chars()
        .filter_map(|c| c.to_digit(10).or_else(|| persian_digit(c)))
        .filter_map(|d| char::from_digit(d, 10))
        .collect()
}

fn persian_digit(c: char) -> Option<u32> {
    matches!(c, '\u{6f0}'..='\u{6f9}').then(|| c as u32 - 0x6f0)
}
