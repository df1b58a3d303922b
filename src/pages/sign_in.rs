//! Signing in: an address, then the code that was sent to it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::ProblemCode;
use loyalty_contract::auth::{Challenge, SignedIn};
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::browser::document;
use crate::components::failure::{Tone, explain, notice};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::nav::brand;
use crate::components::page_heading::PageHeading;
use crate::data::{Remembered, use_remembered};
use crate::intl::{digits, t};
use crate::pages::home::rule;
use crate::pages::you::languages;
use crate::routes::{Router, use_router};
use crate::state::{Session, use_preferences, use_programme, use_session};

const ADDRESS: &str = "address";
const CODE: &str = "code";
const SEND_ADDRESS: &str = "send-address";
const SEND_CODE: &str = "send-code";
const FILL: &str = "fill";

/// What was typed so far, and what came of it.
#[derive(Clone, Default)]
struct Form {
    address: String,
    code: String,
    /// The code that was sent, once it was.
    sent: Option<Challenge>,
    failure: Option<Failure>,
    /// The address is proved, and nobody is a member with it.
    is_unknown: bool,
    /// An answer is on its way; what is sent now would be sent twice.
    is_busy: bool,
}

/// The form outlives a change of language in the middle of it. Provided once.
#[derive(Clone, Copy)]
struct SignInForm(RwSignal<Form>);

/// Provides what is typed while signing in.
pub fn provide_form() {
    provide_context(SignInForm(RwSignal::new(Form::default())));
}

/// What changes when somebody has signed in.
#[derive(Clone, Copy)]
struct SignedInHere {
    session: Session,
    remembered: Remembered,
    router: Router,
}

/// What went wrong: at the field, or beside the form.
#[derive(Clone)]
enum Failure {
    Field(String),
    Form { title: String, help: String },
}

/// The two steps, and what went wrong in them.
#[component]
pub fn SignInPage() -> impl IntoView {
    let programme = use_programme();
    let form = expect_context::<SignInForm>().0;
    let preferences = use_preferences();
    let signed_in = SignedInHere {
        session: use_session(),
        remembered: use_remembered(),
        router: use_router(),
    };
    let is_demo = programme.demo;
    let panel = move || html! { span.brand { (brand(&programme)) } p.signin__promise { (rule(&programme)) } };
    let title = Signal::derive(move || match form.read().sent {
        Some(_) => t::sign_in::code_title(),
        None => t::sign_in::welcome(),
    });
    let content = move || {
        let form = form.read();
        match &form.sent {
            None => address_step(&form, is_demo),
            Some(sent) => code_step(&form, sent),
        }
    };
    let act = move |action: &str, value: String| match action {
        ADDRESS => typed(form, |form| form.address = value),
        CODE => {
            typed(form, |form| form.code = value);
            if digits(&form.read_untracked().code).len() == CODE_LENGTH {
                spawn_local(send_code(form, signed_in));
            }
        }
        SEND_ADDRESS => spawn_local(send_address(form)),
        SEND_CODE => spawn_local(send_code(form, signed_in)),
        FILL => {
            form.update(|form| {
                form.code = form
                    .sent
                    .as_ref()
                    .and_then(|sent| sent.demo_code.clone())
                    .unwrap_or_default()
            });
            spawn_local(send_code(form, signed_in));
        }
        _ => form.update(|form| {
            *form = Form {
                address: form.address.clone(),
                ..Form::default()
            }
        }),
    };
    view! {
        <main class="signin" id="main">
            <section class="signin__panel">{live(panel)}</section>
            <div class="signin__body">
                <PageHeading title />
                {live_with(content, act)}
                {live_with(languages, move |_, language| preferences.set_language(&language))}
            </div>
        </main>
    }
}

/// Takes what is typed. The form is written anew only to take back what was said of the last try.
fn typed(form: RwSignal<Form>, take: impl FnOnce(&mut Form)) {
    take(&mut form.write_untracked());
    if form.read_untracked().failure.is_some() {
        form.update(|form| form.failure = None);
    }
}

/// How many digits a code has.
const CODE_LENGTH: usize = 6;

async fn send_address(form: RwSignal<Form>) {
    let address = form.read_untracked().address.trim().to_owned();
    if !looks_like_an_address(&address) {
        fail(form, Failure::Field(t::sign_in::address_wrong()));
    } else if start(form) {
        match api::auth::create_challenge(&address).await {
            Ok(sent) => {
                form.update(|form| {
                    *form = Form {
                        address,
                        sent: Some(sent),
                        ..Form::default()
                    }
                });
                document::focus_field(CODE);
            }
            Err(error) => fail(form, failure(&error)),
        }
    }
}

async fn send_code(form: RwSignal<Form>, signed_in: SignedInHere) {
    let code = digits(&form.read_untracked().code);
    let Some(id) = form
        .read_untracked()
        .sent
        .as_ref()
        .map(|sent| sent.challenge_id.clone())
    else {
        return;
    };
    if code.len() != CODE_LENGTH {
        fail(form, Failure::Field(t::sign_in::six_digits()));
    } else if start(form) {
        let answer = api::auth::create_session(&id, &code).await;
        if form
            .read_untracked()
            .sent
            .as_ref()
            .is_none_or(|sent| sent.challenge_id != id)
        {
            // Another address was chosen meanwhile; what became of this one is of no matter any more.
            return;
        }
        match answer {
            Ok(SignedIn::Member) => {
                form.update(|form| *form = Form::default());
                signed_in.router.arrive();
                signed_in.session.started();
                signed_in.remembered.refresh();
            }
            Ok(SignedIn::New { .. }) => form.update(|form| {
                form.is_busy = false;
                form.is_unknown = true;
            }),
            Err(error) => {
                if error.code() == Some(ProblemCode::ChallengeExpired) {
                    form.update(|form| form.sent = None);
                }
                fail(form, failure(&error));
            }
        }
    }
}

/// Marks that an answer is on its way, unless one is: a sixth digit and a tap on the button may come together.
fn start(form: RwSignal<Form>) -> bool {
    let was_busy = form.read_untracked().is_busy;
    if !was_busy {
        form.update(|form| {
            form.is_busy = true;
            form.failure = None;
        });
    }
    !was_busy
}

fn fail(form: RwSignal<Form>, failure: Failure) {
    form.update(|form| {
        form.is_busy = false;
        form.failure = Some(failure);
    });
    document::focus_field(if form.read_untracked().sent.is_some() {
        CODE
    } else {
        ADDRESS
    });
}

fn failure(error: &ApiError) -> Failure {
    match error.code() {
        Some(ProblemCode::CodeWrong) => Failure::Field(t::sign_in::code_wrong()),
        Some(ProblemCode::InvalidFields) => Failure::Field(t::sign_in::address_wrong()),
        Some(ProblemCode::ChannelUnavailable) => Failure::Field(t::sign_in::channel_unavailable()),
        Some(ProblemCode::ChallengeExpired) => Failure::Field(t::sign_in::challenge_expired()),
        _ => {
            let (title, help) = explain(error);
            Failure::Form { title, help }
        }
    }
}

fn address_step(form: &Form, is_demo: bool) -> Markup {
    html! {
        p.muted { (t::sign_in::address_help()) }
        form.signin__form novalidate data-action=(SEND_ADDRESS) {
            (beside(form))
            div.field {
                label.field__label for=(ADDRESS) { (t::sign_in::address()) }
                input.field__input id=(ADDRESS) type="email" inputmode="email" autocomplete="email" maxlength="254"
                    dir="ltr" value=(form.address) data-action=(ADDRESS) aria-describedby="field-error"
                    aria-invalid=(is_at_field(form));
                (at_field(form))
            }
            button.button data-variant="main" aria-busy=(form.is_busy) { (t::sign_in::send_code()) }
        }
        @if is_demo {
            (notice(Tone::Info, "info", &t::app::demo(), &html! { p { (t::sign_in::demo_address()) } }))
        }
    }
}

fn code_step(form: &Form, sent: &Challenge) -> Markup {
    html! {
        @match &sent.demo_code {
            Some(code) => (sample_code(&form.address, code)),
            None => p.muted { (t::sign_in::code_help(&form.address)) },
        }
        div role="alert" {
            @if form.is_unknown {
                (notice(Tone::Warm, "info", &t::sign_in::not_a_member(), &html! { p { (t::sign_in::not_a_member_help()) } }))
            }
        }
        form.signin__form novalidate data-action=(SEND_CODE) {
            (beside(form))
            div.field {
                label.field__label for=(CODE) { (t::sign_in::code()) }
                input.code-input id=(CODE) inputmode="numeric" autocomplete="one-time-code" maxlength="8" dir="ltr"
                    value=(form.code) data-action=(CODE) aria-describedby="field-error" aria-invalid=(is_at_field(form));
                (at_field(form))
            }
            button.button data-variant="main" aria-busy=(form.is_busy) { (t::sign_in::sign_in()) }
            button.button type="button" data-variant="plain" data-action="other-address" {
                (t::sign_in::other_address())
            }
        }
    }
}

/// The sample's code, which no mail brings.
fn sample_code(address: &str, code: &str) -> Markup {
    let spaced = [code.get(..3), code.get(3..)].map(Option::unwrap_or_default).join(" ");
    html! {
        div.notice data-tone="info" {
            (icon("info"))
            div.notice__text {
                b { (t::app::demo()) }
                p { (t::sign_in::demo_code(address)) " " bdi.num { (spaced) } }
            }
            div.notice__actions {
                button.button type="button" data-variant="quiet" data-action=(FILL) { (t::sign_in::use_code()) }
            }
        }
    }
}

/// What went wrong with the whole form.
fn beside(form: &Form) -> Markup {
    html! {
        div role="alert" {
            @if let Some(Failure::Form { title, help }) = &form.failure {
                (notice(Tone::Error, "alert", title, &html! { p { (help) } }))
            }
        }
    }
}

/// What is wrong with what the field says.
fn at_field(form: &Form) -> Markup {
    html! {
        p.field__error id="field-error" aria-live="polite" {
            @if let Some(Failure::Field(text)) = &form.failure { (icon("alert")) span { (text) } }
        }
    }
}

fn is_at_field(form: &Form) -> bool {
    matches!(form.failure, Some(Failure::Field(_)))
}

/// Enough to spare a question to the server; the server decides.
fn looks_like_an_address(typed: &str) -> bool {
    typed
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}
