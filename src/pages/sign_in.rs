//! Signing in: an address, then the code that was sent to it. Who is new goes on to joining.

use leptos::prelude::*;
use loyalty_contract::auth::{Purpose, SignedIn};
use maud::{Markup, html};

use crate::api;
use crate::browser;
use crate::components::failure::{Tone, notice};
use crate::components::form::{Fault, switch};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::nav::brand;
use crate::components::page_heading::PageHeading;
use crate::data::{Remembered, use_remembered};
use crate::intl::t;
use crate::pages::home::rule;
use crate::pages::join::{Invitation, Joining};
use crate::pages::proof::{Proof, Proving, Then, address_step, code_step};
use crate::pages::you::languages;
use crate::routes::{Route, Router, use_router};
use crate::state::{Session, use_preferences, use_programme, use_session};

const REMEMBER: &str = "remember";

/// What was typed and chosen while nobody is signed in. It outlives a change of language in the middle of it.
#[derive(Clone, Copy)]
pub struct SignInForm {
    /// The address, and the code that was sent to it.
    pub proving: RwSignal<Proving>,
    /// Somebody who is new, once their address is proved.
    pub joining: RwSignal<Option<Joining>>,
    /// Whether this is one's own phone.
    pub remember: RwSignal<bool>,
    /// What the link that led here brought.
    pub invitation: RwSignal<Invitation>,
    /// Somebody has just left for good.
    has_left: RwSignal<bool>,
    /// Somebody has just joined, and is greeted until they go on.
    has_joined: RwSignal<bool>,
}

/// Provides what is typed while signing in. Called once.
pub fn provide_form() {
    provide_context(SignInForm {
        proving: RwSignal::default(),
        joining: RwSignal::default(),
        remember: RwSignal::new(true),
        invitation: RwSignal::new(Invitation::from_address()),
        has_left: RwSignal::default(),
        has_joined: RwSignal::default(),
    });
}

/// What [`provide_form`] made.
pub fn use_form() -> SignInForm {
    expect_context()
}

impl SignInForm {
    /// Says goodbye to somebody who has just left, once nobody is signed in.
    pub fn say_goodbye(&self) {
        self.has_left.set(true);
    }

    /// Whether somebody has just joined; follows every change.
    pub fn has_joined(&self) -> bool {
        self.has_joined.get()
    }

    /// Ends the greeting.
    pub fn forget_greeting(&self) {
        if self.has_joined.try_get_untracked() == Some(true) {
            self.has_joined.set(false);
        }
    }

    /// Whether somebody who is new has proved their address, so that it is about joining now; follows every change.
    pub fn is_joining(&self) -> bool {
        self.joining.read().is_some()
    }

    fn step(&self) -> Step {
        match &*self.proving.read() {
            _ if self.has_left.get() => Step::Left,
            proving if proving.sent.is_some() => Step::Code,
            _ => Step::Address,
        }
    }

    /// Begins again with the same address.
    pub fn begin_again(&self, fault: Option<Fault>) {
        self.joining.set(None);
        self.proving.update(|form| *form = form.again(fault));
    }
}

/// The screens of signing in. Each has a heading of its own, which takes the focus.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Address,
    Code,
    Left,
}

/// What changes when somebody has signed in.
#[derive(Clone, Copy)]
pub struct SignedInHere {
    session: Session,
    remembered: Remembered,
    router: Router,
    form: SignInForm,
}

impl SignedInHere {
    /// What belongs to this wallet.
    pub fn of(form: SignInForm) -> Self {
        Self {
            session: use_session(),
            remembered: use_remembered(),
            router: use_router(),
            form,
        }
    }

    /// Opens the wallet, and forgets what was typed on the way; somebody who is new is greeted.
    pub fn enter(&self, is_new: bool) {
        self.form.joining.set(None);
        self.form.proving.set(Proving::default());
        self.form.has_joined.set(is_new);
        self.form.invitation.set(Invitation::default());
        self.session.started();
        self.remembered.refresh();
        if is_new || self.router.route_untracked() == Route::Join {
            self.router.replace(&Route::Home);
        } else {
            self.router.arrive();
        }
    }

    /// The address has to be proved anew.
    pub fn begin_again(&self, fault: Fault) {
        self.form.begin_again(Some(fault));
    }
}

/// The steps, and what went wrong in them.
#[component]
pub fn SignInPage() -> impl IntoView {
    let programme = use_programme();
    let form = use_form();
    let signed_in = SignedInHere::of(form);
    let step = Memo::new(move |_| form.step());
    let shop = programme.name.clone();
    let title = Signal::derive(move || match step.get() {
        Step::Address if form.invitation.read().is_empty() => t::sign_in::welcome(),
        Step::Address => t::join::title(&shop),
        Step::Code => t::sign_in::code_title(),
        Step::Left => t::leave::done(),
    });
    let proof = Proof::new(form.proving, Purpose::SignIn, move |answer| async move {
        let remember = form.remember.get_untracked();
        let done = api::auth::create_session(answer, remember).await?;
        let then: Then = Box::new(move || match done {
            SignedIn::Member => signed_in.enter(false),
            SignedIn::New { enrolment_token } => {
                signed_in.router.arrive();
                form.joining.set(Some(Joining::new(enrolment_token)));
            }
        });
        Ok(then)
    });
    let content = move || {
        let proving = form.proving.read();
        match &proving.sent {
            _ if form.has_left.get() => goodbye(),
            None => html! {
                (form.invitation.read().place(&programme))
                (first_step(&proving, form.remember.get_untracked(), programme.demo))
            },
            Some(sent) => code_step(&proving, sent, &t::sign_in::sign_in(), &t::sign_in::other_address()),
        }
    };
    let act = move |action: &str, value: String| match action {
        REMEMBER => {
            let remember = &mut *form.remember.write_untracked();
            *remember = !*remember;
        }
        "start" => form.has_left.set(false),
        _ => proof.act(action, value),
    };
    view! { <main class="signin" id="main"><Way title content=live_with(content, act) /></main> }
}

/// What every screen on the way in has: the shop with its promise, a heading, and the choice of language.
#[component]
pub fn Way(
    /// What the heading says; another heading takes the focus.
    title: Signal<String>,
    /// What is asked.
    content: AnyView,
) -> impl IntoView {
    let programme = use_programme();
    let preferences = use_preferences();
    on_cleanup(move || preferences.forget_refusal());
    let panel = move || html! { span.brand { (brand(&programme)) } p.signin__promise { (rule(&programme)) } };
    let heading = Memo::new(move |_| title.get());
    view! {
        <section class="signin__panel">{live(panel)}</section>
        <div class="signin__body">
            {move || {
                // Read, not only followed: what nobody reads is never reckoned, and so never changes.
                heading.with(|_| browser::scroll_up());
                view! { <PageHeading title /> }
            }}
            {content}
            {live_with(move || languages(preferences), move |_, language| preferences.set_language(&language))}
        </div>
    }
}

fn first_step(form: &Proving, remember: bool, is_demo: bool) -> Markup {
    let own_phone = switch(
        REMEMBER,
        &t::sign_in::remember(),
        &t::sign_in::remember_help(),
        remember,
    );
    html! {
        p.muted { (t::sign_in::address_help()) }
        (address_step(form, &t::sign_in::address(), &own_phone))
        @if is_demo {
            (notice(Tone::Info, "info", &t::app::demo(), &html! { p { (t::sign_in::demo_address()) } }))
        }
    }
}

/// What is left to say to somebody who has left.
fn goodbye() -> Markup {
    html! {
        div.tick { (icon("check")) p { (t::leave::done_help()) } }
        button.button data-variant="main" type="button" data-action="start" { (t::leave::to_the_start()) }
    }
}
