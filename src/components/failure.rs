//! What to say when something is not there: failed, empty, or older than it should be.

use loyalty_contract::{Instant, ProblemCode};
use maud::{Markup, html};

use super::icon::icon;
use crate::api::{self, ApiError};
use crate::intl::{self, DayStyle, t};

/// What a press on "try again" is called, see [`super::live::live_with`].
pub const RETRY: &str = "retry";

/// What went wrong and what the person can do, in their words: a heading and a sentence.
pub fn explain(error: &ApiError) -> (String, String) {
    match error {
        ApiError::Unreachable => (t::failure::unreachable(), t::failure::unreachable_help()),
        ApiError::SignedOut => (t::failure::signed_out(), t::failure::signed_out_help()),
        ApiError::Portal => (t::failure::portal(), t::failure::portal_help()),
        ApiError::Gateway => (t::failure::gateway(), t::failure::gateway_help()),
        ApiError::Unreadable => (t::failure::unreadable(), t::failure::unreadable_help()),
        ApiError::Refused(problem) => match problem.code {
            ProblemCode::TooManyRequests | ProblemCode::TooManyAttempts => {
                let seconds = i64::from(problem.retry_after_s.unwrap_or(60));
                (t::failure::too_many(), t::failure::too_many_help((seconds + 59) / 60))
            }
            ProblemCode::NotFound => (t::failure::not_found(), t::failure::not_found_help()),
            ProblemCode::Internal | ProblemCode::Unavailable | ProblemCode::Unknown => {
                (t::failure::server(), t::failure::server_help())
            }
            // The server's own title is a sentence in the person's language.
            _ => (t::failure::refused(), problem.title.clone()),
        },
    }
}

/// In place of a screen's content that could not be fetched.
pub fn load_failed(error: &ApiError) -> Markup {
    let (title, help) = explain(error);
    html! {
        div.failed role="alert" {
            span.failed__art { (icon(picture(error))) }
            h2 { (title) }
            p.muted { (help) }
            button.button type="button" data-action=(RETRY) { (t::app::retry()) }
        }
    }
}

/// In place of a list that has nothing in it, with the way out of that.
pub fn empty(picture: &str, title: &str, help: &str, way_out: &Markup) -> Markup {
    html! {
        div.empty {
            span.empty__art { (icon(picture)) }
            h2 { (title) }
            p.muted { (help) }
            (way_out)
        }
    }
}

/// Above what is remembered: since when it was not confirmed, and why not where that was tried.
pub fn remembered_note(remembered: Option<(Instant, Option<ApiError>)>) -> Markup {
    let Some((as_of, error)) = remembered else {
        return Markup::default();
    };
    let time = intl::time(as_of);
    let when = match intl::same_day(as_of, api::server_now()) {
        true => t::offline::known_at(&time),
        false => t::offline::known_on(&intl::day(as_of, DayStyle::Short), &time),
    };
    html! {
        @if let Some(error) = error {
            div.remembered role="status" {
                (icon(picture(&error)))
                p { b { (explain(&error).0) } " " (when) }
                button.link type="button" data-action=(RETRY) { (t::app::retry()) }
            }
        } @else {
            p.remembered data-state="asking" { (when) }
        }
    }
}

/// What stands for what went wrong.
fn picture(error: &ApiError) -> &'static str {
    match error {
        ApiError::Unreachable | ApiError::Portal => "offline",
        _ => "alert",
    }
}

/// How a notice sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// To know.
    Info,
    /// To mind.
    Warm,
    /// What went wrong.
    Error,
    /// What went well.
    Success,
}

/// Something to know, beside what one does.
pub fn notice(tone: Tone, picture: &str, title: &str, text: &Markup) -> Markup {
    let tone = match tone {
        Tone::Info => "info",
        Tone::Warm => "warm",
        Tone::Error => "error",
        Tone::Success => "success",
    };
    html! {
        section.notice data-tone=(tone) {
            (icon(picture))
            div.notice__text { b { (title) } (text) }
        }
    }
}

/// What went wrong with something one did, beside it.
pub fn error_notice(error: &ApiError) -> Markup {
    let (title, help) = explain(error);
    notice(Tone::Error, "alert", &title, &html! { p { (help) } })
}
