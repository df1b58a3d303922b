//! Everything that happened to the balance, by days, newest first.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use loyalty_contract::Instant;
use loyalty_contract::ledger::{EntryKind, LedgerEntry};

use crate::browser;
use crate::browser::viewport;
use crate::components::entry_row::EntryRow;
use crate::components::failure::{Empty, LoadFailed, explain};
use crate::components::page_heading::PageHeading;
use crate::components::skeleton::LedgerSkeleton;
use crate::data::{Load, More, Pages, use_remembered};
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;

const EARNED: &[EntryKind] = &[EntryKind::Earn, EntryKind::Bonus];
const USED: &[EntryKind] = &[EntryKind::Spend, EntryKind::Release, EntryKind::Refund];
const RETURNED: &[EntryKind] = &[EntryKind::Return];
const EXPIRED: &[EntryKind] = &[EntryKind::Expire];
const CORRECTED: &[EntryKind] = &[EntryKind::Adjust];

/// The ledger with its filters.
#[component]
pub fn ActivityPage() -> impl IntoView {
    let remembered = use_remembered();
    let list = remembered.ledger;
    list.want();
    view! {
        <div class="page-heading"><PageHeading title=t::nav::activity() /></div>
        <Filters />
        {move || match list.get() {
            Load::Loading => view! { <LedgerSkeleton /> }.into_any(),
            Load::Failed(error) | Load::Stale(_, error) => {
                view! { <LoadFailed error on_retry=move || list.refresh() /> }.into_any()
            }
            Load::Ready(pages) if pages.iter().all(|page| page.is_empty()) => view! { <Nothing /> }.into_any(),
            Load::Ready(_) => view! { <Ledger list /> }.into_any(),
        }}
    }
}

#[component]
fn Filters() -> impl IntoView {
    let remembered = use_remembered();
    let chips = [
        (&[] as &'static [EntryKind], t::activity::all()),
        (EARNED, t::activity::earned()),
        (USED, t::activity::used()),
        (RETURNED, t::activity::returned()),
        (EXPIRED, t::activity::expired()),
        (CORRECTED, t::activity::corrected()),
    ]
    .map(|(kinds, label)| {
        let choose = move |_| {
            remembered.ledger_filter.set(kinds);
            remembered.ledger.forget();
            remembered.ledger.refresh();
        };
        view! {
            <button
                type="button"
                class="chip"
                aria-pressed=move || (remembered.ledger_filter.get() == kinds).to_string()
                on:click=choose
            >
                {label}
            </button>
        }
    });
    view! { <div class="chips" role="group" aria-label=t::activity::filter()>{chips.collect_view()}</div> }
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
            <For each=chunks key=|(index, _)| *index children=|(_, (page, before))| chunk(page, before) />
        </section>
        <Rest list />
    }
}

/// A page of entries, grouped by days; a day that began on the page before goes on without its name.
fn chunk(page: Arc<Vec<LedgerEntry>>, before: Option<Instant>) -> impl IntoView {
    page.chunk_by(|a, b| intl::same_day(a.at, b.at))
        .filter_map(|entries| Some((entries.first()?.at, entries)))
        .map(|(at, entries)| {
            let goes_on = before.is_some_and(|before| intl::same_day(before, at));
            let rows = entries
                .iter()
                .cloned()
                .map(|entry| view! { <EntryRow entry /> })
                .collect_view();
            view! {
                <div class="day-group">
                    {(!goes_on).then(|| view! { <h2 class="day">{day_name(at)}</h2> })}
                    <ul>{rows}</ul>
                </div>
            }
        })
        .collect_view()
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
    view! {
        <div class="load-more" node_ref=end>
            {move || match list.more() {
                More::No => view! { <p class="muted">{t::activity::beginning()}</p> }.into_any(),
                More::Asking => view! { <p class="muted" role="status">{t::app::loading()}</p> }.into_any(),
                More::After(_) => view! {
                    <button type="button" class="button" on:click=move |_| list.grow()>{t::app::more()}</button>
                }
                    .into_any(),
                More::Failed(_, error) => {
                    let (title, help) = explain(&error);
                    view! {
                        <p role="alert">{title} " " {help}</p>
                        <button type="button" class="button" on:click=move |_| list.grow()>{t::app::retry()}</button>
                    }
                        .into_any()
                }
            }}
        </div>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    if use_remembered().ledger_filter.get_untracked().is_empty() {
        view! {
            <Empty icon="bag" title=t::activity::none() help=t::activity::none_help()>
                <a class="button" href=Route::Home.path()>{t::nav::home()}</a>
            </Empty>
        }
        .into_any()
    } else {
        view! { <Empty icon="list" title=t::activity::none_such() help=t::activity::none_such_help() /> }.into_any()
    }
}
