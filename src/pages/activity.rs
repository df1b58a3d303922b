//! Everything that happened to the balance, by days, newest first.

use leptos::html;
use leptos::prelude::*;
use loyalty_contract::Instant;
use loyalty_contract::ledger::LedgerEntry;
use maud::{Markup, html as markup};

use crate::browser;
use crate::browser::viewport;
use crate::components::chips::{Chip, Chips};
use crate::components::entry_row::entry_row;
use crate::components::failure::{empty, explain, load_failed};
use crate::components::live::live_with;
use crate::components::page_heading::PageHeading;
use crate::components::skeleton;
use crate::data::{Load, More, Pages, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;

/// The ledger with its filters.
#[component]
pub fn ActivityPage() -> impl IntoView {
    let remembered = use_remembered();
    let list = remembered.ledger;
    list.want();
    let instead = move || match list.get() {
        Load::Loading => skeleton::ledger(),
        Load::Failed(error) | Load::Stale(_, error) => load_failed(&error),
        Load::Ready(pages) if pages.iter().all(|page| page.is_empty()) => {
            nothing(remembered.ledger_filter.get_untracked().is_none())
        }
        Load::Ready(_) => Markup::default(),
    };
    let has_entries =
        Memo::new(move |_| matches!(list.get(), Load::Ready(pages) if pages.iter().any(|page| !page.is_empty())));
    view! {
        <div class="page-heading"><PageHeading title=t::nav::activity() /></div>
        <Chips label=t::activity::filter() chips=chips() />
        {live_with(instead, move |_| list.refresh())}
        {move || has_entries.get().then(|| view! { <Ledger list /> })}
    }
}

/// Which kinds to show.
fn chips() -> Vec<Chip> {
    let remembered = use_remembered();
    [
        (None, t::activity::all()),
        (Some("earn,bonus"), t::activity::earned()),
        (Some("spend,release,refund"), t::activity::used()),
        (Some("return"), t::activity::returned()),
        (Some("expire"), t::activity::expired()),
        (Some("adjust"), t::activity::corrected()),
    ]
    .map(|(kinds, label)| {
        let press = move |()| {
            remembered.ledger_filter.set(kinds);
            remembered.ledger.forget();
            remembered.ledger.refresh();
        };
        (
            label,
            Signal::derive(move || remembered.ledger_filter.get() == kinds),
            Callback::new(press),
        )
    })
    .into()
}

/// The entries. Growing adds a page below and touches nothing above, however long the list is.
#[component]
fn Ledger(list: Pages<LedgerEntry>) -> impl IntoView {
    let chunks = move || {
        let pages = match list.get() {
            Load::Ready(pages) | Load::Stale(pages, _) => pages,
            Load::Loading | Load::Failed(_) => Vec::new(),
        };
        let before = std::iter::once(None).chain(pages.iter().map(|page| page.last().map(|entry| entry.at)));
        pages.iter().cloned().zip(before).enumerate().collect::<Vec<_>>()
    };
    view! {
        <section class="card" data-kind="ledger">
            <For each=chunks key=|(index, _)| *index children=|(_, (page, before))| {
                view! { <div class="live" inner_html=chunk(&page, before).into_string()></div> }
            } />
        </section>
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
    end.on_load(move |end| viewport::when_near(&end, move || list.grow()));
    let rest = move || match list.more() {
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
    view! { <div class="load-more" node_ref=end>{live_with(rest, move |_| list.grow())}</div> }
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
