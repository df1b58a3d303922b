//! What to say when something is not there: failed, empty, or older than it should be.

use leptos::prelude::*;
use loyalty_contract::{Instant, ProblemCode};

use super::icon::Icon;
use crate::api::ApiError;
use crate::intl::{self, t};

/// What went wrong and what the person can do, in their words: a heading and a sentence.
pub fn explain(error: &ApiError) -> (String, String) {
    match error {
        ApiError::Unreachable(_) => (t::failure::unreachable(), t::failure::unreachable_help()),
        ApiError::SignedOut => (t::failure::signed_out(), t::failure::signed_out_help()),
        ApiError::Unreadable(_) => (t::failure::unreadable(), t::failure::unreadable_help()),
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
#[component]
pub fn LoadFailed(
    /// Why.
    error: ApiError,
    /// What the button does.
    on_retry: impl Fn() + 'static,
) -> impl IntoView {
    let icon = if matches!(error, ApiError::Unreachable(_)) {
        "offline"
    } else {
        "alert"
    };
    let (title, help) = explain(&error);
    view! {
        <div class="failed" role="alert">
            <span class="failed__art"><Icon name=icon /></span>
            <h2>{title}</h2>
            <p class="muted">{help}</p>
            <button type="button" class="button" on:click=move |_| on_retry()>{t::app::retry()}</button>
        </div>
    }
}

/// In place of a list that has nothing in it.
#[component]
pub fn Empty(
    /// The picture.
    icon: &'static str,
    /// What is so.
    title: String,
    /// What one can do about it.
    help: String,
    /// The way there, if there is one.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty__art"><Icon name=icon /></span>
            <h2>{title}</h2>
            <p class="muted">{help}</p>
            {children.map(|children| children())}
        </div>
    }
}

/// Above what is remembered, when asking again failed.
#[component]
pub fn StaleNote(
    /// When it was true.
    as_of: Instant,
    /// What the button does.
    on_retry: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <p class="stale-note" role="status">
            <Icon name="offline" />
            <span>{t::app::as_of(&intl::time(as_of))}</span>
            <button type="button" class="link" on:click=move |_| on_retry()>{t::app::retry()}</button>
        </p>
    }
}

/// Something to know, beside what one does.
#[component]
pub fn Notice(
    /// `info`, `warm`, `error` or `success`.
    tone: &'static str,
    /// The picture.
    icon: &'static str,
    /// In a few words.
    title: String,
    /// More.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="notice" data-tone=tone>
            <Icon name=icon />
            <div class="notice__text">
                <b>{title}</b>
                {children()}
            </div>
        </section>
    }
}
