//! What the wallet knows of the server's side, and how fresh that is.
//!
//! A [`Source`] is one thing (the status), [`Pages`] a list that grows (the ledger). Both keep what they had while
//! they ask again, so going back to a screen shows it at once; both are emptied when a session ends.

mod pages;
mod source;

pub use pages::{More, Pages};
pub use source::Source;

use leptos::prelude::*;
use loyalty_contract::Page;
use loyalty_contract::ledger::{EntryKind, LedgerEntry, LedgerQuery};
use loyalty_contract::rewards::{AvailabilityFilter, Reward, RewardKind, RewardQuery, RewardSort};
use loyalty_contract::status::Status;

use crate::api::{self, ApiError};
use crate::state::Session;

/// What a screen can say about something it asked for. Each looks different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Load<T> {
    /// Nothing yet.
    Loading,
    /// As the server just said it.
    Ready(T),
    /// As the server said it earlier; asking again failed.
    Stale(T, ApiError),
    /// Nothing, and why.
    Failed(ApiError),
}

impl<T> Load<T> {
    /// The value, fresh or not.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Ready(value) | Self::Stale(value, _) => Some(value),
            Self::Loading | Self::Failed(_) => None,
        }
    }
}

/// Which rewards the catalogue shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFilter {
    /// By whether they can be had.
    pub availability: AvailabilityFilter,
    /// Only this kind.
    pub kind: Option<RewardKind>,
    /// Words to look for.
    pub words: String,
    /// In which order.
    pub sort: RewardSort,
}

impl Default for CatalogueFilter {
    fn default() -> Self {
        Self {
            availability: AvailabilityFilter::All,
            kind: None,
            words: String::new(),
            sort: RewardSort::default(),
        }
    }
}

/// How many rewards the home screen shows.
const HIGHLIGHTS: u32 = 3;
/// How many entries of a list come at once.
const PAGE: u32 = 50;

/// Everything remembered of one member. Provided once, for all screens.
#[derive(Clone, Copy)]
pub struct Remembered {
    /// What they have.
    pub status: Source<Status>,
    /// A few rewards for the home screen: those within reach, else the nearest.
    pub highlights: Source<Vec<Reward>>,
    /// The catalogue, by its filter.
    pub catalogue: Pages<Reward>,
    /// The catalogue's filter; it stays when one looks at a reward and comes back.
    pub catalogue_filter: RwSignal<CatalogueFilter>,
    /// What happened, by its filter.
    pub ledger: Pages<LedgerEntry>,
    /// Which kinds the ledger shows; empty for all.
    pub ledger_filter: RwSignal<&'static [EntryKind]>,
}

impl Remembered {
    /// Sets everything up; nothing is asked for yet.
    pub fn provide(session: Session) -> Self {
        let catalogue_filter = RwSignal::new(CatalogueFilter::default());
        let ledger_filter = RwSignal::new(&[] as &'static [EntryKind]);
        let remembered = Self {
            status: Source::new(session, move || async move {
                let status = api::status::get_status().await?;
                session.started();
                Ok(status)
            }),
            highlights: Source::new(session, list_highlights),
            catalogue: Pages::new(session, move |after| {
                let filter = catalogue_filter.get_untracked();
                list_catalogue(filter, after)
            }),
            catalogue_filter,
            ledger: Pages::new(session, move |after| list_entries(ledger_filter.get_untracked(), after)),
            ledger_filter,
        };
        provide_context(remembered);
        remembered
    }

    /// Forgets everything: another member may be next.
    pub fn forget(&self) {
        self.status.forget();
        self.highlights.forget();
        self.catalogue.forget();
        self.catalogue_filter.set(CatalogueFilter::default());
        self.ledger.forget();
        self.ledger_filter.set(&[]);
    }

    /// Asks again for everything that is there, in another language perhaps.
    pub fn refresh(&self) {
        self.status.refresh();
        self.highlights.forget();
        self.catalogue.forget();
        self.ledger.forget();
    }
}

/// What [`Remembered::provide`] made.
pub fn use_remembered() -> Remembered {
    expect_context()
}

async fn list_highlights() -> Result<Vec<Reward>, ApiError> {
    let ask = |availability| RewardQuery {
        availability: Some(availability),
        limit: Some(HIGHLIGHTS),
        ..RewardQuery::default()
    };
    let ready = api::rewards::list_rewards(&ask(AvailabilityFilter::Ready)).await?.items;
    if !ready.is_empty() {
        return Ok(ready);
    }
    Ok(api::rewards::list_rewards(&ask(AvailabilityFilter::Soon)).await?.items)
}

async fn list_catalogue(filter: CatalogueFilter, after: Option<String>) -> Result<Page<Reward>, ApiError> {
    let words = filter.words.trim();
    let query = RewardQuery {
        kind: filter.kind,
        q: (!words.is_empty()).then(|| words.to_owned()),
        availability: Some(filter.availability),
        sort: Some(filter.sort),
        limit: Some(PAGE),
        after,
    };
    api::rewards::list_rewards(&query).await
}

async fn list_entries(kinds: &'static [EntryKind], after: Option<String>) -> Result<Page<LedgerEntry>, ApiError> {
    let names: Vec<String> = kinds
        .iter()
        .filter_map(|kind| serde_json::to_value(kind).ok()?.as_str().map(str::to_owned))
        .collect();
    let query = LedgerQuery {
        kind: (!names.is_empty()).then(|| names.join(",")),
        limit: Some(PAGE),
        after,
        ..LedgerQuery::default()
    };
    api::ledger::list_ledger(&query).await
}
