//! A card to print and cut out, for somebody without a phone.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::account::{Card, PrintedCard};
use loyalty_contract::programme::Programme;
use loyalty_contract::status::Status;
use maud::{Markup, html};

use crate::api::{self, ApiError};
use crate::browser::document;
use crate::components::codes::{barcode, qr};
use crate::components::failure::{RETRY, error_notice, load_failed};
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::components::nav::brand;
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::components::ticks::ticks;
use crate::data::{Load, Source, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::pages::code::grouped;
use crate::routes::Route;
use crate::state::{use_programme, use_session};

const MAKE: &str = "make";
const PRINT: &str = "print";
const END: &str = "end";

/// The card that counts, a new one, and its printing.
#[component]
pub fn CardPage() -> impl IntoView {
    let session = use_session();
    let programme = use_programme();
    let status = use_remembered().status;
    status.want();
    let cards = Source::new(session, api::cards::list_cards);
    cards.want();
    // What a new card says is told once, so it stays until the screen is left.
    let made = RwSignal::new(None::<PrintedCard>);
    let is_busy = RwSignal::new(false);
    let failed = RwSignal::new(None::<ApiError>);

    let content = move || {
        let status = match status.get() {
            Load::Loading => return skeleton::cards(),
            Load::Failed(error) => return load_failed(&error),
            Load::Ready(status) | Load::Stale(status, _) => status,
        };
        html! {
            div role="alert" { @if let Some(error) = failed.get() { (error_notice(&error)) } }
            @match (&*made.read(), cards.get()) {
                (Some(card), _) => (to_print(card, &status, &programme)),
                (None, Load::Loading) => (skeleton::cards()),
                (None, Load::Failed(error)) => (load_failed(&error)),
                (None, Load::Ready(cards) | Load::Stale(cards, _)) => (to_make(cards.first(), is_busy.get())),
            }
        }
    };
    let act = move |action: &str, _: String| {
        if action == RETRY {
            status.refresh();
            return cards.refresh();
        }
        if action == PRINT {
            return document::print();
        }
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        failed.set(None);
        let ended = cards.value_untracked().unwrap_or_default().into_iter().next();
        let ended = ended.filter(|_| action == END);
        spawn_local(async move {
            let answer = match ended {
                Some(card) => api::cards::end_card(&card.card_id).await.map(|()| None),
                None => api::cards::create_card().await.map(Some),
            };
            if is_busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(card) => {
                    made.set(card);
                    cards.refresh();
                }
                Err(ApiError::SignedOut) => session.ended(),
                Err(error) => failed.set(Some(error)),
            }
        });
    };
    view! {
        <BackBar title=t::card::title() to=Route::You />
        {live_with(content, act)}
    }
}

/// What a card is for, and the button that makes one.
fn to_make(card: Option<&Card>, is_busy: bool) -> Markup {
    let mut sentences = vec![t::card::what_for(), t::card::identifies(), t::card::once()];
    if card.is_some() {
        sentences.push(t::card::old_ends());
    }
    html! {
        section.card {
            (ticks(&sentences))
            button.button data-variant="main" type="button" data-action=(MAKE) aria-busy=(is_busy) {
                @if card.is_some() { (t::card::make_another()) } @else { (t::card::make()) }
            }
        }
        @if let Some(card) = card {
            section.card {
                ul.list {
                    li.list-row {
                        (icon("card"))
                        span.list-row__text {
                            b { (t::card::yours()) }
                            span.muted { (t::card::made_on(&intl::day(card.created_at, DayStyle::Full))) }
                        }
                        button.button type="button" data-action=(END) aria-busy=(is_busy) { (t::card::end()) }
                    }
                }
            }
        }
    }
}

/// The card itself, as large as a bank's, with everything a till can read.
fn to_print(card: &PrintedCard, status: &Status, programme: &Programme) -> Markup {
    html! {
        section.sheet {
            div.plastic {
                span.brand { (brand(programme)) }
                div.plastic__who {
                    (qr(&card.text, &t::card::qr()))
                    p.plastic__name { bdi { (status.member.name) } }
                    p.plastic__label { (t::you::number()) }
                    p.plastic__number { (grouped(&status.member.number)) }
                }
                (barcode(&card.digits, &t::card::barcode()))
            }
        }
        div.stack data-print="no" {
            (ticks(&[t::card::print_now(), t::card::cut_out()]))
            button.button data-variant="main" type="button" data-action=(PRINT) { (icon("print")) (t::card::print()) }
        }
    }
}
