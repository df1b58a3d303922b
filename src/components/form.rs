//! Parts of forms: fields, switches, and what was wrong with what was typed.

use maud::{Markup, html};

use super::failure::{Tone, explain, notice};
use super::icon::icon;
use crate::api::ApiError;

/// What went wrong with a form: at its field, or beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What the field says cannot be.
    Field(String),
    /// Everything else: what happened, and what the person can do.
    Form {
        /// What happened.
        title: String,
        /// What the person can do.
        help: String,
    },
}

impl Fault {
    /// What went wrong with asking the server.
    pub fn of(error: &ApiError) -> Self {
        let (title, help) = explain(error);
        Self::Form { title, help }
    }

    fn is_at_field(fault: Option<&Self>) -> bool {
        matches!(fault, Some(Self::Field(_)))
    }
}

/// A field with its label, and below it what is wrong with it; what is typed comes as the action of its id.
pub fn text_field(id: &str, label: &str, value: &str, attributes: &Typed, fault: Option<&Fault>) -> Markup {
    let error = [id, "-error"].concat();
    html! {
        div.field {
            label.field__label for=(id) { (label) }
            input class=(if attributes.is_code { "code-input" } else { "field__input" }) id=(id) type=(attributes.kind)
                inputmode=[attributes.keyboard] autocomplete=(attributes.autocomplete)
                maxlength=(attributes.longest) dir=[attributes.direction] value=(value) data-action=(id)
                aria-describedby=(error) aria-invalid=(Fault::is_at_field(fault));
            p.field__error id=(error) aria-live="polite" {
                @if let Some(Fault::Field(text)) = fault { (icon("alert")) span { (text) } }
            }
        }
    }
}

/// What is typed into a field, for the browser to help with.
pub struct Typed {
    kind: &'static str,
    keyboard: Option<&'static str>,
    autocomplete: &'static str,
    longest: u16,
    direction: Option<&'static str>,
    is_code: bool,
}

impl Typed {
    /// An address to write to.
    pub const ADDRESS: Self = Self {
        kind: "email",
        keyboard: Some("email"),
        autocomplete: "email",
        longest: 254,
        direction: Some("ltr"),
        is_code: false,
    };

    /// Six digits that were sent; spaces between them are forgiven.
    pub const CODE: Self = Self {
        kind: "text",
        keyboard: Some("numeric"),
        autocomplete: "one-time-code",
        longest: 8,
        direction: Some("ltr"),
        is_code: true,
    };

    /// A telephone number.
    pub const PHONE: Self = Self {
        kind: "tel",
        keyboard: Some("tel"),
        autocomplete: "tel",
        longest: 30,
        direction: Some("ltr"),
        is_code: false,
    };

    /// What somebody wants to be called.
    pub const NAME: Self = Self {
        kind: "text",
        keyboard: None,
        autocomplete: "given-name",
        longest: 80,
        direction: Some("auto"),
        is_code: false,
    };

    /// A birthday.
    pub const BIRTHDAY: Self = Self {
        kind: "date",
        keyboard: None,
        autocomplete: "bday",
        longest: 10,
        direction: None,
        is_code: false,
    };

    /// Any day.
    pub const DAY: Self = Self {
        autocomplete: "off",
        ..Self::BIRTHDAY
    };

    /// What a receipt is called by.
    pub const RECEIPT: Self = Self {
        kind: "text",
        keyboard: None,
        autocomplete: "off",
        longest: 64,
        direction: Some("ltr"),
        is_code: false,
    };

    /// A sum of money.
    pub const SUM: Self = Self {
        keyboard: Some("decimal"),
        longest: 24,
        ..Self::RECEIPT
    };
}

/// What went wrong with the whole form.
pub fn beside(fault: Option<&Fault>) -> Markup {
    html! {
        div role="alert" {
            @if let Some(Fault::Form { title, help }) = fault {
                (notice(Tone::Error, "alert", title, &html! { p { (help) } }))
            }
        }
    }
}

/// Something that is on or off, with what it means in a sentence; each change comes as its action.
pub fn switch(action: &str, label: &str, help: &str, is_on: bool) -> Markup {
    let about = [action, "-help"].concat();
    html! {
        label.switch {
            span.switch__text {
                b id={ (action) "-label" } { (label) }
                @if !help.is_empty() { span.muted id=(about) { (help) } }
            }
            input.switch__input id=(action) type="checkbox" role="switch" data-action=(action) checked[is_on]
                aria-labelledby={ (action) "-label" } aria-describedby=[(!help.is_empty()).then_some(about)];
        }
    }
}
