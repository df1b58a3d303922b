//! Signing in: an address, then the code that was sent to it.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::ProblemCode;
use loyalty_contract::auth::{Challenge, SignedIn};
use maud::{Markup, html as markup};

use crate::api::{self, ApiError};
use crate::browser;
use crate::components::failure::{Tone, explain, notice};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::nav::brand;
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
    let failure = RwSignal::new(None::<Failure>);
    let panel = move || markup! { span.brand { (brand(&programme)) } p.signin__promise { (rule(&programme)) } };
    view! {
        <main class="signin" id="main">
            <section class="signin__panel">{live(panel)}</section>
            <div class="signin__body">
                {move || match challenge.get() {
                    None => view! { <AddressStep address challenge failure /> }.into_any(),
                    Some(sent) => view! { <CodeStep address sent challenge failure /> }.into_any(),
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
    failure: RwSignal<Option<Failure>>,
) -> impl IntoView {
    let is_busy = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = address.get_untracked().trim().to_owned();
        if !looks_like_an_address(&typed) {
            failure.set(Some(Failure::Field(t::sign_in::address_wrong())));
            focus(field);
            return;
        }
        is_busy.set(true);
        spawn_local(async move {
            let answer = api::auth::create_challenge(&typed).await;
            is_busy.try_set(false);
            match answer {
                Ok(sent) => {
                    failure.try_set(None);
                    challenge.try_set(Some(sent));
                }
                Err(error) => {
                    failure.try_set(Some(Failure::of(&error)));
                    focus(field);
                }
            }
        });
    };
    view! {
        <PageHeading title=t::sign_in::welcome() />
        <p class="muted">{t::sign_in::address_help()}</p>
        <form class="signin__form" novalidate on:submit=on_submit>
            <FormFailure failure />
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
                    aria-invalid=is_at_field(failure)
                    aria-describedby="address-error"
                    prop:value=address
                    on:input=move |event| address.set(event_target_value(&event))
                />
                <FieldFailure id="address-error" failure />
            </div>
            <button class="button" data-variant="main" aria-busy=Signal::derive(move || if is_busy.get() { "true" } else { "false" }) disabled=is_busy>
                {t::sign_in::send_code()}
            </button>
        </form>
        {use_programme().demo.then(|| live(sample_members))}
    }
}

fn sample_members() -> Markup {
    notice(
        Tone::Info,
        "info",
        &t::app::demo(),
        &markup! { p { (t::sign_in::demo_address()) } },
    )
}

#[component]
fn CodeStep(
    address: RwSignal<String>,
    sent: Challenge,
    challenge: RwSignal<Option<Challenge>>,
    failure: RwSignal<Option<Failure>>,
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
                    failure.try_set(Some(Failure::of(&error)));
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
        failure.set(None);
        if digits(&code.get_untracked()).len() == 6 {
            send();
        }
    };
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if digits(&code.get_untracked()).len() == 6 {
            send();
        } else {
            failure.set(Some(Failure::Field(t::sign_in::six_digits())));
            focus(field);
        }
    };
    let again = move |_| {
        failure.set(None);
        challenge.set(None);
    };
    let demo_code = sent.demo_code;
    let offered = demo_code.clone();
    let offer = move || offered.as_deref().map_or_else(Markup::default, sample_code);
    let fill = move |_: &str| {
        code.set(demo_code.clone().unwrap_or_default());
        send();
    };
    let unknown = move || {
        markup! {
            div role="alert" {
                @if is_new.get() {
                    (notice(Tone::Warm, "info", &t::sign_in::not_a_member(), &markup! { p { (t::sign_in::not_a_member_help()) } }))
                }
            }
        }
    };
    view! {
        <PageHeading title=t::sign_in::code_title() />
        <p class="muted">{t::sign_in::code_help(&address.get_untracked())}</p>
        {live_with(offer, fill)}
        {live(unknown)}
        <form class="signin__form" novalidate on:submit=on_submit>
            <FormFailure failure />
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
                    aria-invalid=is_at_field(failure)
                    aria-describedby="code-error"
                    prop:value=code
                    on:input=on_type
                />
                <FieldFailure id="code-error" failure />
            </div>
            <button class="button" data-variant="main" aria-busy=Signal::derive(move || if is_busy.get() { "true" } else { "false" }) disabled=is_busy>
                {t::sign_in::sign_in()}
            </button>
            <button type="button" class="button" data-variant="plain" on:click=again>{t::sign_in::other_address()}</button>
        </form>
    }
}

/// The sample's code, which no mail brings.
fn sample_code(code: &str) -> Markup {
    let spaced = [code.get(..3), code.get(3..)].map(Option::unwrap_or_default).join(" ");
    markup! {
        div.notice data-tone="info" {
            (icon("info"))
            div.notice__text {
                b { (t::app::demo()) }
                p { (t::sign_in::demo_code()) " " bdi.num { (spaced) } }
            }
            div.notice__actions {
                button.button type="button" data-variant="quiet" data-action="fill" { (t::sign_in::use_code()) }
            }
        }
    }
}

#[component]
fn FieldFailure(id: &'static str, failure: RwSignal<Option<Failure>>) -> impl IntoView {
    let text = move || match failure.get() {
        Some(Failure::Field(text)) => markup! { (icon("alert")) span { (text) } },
        _ => Markup::default(),
    };
    view! { <p class="field__error" id=id aria-live="polite">{live(text)}</p> }
}

#[component]
fn FormFailure(failure: RwSignal<Option<Failure>>) -> impl IntoView {
    let text = move || match failure.get() {
        Some(Failure::Form { title, help }) => notice(Tone::Error, "alert", &title, &markup! { p { (help) } }),
        _ => Markup::default(),
    };
    view! { <div role="alert">{live(text)}</div> }
}

fn is_at_field(failure: RwSignal<Option<Failure>>) -> Signal<&'static str> {
    Signal::derive(move || {
        if matches!(failure.get(), Some(Failure::Field(_))) {
            "true"
        } else {
            "false"
        }
    })
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
