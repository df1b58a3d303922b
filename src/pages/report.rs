//! Telling the shop that an entry is wrong, with its reference filled in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::ledger::LedgerEntry;
use loyalty_contract::programme::Contact;
use loyalty_contract::reports::NewReport;
use maud::{Markup, html};

use crate::api::{self, ApiError, Way};
use crate::browser::{document, random};
use crate::components::entry_row::entry_row;
use crate::components::failure::{Tone, notice};
use crate::components::form::{Fault, beside};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::page_heading::BackBar;
use crate::data::use_remembered;
use crate::intl::t;
use crate::pages::home::contact_links;
use crate::routes::Route;
use crate::state::{Session, use_programme, use_session};

const TEXT: &str = "report-text";
const SEND: &str = "send";

/// How many characters a report can have.
const LONGEST: u16 = 1000;

/// What somebody writes about an entry.
#[derive(Clone, Default)]
struct Draft {
    entry_id: String,
    text: String,
    /// Sent with each try, so that a lost answer makes no second report; another text is another report.
    key: String,
    fault: Option<Fault>,
    /// What it is called on the phone, once it has reached the shop.
    reference: Option<String>,
    is_busy: bool,
}

impl Draft {
    fn of(entry_id: &str) -> Self {
        Self {
            entry_id: entry_id.to_owned(),
            key: random::key(),
            ..Self::default()
        }
    }
}

/// A draft outlives its screen, and a session that ends in the middle of it. Provided once.
#[derive(Clone, Copy)]
struct ReportDraft(RwSignal<Draft>);

/// Provides what is written about an entry.
pub fn provide_draft() {
    provide_context(ReportDraft(RwSignal::new(Draft::default())));
}

/// The form, and then what the shop calls it.
#[component]
pub fn ReportPage(
    /// Which entry.
    id: String,
) -> impl IntoView {
    let draft = expect_context::<ReportDraft>().0;
    let is_same = draft.with_untracked(|draft| draft.entry_id == id && draft.reference.is_none());
    if !is_same {
        draft.set(Draft::of(&id));
    }
    let remembered = use_remembered();
    let entry = RwSignal::new(remembered.entry(&id));
    let session = use_session();
    if entry.read_untracked().is_none() {
        let id = id.clone();
        spawn_local(async move {
            match api::ledger::get_entry(Way::Ask, &id).await {
                Ok(details) => entry.try_set(Some(details.value.entry)).map_or((), drop),
                Err(ApiError::SignedOut) => session.ended(),
                // The report names the entry by its id, whether it can be shown or not.
                Err(_) => (),
            }
        });
    }
    let contact = use_programme().contact.clone();
    let content = move || {
        let draft = draft.read();
        match &draft.reference {
            Some(reference) => sent(reference, &contact),
            None => form(&draft),
        }
    };
    let act = move |action: &str, value: String| match action {
        TEXT => typed(draft, value),
        _ => send(draft, session),
    };
    view! {
        <BackBar title=t::report::title() to=Route::Entry(id) />
        {live(move || about(entry.read().as_ref()))}
        {live_with(content, act)}
    }
}

/// Takes what is typed. The form is written anew only to take back what was said of the last try.
fn typed(draft: RwSignal<Draft>, text: String) {
    {
        let mut draft = draft.write_untracked();
        draft.text = text;
        draft.key = random::key();
    }
    if draft.read_untracked().fault.is_some() {
        draft.update(|draft| draft.fault = None);
    }
}

fn send(draft: RwSignal<Draft>, session: Session) {
    if draft.read_untracked().is_busy {
        return;
    }
    let now = draft.get_untracked();
    let text = now.text.trim().to_owned();
    if text.is_empty() {
        draft.update(|draft| draft.fault = Some(Fault::Field(t::report::nothing_written())));
        document::focus_field(TEXT);
        return;
    }
    draft.update(|draft| {
        draft.is_busy = true;
        draft.fault = None;
    });
    spawn_local(async move {
        let report = NewReport {
            entry_id: Some(now.entry_id.clone()),
            redemption_id: None,
            text,
        };
        let answer = api::reports::create_report(&now.key, &report).await;
        if draft.read_untracked().entry_id != now.entry_id {
            // Somebody writes about another entry by now.
            return;
        }
        draft.update(|draft| {
            draft.is_busy = false;
            match &answer {
                Ok(made) => draft.reference = Some(made.reference.clone()),
                Err(error) => draft.fault = Some(Fault::of(error)),
            }
        });
        match answer {
            Ok(_) => document::focus_field(DONE),
            Err(ApiError::SignedOut) => session.ended(),
            Err(_) => (),
        }
    });
}

/// The entry in question.
fn about(entry: Option<&LedgerEntry>) -> Markup {
    html! {
        @if let Some(entry) = entry {
            section.card data-kind="ledger" { ul { (entry_row(entry)) } }
        }
    }
}

fn form(draft: &Draft) -> Markup {
    let fault = match &draft.fault {
        Some(Fault::Field(text)) => Some(text),
        _ => None,
    };
    html! {
        form.form novalidate data-action=(SEND) {
            (beside(draft.fault.as_ref()))
            div.field {
                label.field__label for=(TEXT) { (t::report::what_is_wrong()) }
                p.muted id="report-help" { (t::report::help()) }
                textarea.field__input id=(TEXT) rows="5" maxlength=(LONGEST) dir="auto" data-action=(TEXT)
                    aria-describedby="report-help report-error" aria-invalid=(fault.is_some()) {
                    (draft.text)
                }
                p.field__error id="report-error" aria-live="polite" {
                    @if let Some(text) = fault { (icon("alert")) span { (text) } }
                }
            }
            button.button data-variant="main" aria-busy=(draft.is_busy) { (t::report::send()) }
        }
    }
}

/// What takes the focus when the shop has it.
const DONE: &str = "report-done";

fn sent(reference: &str, contact: &Contact) -> Markup {
    let text = html! {
        p { (t::report::thanks()) }
        p.number-plate { bdi { (reference) } }
        p { (t::report::say_it()) }
        (contact_links(contact))
    };
    html! {
        div id=(DONE) tabindex="-1" role="status" { (notice(Tone::Success, "check", &t::report::sent(), &text)) }
        a.button href=(Route::Activity.path()) { (t::nav::activity()) }
    }
}
