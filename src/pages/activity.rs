//! Everything that happened to the balance, by days, newest first.

use leptos::html;
use leptos::prelude::*;
use loyalty_contract::Instant;
use loyalty_contract::ledger::LedgerEntry;
use loyalty_contract::programme::Programme;
use maud::{Markup, html as markup};

use crate::api;
use crate::browser;
use crate::browser::viewport;
use crate::components::chips::chips;
use crate::components::entry_row::entry_row;
use crate::components::failure::{empty, explain, load_failed};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::page_heading::PageHeading;
use crate::components::skeleton;
use crate::data::{Load, More, Pages, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;
use crate::state::{use_programme, watch};

/// The ledger with its filters.
#[component]
pub fn ActivityPage() -> impl IntoView {
    let remembered = use_remembered();
    let list = remembered.ledger;
    let programme = use_programme();
    list.want();
    let instead = move || match list.get() {
        Load::Loading => skeleton::ledger(),
        Load::Failed(error) => load_failed(&error),
        Load::Ready(pages) | Load::Stale(pages, _) if pages.iter().all(|page| page.is_empty()) => {
            nothing(remembered.ledger_filter.get_untracked().is_none())
        }
        Load::Ready(_) | Load::Stale(..) => Markup::default(),
    };
    let choose = move |kinds: &str, _| {
        remembered.ledger_filter.set(
            FILTERS
                .into_iter()
                .find(|known| *known == kinds)
                .filter(|known| !known.is_empty()),
        );
        list.forget();
        list.refresh();
    };
    view! {
        <div class="page-heading"><PageHeading title=t::nav::activity() /></div>
        {live(move || shortcuts(&programme))}
        {live_with(move || filter_chips(remembered.ledger_filter.get()), choose)}
        {live_with(instead, move |_, _| list.refresh())}
        <Ledger list />
    }
}

/// What else can be done about the past: read it as a statement, find what was made of it, add to it, and be told of its dates.
fn shortcuts(programme: &Programme) -> Markup {
    let has_ends = programme.points_valid_months.is_some() || !programme.tiers.is_empty();
    let shortcut = |address: String, picture: &str, label: String, is_file: bool| {
        markup! {
            a.shortcut href=(address) download[is_file] {
                span.shortcut__mark { (icon(picture)) }
                (label)
            }
        }
    };
    markup! {
        div.shortcuts {
            (shortcut(Route::Statement.path(), "file", t::activity::statement(), false))
            (shortcut(Route::Vouchers.path(), "ticket", t::activity::vouchers(), false))
            (shortcut(Route::Claim.path(), "receipt", t::activity::missed(), false))
            @if has_ends { (shortcut(api::ledger::deadlines_address(), "calendar", t::activity::calendar(), true)) }
        }
    }
}

/// Which kinds of entries can be shown alone; the first is all of them.
const FILTERS: [&str; 6] = ["", "earn,bonus", "spend,release,refund", "return", "expire", "adjust"];

fn filter_chips(chosen: Option<&str>) -> Markup {
    let labels = [
        t::activity::all(),
        t::activity::earned(),
        t::activity::used(),
        t::activity::returned(),
        t::activity::expired(),
        t::activity::corrected(),
    ];
    let row: Vec<_> = FILTERS
        .into_iter()
        .zip(labels)
        .map(|(kinds, label)| (kinds.to_owned(), label, kinds == chosen.unwrap_or_default()))
        .collect();
    chips(&t::activity::filter(), &row)
}

/// The entries. Growing adds a page below and touches nothing above, however long the list is.
#[component]
fn Ledger(list: Pages<LedgerEntry>) -> impl IntoView {
    let card = NodeRef::<html::Section>::new();
    let mut shown = 0;
    watch(move || {
        let pages = match list.get() {
            Load::Ready(pages) | Load::Stale(pages, _) => pages,
            Load::Loading | Load::Failed(_) => Vec::new(),
        };
        let Some(card) = card.get() else { return };
        // A list that has not grown is another list.
        if pages.len() <= shown {
            shown = 0;
            card.set_inner_html("");
        }
        for (at, page) in pages.iter().enumerate().skip(shown) {
            let before = at
                .checked_sub(1)
                .and_then(|at| pages.get(at)?.last())
                .map(|entry| entry.at);
            let _ = card.insert_adjacent_html("beforeend", &chunk(page, before).into_string());
        }
        card.set_hidden(pages.iter().all(|page| page.is_empty()));
        shown = pages.len();
    });
    view! {
        <section class="card" data-kind="ledger" node_ref=card></section>
        <Rest list />
    }
}

/// A page of entries, grouped by days; a day that began on the page before goes on without its name.
fn chunk(page: &[LedgerEntry], before: Option<Instant>) -> Markup {
    markup! {
        @for entries in page.chunk_by(|a, b| intl::same_day(a.at, b.at)) {
            div.day-group {
                @if let Some(first) = entries.first().filter(|first| !before.is_some_and(|b| intl::same_day(b, first.at))) {
                    h2.day { (day_name(first.at)) }
                }
                ul { @for entry in entries { (entry_row(entry)) } }
            }
        }
    }
}

fn day_name(at: Instant) -> String {
    let now = browser::now();
    if intl::same_day(at, now) {
        t::activity::today()
    } else if intl::same_day(at, now - chrono::TimeDelta::days(1)) {
        t::activity::yesterday()
    } else {
        intl::day(at, DayStyle::Long)
    }
}

/// The rest of the list comes when its end comes near; the button is for keyboards, and for when that failed.
#[component]
fn Rest(list: Pages<LedgerEntry>) -> impl IntoView {
    let end = NodeRef::<html::Div>::new();
    watch(move || {
        // Looked for anew after each page: an end that a page did not push out of sight comes near no second time.
        if let (Some(end), More::After(_)) = (end.get(), list.more()) {
            viewport::when_near(&end, move || list.grow());
        }
    });
    let rest = move || match list.more() {
        // Of an empty list, the screen itself says what there is to say.
        _ if list.is_empty() => Markup::default(),
        More::No => markup! { p.muted { (t::activity::beginning()) } },
        More::Asking => markup! { p.muted role="status" { (t::app::loading()) } },
        More::After(_) => markup! { button.button type="button" data-action="more" { (t::app::more()) } },
        More::Failed(_, error) => {
            let (title, help) = explain(&error);
            markup! {
                p role="alert" { (title) ". " (help) }
                button.button type="button" data-action="more" { (t::app::retry()) }
            }
        }
    };
    view! { <div class="load-more" node_ref=end>{live_with(rest, move |_, _| list.grow())}</div> }
}

fn nothing(is_everything: bool) -> Markup {
    if is_everything {
        let home = markup! { a.button href=(Route::Home.path()) { (t::nav::home()) } };
        empty("bag", &t::activity::none(), &t::activity::none_help(), &home)
    } else {
        empty(
            "list",
            &t::activity::none_such(),
            &t::activity::none_such_help(),
            &Markup::default(),
        )
    }
}
