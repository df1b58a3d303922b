//! The frames of what is still loading, as tall as what will come.

use leptos::prelude::*;

use crate::intl::t;

/// A calm grey line or shape.
fn block(shape: &'static str, size: &'static str) -> impl IntoView {
    view! { <span class="skeleton" data-shape=shape data-size=size></span> }
}

/// Says once, for those who cannot see the frames, that something is loading.
#[component]
fn Loading() -> impl IntoView {
    view! { <p class="visually-hidden" role="status">{t::app::loading()}</p> }
}

/// The home screen's frame; the same as the shell in `index.html`.
#[component]
pub fn HomeSkeleton() -> impl IntoView {
    view! {
        <Loading />
        <div class="columns" aria-hidden="true">
            <div class="column">
                <div class="worth">
                    <p class="worth__label">{block("line", "medium")}</p>
                    <div>
                        <p class="worth__money">{block("line", "medium")}</p>
                        <p class="worth__points">{block("line", "short")}</p>
                    </div>
                    <div class="worth__row">{block("button", "short")}</div>
                </div>
                <div class="card">
                    <div class="tier">
                        <div class="ring"></div>
                        <div class="tier__body">
                            <div class="title">{block("line", "medium")}</div>
                            <p class="muted">{block("line", "")}{block("line", "medium")}</p>
                        </div>
                    </div>
                </div>
            </div>
            <div class="column">
                <div class="stack">
                    <div class="card__head"><div class="title">{block("line", "name")}</div></div>
                    <div class="shelf">{(0..3).map(|_| reward()).collect_view()}</div>
                </div>
            </div>
        </div>
    }
}

/// The catalogue's frame.
#[component]
pub fn CatalogueSkeleton() -> impl IntoView {
    view! {
        <Loading />
        <div class="grid" aria-hidden="true">{(0..6).map(|_| reward()).collect_view()}</div>
    }
}

/// The ledger's frame.
#[component]
pub fn LedgerSkeleton() -> impl IntoView {
    view! {
        <Loading />
        <div class="card" aria-hidden="true">
            <ul>
                {(0..6)
                    .map(|_| {
                        view! {
                            <li class="entry">
                                {block("circle", "")}
                                <span class="entry__text">{block("line", "name")}{block("line", "medium")}</span>
                                <span class="entry__points">{block("line", "short")}</span>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </div>
    }
}

/// A frame of cards, for screens of texts and figures.
#[component]
pub fn CardsSkeleton() -> impl IntoView {
    view! {
        <Loading />
        <div class="stack" aria-hidden="true">{block("card", "")}{block("card", "")}</div>
    }
}

fn reward() -> impl IntoView {
    view! {
        <div class="reward">
            {block("picture", "")}
            <div class="reward__body">{block("line", "")}{block("line", "medium")}</div>
        </div>
    }
}
