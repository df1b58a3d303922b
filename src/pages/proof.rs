//! Proving an address: a code is sent to it, and somebody types what came.

use std::pin::Pin;
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::ProblemCode;
use loyalty_contract::auth::{Challenge, ChallengeAnswer, Purpose};
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::browser::document;
use crate::components::form::{Fault, Typed, beside, text_field};
use crate::components::icon::icon;
use crate::intl::{digits, t};

/// The field for an address, and what typing in it is called.
pub const ADDRESS: &str = "address";
/// The field for a code.
const CODE: &str = "code";
/// Asking for a code.
pub const SEND_ADDRESS: &str = "send-address";
const SEND_CODE: &str = "send-code";
const FILL: &str = "fill";

/// How many digits a code has.
const CODE_LENGTH: usize = 6;

/// What was typed so far, and what came of it.
#[derive(Clone, Default)]
pub struct Proving {
    /// Where the code goes.
    pub address: String,
    code: String,
    /// The code that was sent, once it was.
    pub sent: Option<Challenge>,
    /// What went wrong last.
    pub fault: Option<Fault>,
    /// An answer is on its way; what is sent now would be sent twice.
    pub is_busy: bool,
}

impl Proving {
    /// The same address, from the beginning.
    pub fn again(&self, fault: Option<Fault>) -> Self {
        Self {
            address: self.address.clone(),
            fault,
            ..Self::default()
        }
    }
}

/// What follows a good answer, unless somebody has gone on to something else meanwhile.
pub type Then = Box<dyn FnOnce()>;

/// Answers the challenge.
type Answer = Rc<dyn Fn(ChallengeAnswer) -> Pin<Box<dyn Future<Output = Result<Then, ApiError>>>>>;

/// The two steps of proving an address: which code is asked for, and what it is for.
#[derive(Clone)]
pub struct Proof {
    form: RwSignal<Proving>,
    purpose: Purpose,
    answer: Answer,
}

impl Proof {
    /// Proves the address in `form` with a code that serves `purpose` and is handed to `answer`.
    pub fn new<F>(form: RwSignal<Proving>, purpose: Purpose, answer: impl Fn(ChallengeAnswer) -> F + 'static) -> Self
    where
        F: Future<Output = Result<Then, ApiError>> + 'static,
    {
        Self {
            form,
            purpose,
            answer: Rc::new(move |given| Box::pin(answer(given))),
        }
    }

    /// Does what somebody did in one of the steps; anything else begins again.
    pub fn act(&self, action: &str, value: String) {
        let form = self.form;
        match action {
            ADDRESS => typed(form, move |form| form.address = value),
            CODE => {
                typed(form, move |form| form.code = value);
                if digits(&form.read_untracked().code).len() == CODE_LENGTH {
                    self.send_code();
                }
            }
            SEND_ADDRESS => self.send_address(),
            SEND_CODE => self.send_code(),
            FILL => {
                form.update(|form| {
                    let code = form.sent.as_ref().and_then(|sent| sent.demo_code.clone());
                    form.code = code.unwrap_or_default();
                });
                self.send_code();
            }
            _ => form.update(|form| *form = form.again(None)),
        }
    }

    /// Asks for a code.
    pub fn send_address(&self) {
        let (form, purpose) = (self.form, self.purpose);
        let address = form.read_untracked().address.trim().to_owned();
        if !looks_like_an_address(&address) {
            fail(form, Fault::Field(t::sign_in::address_wrong()));
            return;
        }
        if !start(form) {
            return;
        }
        spawn_local(async move {
            match api::auth::create_challenge(&address, purpose).await {
                Ok(sent) => {
                    form.try_update(|form| {
                        *form = Proving {
                            address,
                            sent: Some(sent),
                            ..Proving::default()
                        }
                    });
                    document::focus_field(CODE);
                }
                Err(error) => fail(form, fault(&error)),
            }
        });
    }

    fn send_code(&self) {
        let form = self.form;
        let code = digits(&form.read_untracked().code);
        let sent = form
            .read_untracked()
            .sent
            .as_ref()
            .map(|sent| sent.challenge_id.clone());
        let Some(challenge_id) = sent else { return };
        if code.len() != CODE_LENGTH {
            fail(form, Fault::Field(t::sign_in::six_digits()));
            return;
        }
        if !start(form) {
            return;
        }
        let answer = (self.answer)(ChallengeAnswer {
            challenge_id: challenge_id.clone(),
            code,
        });
        spawn_local(async move {
            let answer = answer.await;
            let is_still_asked = form
                .try_with_untracked(|form| form.sent.as_ref().is_some_and(|sent| sent.challenge_id == challenge_id));
            if is_still_asked != Some(true) {
                // Another address was chosen meanwhile; what became of this one is of no matter any more.
                return;
            }
            match answer {
                Ok(then) => {
                    form.update(|form| form.is_busy = false);
                    then();
                }
                Err(error) => {
                    if error.code() == Some(ProblemCode::ChallengeExpired) {
                        form.update(|form| form.sent = None);
                    }
                    fail(form, fault(&error));
                }
            }
        });
    }
}

/// Takes what is typed. The form is written anew only to take back what was said of the last try.
fn typed(form: RwSignal<Proving>, take: impl FnOnce(&mut Proving)) {
    take(&mut form.write_untracked());
    if form.read_untracked().fault.is_some() {
        form.update(|form| form.fault = None);
    }
}

/// Marks that an answer is on its way, unless one is: a sixth digit and a tap on the button may come together.
fn start(form: RwSignal<Proving>) -> bool {
    let was_busy = form.read_untracked().is_busy;
    if !was_busy {
        form.update(|form| {
            form.is_busy = true;
            form.fault = None;
        });
    }
    !was_busy
}

fn fail(form: RwSignal<Proving>, fault: Fault) {
    let was_sent = form.try_update(|form| {
        form.is_busy = false;
        form.fault = Some(fault);
        form.sent.is_some()
    });
    // The screen may be gone.
    if let Some(was_sent) = was_sent {
        document::focus_field(if was_sent { CODE } else { ADDRESS });
    }
}

fn fault(error: &ApiError) -> Fault {
    match error.code() {
        Some(ProblemCode::CodeWrong) => Fault::Field(t::sign_in::code_wrong()),
        Some(ProblemCode::InvalidFields) => Fault::Field(t::sign_in::address_wrong()),
        Some(ProblemCode::ChannelUnavailable) => Fault::Field(t::sign_in::channel_unavailable()),
        Some(ProblemCode::ChallengeExpired) => Fault::Field(t::sign_in::challenge_expired()),
        Some(ProblemCode::AddressTaken) => Fault::Field(t::address::taken()),
        _ => Fault::of(error),
    }
}

/// The first step: which address. What else there is to say or to choose stands between field and button.
pub fn address_step(form: &Proving, label: &str, between: &Markup) -> Markup {
    html! {
        form.signin__form novalidate data-action=(SEND_ADDRESS) {
            (beside(form.fault.as_ref()))
            (text_field(ADDRESS, label, &form.address, &Typed::ADDRESS, form.fault.as_ref()))
            (between)
            button.button data-variant="main" aria-busy=(form.is_busy) { (t::sign_in::send_code()) }
        }
    }
}

/// The second step: the code that was sent. Its button says what happens with it, `back` how to begin again.
pub fn code_step(form: &Proving, sent: &Challenge, button: &str, back: &str) -> Markup {
    html! {
        @match &sent.demo_code {
            Some(code) => (sample_code(&form.address, code)),
            None => p.muted { (t::sign_in::code_help(&form.address)) },
        }
        form.signin__form novalidate data-action=(SEND_CODE) {
            (beside(form.fault.as_ref()))
            (text_field(CODE, &t::sign_in::code(), &form.code, &Typed::CODE, form.fault.as_ref()))
            button.button data-variant="main" aria-busy=(form.is_busy) { (button) }
            button.button type="button" data-variant="plain" data-action="other-address" { (back) }
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

/// Enough to spare a question to the server; the server decides.
fn looks_like_an_address(typed: &str) -> bool {
    typed
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}
