//! Joining: a name, then one screen of plain terms. The address was proved before.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::members::{Consents, NewMember};
use loyalty_contract::programme::Programme;
use loyalty_contract::{Problem, ProblemCode};
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::browser::document;
use crate::components::form::{Fault, Typed, beside, text_field};
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::intl::{self, t};
use crate::pages::home::rule;
use crate::pages::reward::conditions;
use crate::pages::sign_in::{SignedInHere, Way, use_form};
use crate::pages::you::messages::{PURPOSES, channel_of, has, purpose_switch, toggle};
use crate::state::use_programme;

/// Going back to the address.
const AGAIN: &str = "again";
const NAME: &str = "name";
const SEND_NAME: &str = "send-name";
const BACK_TO_NAME: &str = "back-to-name";
const JOIN: &str = "join";

/// What a link to join brought: where one joins, and who sent one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invitation {
    is_to_join: bool,
    store: Option<String>,
    referral_code: Option<String>,
}

impl Invitation {
    /// Reads `/join?store=main&ref=ABC`.
    pub fn from_address() -> Self {
        let said = |name: &str| document::query().and_then(|query| query.get(name));
        let is_visible = |code: &String| {
            (1..=64).contains(&code.chars().count()) && !code.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        Self {
            is_to_join: document::path().trim_end_matches('/') == crate::routes::Route::Join.path(),
            store: said("store"),
            referral_code: said("ref").filter(is_visible),
        }
    }

    /// Whether nothing was brought, not even the wish to join.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The store, if the programme has it.
    fn store_in(&self, programme: &Programme) -> Option<String> {
        let store = self.store.as_ref()?;
        programme
            .stores
            .iter()
            .any(|known| known.id == *store)
            .then(|| store.clone())
    }

    /// Where one joins and who sent one, in words.
    pub fn place(&self, programme: &Programme) -> Markup {
        let id = self.store_in(programme);
        let store = programme.stores.iter().find(|store| Some(&store.id) == id.as_ref());
        html! {
            @if store.is_some() || self.referral_code.is_some() {
                ul.signin__brought {
                    @if let Some(store) = store { li.badge { (icon("pin")) (t::join::at_store(&store.name)) } }
                    @if self.referral_code.is_some() { li.badge { (icon("heart")) (t::join::invited()) } }
                }
            }
        }
    }
}

/// What somebody who is new has said so far.
#[derive(Clone, Default)]
pub struct Joining {
    enrolment_token: String,
    name: String,
    consents: Consents,
    /// Whether the name is said, and the terms are shown.
    is_at_terms: bool,
    fault: Option<Fault>,
    is_busy: bool,
}

impl Joining {
    /// Begins, with what the proved address gave.
    pub fn new(enrolment_token: String) -> Self {
        document::focus_field(NAME);
        Self {
            enrolment_token,
            ..Self::default()
        }
    }
}

/// The two steps of joining.
#[component]
pub fn JoinPage() -> impl IntoView {
    let programme = use_programme();
    let form = use_form();
    let signed_in = SignedInHere::of(form);
    let is_at_terms = move || form.joining.read().as_ref().is_some_and(|joining| joining.is_at_terms);
    let title = Signal::derive(move || {
        if is_at_terms() {
            t::join::terms_title()
        } else {
            t::join::name_title()
        }
    });
    let content = {
        let programme = programme.clone();
        move || {
            let address = &form.proving.read().address;
            match &*form.joining.read() {
                Some(joining) if joining.is_at_terms => terms_step(joining, address, &programme),
                Some(joining) => html! { (form.invitation.read().place(&programme)) (name_step(joining, address)) },
                None => Markup::default(),
            }
        }
    };
    let doing = move |action: &str, value: String| {
        if action == AGAIN {
            form.begin_again(None);
            return;
        }
        let invitation = form.invitation.get_untracked();
        let proved = Proved {
            address: form.proving.read_untracked().address.clone(),
            remember: form.remember.get_untracked(),
            store: invitation.store_in(&programme),
            referral_code: invitation.referral_code,
            terms: programme.terms.version,
        };
        act(form.joining, action, value, proved, signed_in);
    };
    view! { <Way title content=live_with(content, doing) /> }
}

/// What was settled before the name is asked.
struct Proved {
    address: String,
    remember: bool,
    store: Option<String>,
    referral_code: Option<String>,
    /// The version of the terms that is shown.
    terms: u32,
}

/// Does what somebody did in one of the two steps.
fn act(joining: RwSignal<Option<Joining>>, action: &str, value: String, proved: Proved, signed_in: SignedInHere) {
    let change = |change: &dyn Fn(&mut Joining)| {
        joining.update(|joining| {
            if let Some(joining) = joining {
                change(joining);
            }
        });
    };
    match action {
        NAME => {
            if let Some(joining) = &mut *joining.write_untracked() {
                joining.name = value;
            }
            if joining.with_untracked(|joining| joining.as_ref().is_some_and(|joining| joining.fault.is_some())) {
                change(&|joining| joining.fault = None);
            }
        }
        SEND_NAME => {
            let is_said = joining
                .with_untracked(|joining| joining.as_ref().is_some_and(|joining| !joining.name.trim().is_empty()));
            change(&|joining| {
                joining.fault = (!is_said).then(|| Fault::Field(t::join::name_missing()));
                joining.is_at_terms = is_said;
            });
            if !is_said {
                document::focus_field(NAME);
            }
        }
        BACK_TO_NAME => change(&|joining| joining.is_at_terms = false),
        JOIN => join(joining, proved, signed_in),
        // A switch shows by itself that it was turned.
        purpose => {
            if let Some(joining) = &mut *joining.write_untracked() {
                toggle(&mut joining.consents, purpose, channel_of(&proved.address));
            }
        }
    }
}

fn join(joining: RwSignal<Option<Joining>>, proved: Proved, signed_in: SignedInHere) {
    let new = match &mut *joining.write() {
        Some(joining) if !joining.is_busy => {
            joining.is_busy = true;
            joining.fault = None;
            NewMember {
                enrolment_token: joining.enrolment_token.clone(),
                name: joining.name.trim().to_owned(),
                language: intl::language(),
                accepted_terms_version: proved.terms,
                consents: joining.consents.clone(),
                birthday: None,
                store: proved.store,
                referral_code: proved.referral_code,
                remember: proved.remember,
            }
        }
        _ => return,
    };
    spawn_local(async move {
        let Err(error) = api::auth::create_member(&new).await else {
            signed_in.enter(true);
            return;
        };
        match error.code() {
            Some(ProblemCode::EnrolmentExpired) => signed_in.begin_again(Fault::Field(t::join::took_too_long())),
            Some(ProblemCode::AlreadyMember) => signed_in.begin_again(Fault::Field(t::join::already())),
            _ => joining.update(|joining| {
                if let Some(joining) = joining {
                    let is_name = matches!(&error, ApiError::Refused(problem) if is_about_name(problem));
                    joining.is_busy = false;
                    joining.is_at_terms = !is_name;
                    joining.fault = Some(if is_name {
                        Fault::Field(t::join::name_wrong())
                    } else {
                        Fault::of(&error)
                    });
                }
            }),
        }
    });
}

fn is_about_name(problem: &Problem) -> bool {
    problem.errors.iter().any(|error| error.pointer == "/name")
}

/// What somebody wants to be called.
fn name_step(joining: &Joining, address: &str) -> Markup {
    let fault = joining.fault.as_ref();
    html! {
        p.muted { (t::join::name_help(address)) }
        form.signin__form novalidate data-action=(SEND_NAME) {
            (beside(fault))
            (text_field(NAME, &t::join::name(), &joining.name, &Typed::NAME, fault))
            button.button data-variant="main" { (t::join::go_on()) }
            button.button type="button" data-variant="plain" data-action=(AGAIN) { (t::sign_in::other_address()) }
        }
    }
}

/// What one joins: the rule, every term, and what one wants to be written to about, which is nothing unless turned on.
fn terms_step(joining: &Joining, address: &str, programme: &Programme) -> Markup {
    html! {
        p { b { (rule(programme)) } }
        (conditions(&programme.terms.items))
        section.card {
            div { h2 { (t::join::write_to_you()) } p.muted { (t::join::all_off()) } }
            div.list {
                @for purpose in PURPOSES {
                    (purpose_switch(purpose, purpose, has(&joining.consents, purpose, channel_of(address))))
                }
            }
        }
        form.signin__form data-action=(JOIN) {
            (beside(joining.fault.as_ref()))
            button.button data-variant="main" aria-busy=(joining.is_busy) { (t::join::agree(&programme.name)) }
            button.button type="button" data-variant="plain" data-action=(BACK_TO_NAME) { (t::app::back()) }
        }
    }
}
