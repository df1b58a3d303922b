//! A purchase that was missed at the till: asking for its points with what stands on the receipt.

use chrono::NaiveDate;
use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::claims::{Claim, ClaimReason, ClaimState, NewClaim};
use loyalty_contract::programme::{Programme, Store};
use loyalty_contract::status::MemberState;
use loyalty_contract::{Money, ProblemCode};
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::browser::{document, random};
use crate::components::failure::{Tone, load_failed, notice};
use crate::components::form::{Fault, Typed, beside, text_field};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::page_heading::BackBar;
use crate::data::{Load, Remembered, Source, use_remembered};
use crate::intl::{self, t};
use crate::pages::home::{contact_links, paused_card};
use crate::routes::Route;
use crate::state::{Session, use_connectivity, use_programme, use_session, watch};

const STORE: &str = "store";
const RECEIPT: &str = "receipt";
const TOTAL: &str = "total";
const DAY: &str = "bought_on";
const SEND: &str = "send";

/// What stands on the receipt, as somebody types it.
#[derive(Clone)]
struct Form {
    store: String,
    receipt: String,
    total: String,
    day: String,
    /// Sent with each try, so that a lost answer makes no second claim; another receipt is another claim.
    key: String,
    /// What is wrong, and with which field; with none, the whole.
    fault: Option<(&'static str, Fault)>,
    is_busy: bool,
    /// What came of the claim that was sent last.
    done: Option<Claim>,
}

impl Form {
    fn at(store: String, today: NaiveDate) -> Self {
        Self {
            store,
            receipt: String::new(),
            total: String::new(),
            day: today.to_string(),
            key: random::key(),
            fault: None,
            is_busy: false,
            done: None,
        }
    }

    /// What is sent, or the first field that is wrong.
    fn read(&self, programme: &Programme, today: NaiveDate) -> Result<NewClaim, (&'static str, String)> {
        let receipt = self.receipt.trim();
        if receipt.is_empty() {
            return Err((RECEIPT, t::claim::no_receipt()));
        }
        let total = intl::parse_money(&self.total, Money::new(0, programme.currency))
            .filter(|total| total.minor > 0)
            .ok_or_else(|| {
                (
                    TOTAL,
                    t::convert::not_an_amount(&intl::example_money(programme.currency)),
                )
            })?;
        let bought_on = intl::parse_day(&self.day)
            .filter(|day| (0..=i64::from(programme.return_window_days)).contains(&(today - *day).num_days()))
            .ok_or_else(|| (DAY, wrong_day(programme)))?;
        Ok(NewClaim {
            store: self.store.clone(),
            receipt: receipt.to_owned(),
            total,
            bought_on,
        })
    }
}

fn wrong_day(programme: &Programme) -> String {
    t::claim::wrong_day(i64::from(programme.return_window_days))
}

/// The form, what came of it, and what was claimed before.
#[component]
pub fn ClaimPage() -> impl IntoView {
    let remembered = use_remembered();
    remembered.status.want();
    let programme = use_programme();
    let session = use_session();
    let today = intl::today();
    let store = programme
        .stores
        .first()
        .map(|store| store.id.clone())
        .unwrap_or_default();
    let form = RwSignal::new(Form::at(store, today));
    let connectivity = use_connectivity();
    let claims = Source::new(session, api::claims::list_claims);
    claims.want();
    // A till that tells of a purchase late moves the balance, and then the claim is answered.
    watch(move || {
        remembered.status.get();
        let is_waiting = claims
            .value_untracked()
            .is_some_and(|claims| claims.iter().any(is_waiting));
        if is_waiting {
            claims.refresh();
        }
    });

    let is_paused = Memo::new(move |_| {
        let status = remembered.status.value();
        status.is_some_and(|status| status.member.state == MemberState::Paused)
    });
    let content = {
        let programme = programme.clone();
        move || {
            if is_paused.get() {
                return paused_card(&programme.contact);
            }
            let form = form.read();
            html! {
                @if let Some(claim) = form.done.as_ref().map(|claim| latest(claim, &claims)) {
                    div id=(DONE) tabindex="-1" role="status" { (answer(&claim, &programme)) }
                }
                (fields(&form, &programme))
            }
        }
    };
    let act = {
        let programme = programme.clone();
        move |action: &str, value: String| match action {
            SEND => send(
                form,
                &programme,
                today,
                Sent {
                    session,
                    remembered,
                    claims,
                    trouble: connectivity.trouble_untracked(),
                },
            ),
            field => typed(form, field, value),
        }
    };
    let earlier = move || match claims.get() {
        Load::Ready(claims) | Load::Stale(claims, _) if claims.is_empty() => Markup::default(),
        Load::Ready(claims) | Load::Stale(claims, _) => list(&claims, &programme.stores),
        Load::Failed(error) => load_failed(&error),
        Load::Loading => Markup::default(),
    };
    view! {
        <BackBar title=t::claim::title() to=Route::Activity />
        {live(move || html! { p.muted { (t::claim::help()) } })}
        {live_with(content, act)}
        {live_with(earlier, move |_, _| claims.refresh())}
    }
}

/// Takes what is typed. The form is written anew only to take back what was said of the last try.
fn typed(form: RwSignal<Form>, field: &str, value: String) {
    let was_said = {
        let mut form = form.write_untracked();
        let place = match field {
            STORE => &mut form.store,
            RECEIPT => &mut form.receipt,
            TOTAL => &mut form.total,
            _ => &mut form.day,
        };
        *place = value;
        form.key = random::key();
        form.fault.is_some() || form.done.is_some()
    };
    if was_said {
        form.update(|form| {
            form.fault = None;
            form.done = None;
        });
    }
}

/// What changes when a claim was answered.
struct Sent {
    session: Session,
    remembered: Remembered,
    claims: Source<Vec<Claim>>,
    /// Why nothing can be sent now.
    trouble: Option<ApiError>,
}

fn send(form: RwSignal<Form>, programme: &Programme, today: NaiveDate, sent: Sent) {
    if form.read_untracked().is_busy {
        return;
    }
    let now = form.get_untracked();
    let claim = match now.read(programme, today) {
        Ok(claim) => claim,
        Err((field, text)) => {
            form.update(|form| form.fault = Some((field, Fault::Field(text))));
            document::focus_field(field);
            return;
        }
    };
    let wrong_day = wrong_day(programme);
    // Whoever taps again is believed: what is sent twice is claimed once.
    if let Some(error) = sent.trouble.filter(|_| now.fault.is_none()) {
        form.update(|form| form.fault = Some(fault(&error, wrong_day)));
        return sent.remembered.status.refresh();
    }
    form.update(|form| {
        form.is_busy = true;
        form.fault = None;
        form.done = None;
    });
    spawn_local(async move {
        let answer = api::claims::create_claim(&now.key, &claim).await;
        let (at, is_over) = match answer {
            Ok(claim) => {
                form.try_update(|form| {
                    *form = Form {
                        done: Some(claim),
                        ..Form::at(form.store.clone(), today)
                    }
                });
                sent.remembered.status.refresh();
                sent.remembered.ledger.forget();
                sent.claims.refresh();
                (DONE, false)
            }
            Err(error) => {
                let (field, fault) = fault(&error, wrong_day);
                form.try_update(|form| {
                    form.is_busy = false;
                    form.fault = Some((field, fault));
                    // What was refused is answered alike for ever; whoever tries again asks anew.
                    if error.code().is_some() {
                        form.key = random::key();
                    }
                });
                (field, error == ApiError::SignedOut)
            }
        };
        if is_over {
            sent.session.ended();
        } else if !at.is_empty() {
            document::focus_field(at);
        }
    });
}

/// What the server said against it, and at which field.
fn fault(error: &ApiError, wrong_day: String) -> (&'static str, Fault) {
    let form = |title, help| ("", Fault::Form { title, help });
    match error {
        ApiError::Refused(problem) => match problem.code {
            ProblemCode::ClaimMismatch => form(t::claim::mismatch(), t::claim::mismatch_help()),
            ProblemCode::AlreadyCounted => form(t::claim::counted(), t::claim::counted_help()),
            ProblemCode::MemberPaused => form(t::paused::title(), t::paused::text()),
            ProblemCode::InvalidFields => match problem.errors.first().map(|error| error.pointer.as_str()) {
                Some("/bought_on") => (DAY, Fault::Field(wrong_day)),
                Some("/receipt") => (RECEIPT, Fault::Field(t::claim::no_receipt())),
                _ => ("", Fault::of(error)),
            },
            _ => ("", Fault::of(error)),
        },
        error => ("", Fault::of(error)),
    }
}

/// What takes the focus when a claim was answered.
const DONE: &str = "claim-done";

fn fields(form: &Form, programme: &Programme) -> Markup {
    let fault = |field: &str| match &form.fault {
        Some((at, fault)) if *at == field => Some(fault),
        _ => None,
    };
    html! {
        form.form novalidate data-action=(SEND) {
            (beside(fault("")))
            div.field {
                label.field__label for=(STORE) { (t::claim::store()) }
                div.select-field data-width="full" {
                    select id=(STORE) data-action=(STORE) {
                        @for store in &programme.stores {
                            option value=(store.id) selected[store.id == form.store] { (store.name) }
                        }
                    }
                    (icon("chevron"))
                }
            }
            (text_field(RECEIPT, &t::claim::receipt(), &form.receipt, &Typed::RECEIPT, fault(RECEIPT)))
            (text_field(TOTAL, &t::claim::total(programme.currency.code()), &form.total, &Typed::SUM, fault(TOTAL)))
            (text_field(DAY, &t::claim::day(), &form.day, &Typed::DAY, fault(DAY)))
            button.button data-variant="main" aria-busy=(form.is_busy) { (t::claim::send()) }
        }
    }
}

/// What came of the claim, and what follows.
fn answer(claim: &Claim, programme: &Programme) -> Markup {
    match claim.state {
        ClaimState::Accepted => {
            let points = claim.points.map(intl::points).unwrap_or_default();
            let text = html! {
                p { (t::claim::accepted_help()) }
                p { a.link href=(Route::Activity.path()) { (t::claim::see()) } }
            };
            notice(Tone::Success, "check", &t::claim::accepted(&points), &text)
        }
        ClaimState::Waiting | ClaimState::Unknown => notice(
            Tone::Info,
            "clock",
            &t::claim::waiting(),
            &html! { p { (t::claim::waiting_help()) } },
        ),
        ClaimState::Rejected => {
            let text = html! { p { (why(claim)) } (contact_links(&programme.contact)) };
            notice(Tone::Warm, "info", &t::claim::rejected(), &text)
        }
    }
}

fn is_waiting(claim: &Claim) -> bool {
    claim.state == ClaimState::Waiting
}

/// A claim as it stands by now.
fn latest(claim: &Claim, claims: &Source<Vec<Claim>>) -> Claim {
    let known = claims.value().unwrap_or_default();
    let now = known.into_iter().find(|known| known.claim_id == claim.claim_id);
    now.unwrap_or_else(|| claim.clone())
}

/// Why nothing came of it.
fn why(claim: &Claim) -> String {
    match claim.reason {
        Some(ClaimReason::MemberPaused) => t::claim::was_paused(),
        _ => t::claim::not_found(),
    }
}

/// What was claimed before.
fn list(claims: &[Claim], stores: &[Store]) -> Markup {
    let store = |id: &str| {
        stores
            .iter()
            .find(|store| store.id == id)
            .map_or("", |store| &store.name)
            .to_owned()
    };
    html! {
        section.card data-kind="ledger" {
            h2.day { (t::claim::earlier()) }
            ul {
                @for claim in claims {
                    @let (picture, tone, state) = standing(claim);
                    li.entry data-tone=[tone] {
                        span.entry__mark { (icon(picture)) }
                        span.entry__text {
                            b { (store(&claim.store)) " · " (intl::money(claim.total)) }
                            span.muted { (intl::date(claim.bought_on)) " · " bdi { (claim.receipt) } }
                            span { (state) }
                            @if claim.state == ClaimState::Rejected { span.muted { (why(claim)) } }
                        }
                        @if let Some(points) = claim.points { span.entry__points { (intl::signed_points(points)) } }
                    }
                }
            }
        }
    }
}

/// How a claim stands: its picture, its tone, and in a word.
fn standing(claim: &Claim) -> (&'static str, Option<&'static str>, String) {
    match claim.state {
        ClaimState::Accepted => ("check", Some("gain"), t::claim::is_accepted()),
        ClaimState::Waiting | ClaimState::Unknown => ("clock", None, t::claim::is_waiting()),
        ClaimState::Rejected => ("info", Some("warm"), t::claim::is_rejected()),
    }
}
