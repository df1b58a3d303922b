//! What the wallet knows of the server's side, and how fresh that is.
//!
//! A [`Source`] is one thing (the status), [`Pages`] a list that grows (the ledger). Both keep what they had while
//! they ask again, so going back to a screen shows it at once; both are emptied when a session ends.

mod events;
mod in_sight;
pub mod member_code;
mod pages;
mod remember;
mod source;
mod spending;

pub use events::{Events, use_events};
pub use in_sight::{InSight, use_in_sight};
pub use pages::{More, Pages};
pub use remember::{Answer, sooner};
pub use source::Source;
pub use spending::{Deed, Spending, Standing, use_spending};

use leptos::prelude::*;
use loyalty_contract::ledger::LedgerEntry;
use loyalty_contract::redemptions::{Redemption, RedemptionState};
use loyalty_contract::rewards::{AvailabilityFilter, Reward};
use loyalty_contract::status::Status;

use crate::api::profile::Held;
pub use crate::api::rewards::CatalogueFilter;
use crate::api::{self, ApiError, Known, Way};
use crate::state::Session;

/// What a screen can say about something it asked for. Each looks different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Load<T> {
    /// Nothing yet.
    Loading,
    /// As the server just said it.
    Ready(T),
    /// As the server said it earlier. Why asking again failed, or nothing while the answer is on its way.
    Stale(T, Option<ApiError>),
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

    /// Takes in that asking failed, and keeps the value. Whether that is news.
    fn fail(&mut self, error: ApiError) -> bool {
        if matches!(self, Self::Stale(_, Some(earlier)) | Self::Failed(earlier) if *earlier == error) {
            return false;
        }
        *self = match std::mem::replace(self, Self::Loading) {
            Self::Ready(value) | Self::Stale(value, _) => Self::Stale(value, Some(error)),
            Self::Loading | Self::Failed(_) => Self::Failed(error),
        };
        true
    }

    /// Whoever asks again sees that it is asked for. Whether that is news.
    fn leave_failure(&mut self) -> bool {
        let has_failed = matches!(self, Self::Failed(_));
        if has_failed {
            *self = Self::Loading;
        }
        has_failed
    }

    /// Where the value is of earlier: why asking again failed, if it did.
    fn trouble(&self) -> Option<Option<ApiError>> {
        match self {
            Self::Stale(_, error) => Some(error.clone()),
            _ => None,
        }
    }

    /// Whether this is more than what was kept of an earlier visit.
    fn is_settled(&self) -> bool {
        matches!(self, Self::Ready(_) | Self::Stale(_, Some(_)))
    }

    /// Whether asking did not work.
    fn is_unanswered(&self) -> bool {
        matches!(self, Self::Stale(_, Some(_)) | Self::Failed(_))
    }
}

/// How many rewards the home screen shows.
const HIGHLIGHTS: &str = "3";

/// Everything remembered of one member. Provided once, for all screens.
#[derive(Clone, Copy)]
pub struct Remembered {
    /// What they have.
    pub status: Source<Status>,
    /// Who they are to the shop.
    pub profile: Source<Held>,
    /// A few rewards for the home screen: those within reach, else the nearest.
    pub highlights: Source<Vec<Reward>>,
    /// The catalogue, by its filter.
    pub catalogue: Pages<Reward>,
    /// The catalogue's filter; it stays when one looks at a reward and comes back.
    pub catalogue_filter: RwSignal<CatalogueFilter>,
    /// Vouchers that can be used.
    pub open_vouchers: Source<Vec<Redemption>>,
    /// Every voucher, newest first.
    pub vouchers: Pages<Redemption>,
    /// What happened, by its filter.
    pub ledger: Pages<LedgerEntry>,
    /// Which kinds the ledger shows, separated by commas; `None` for all.
    pub ledger_filter: RwSignal<Option<&'static str>>,
}

impl Remembered {
    /// Sets everything up; nothing is asked for yet.
    pub fn provide(session: Session) -> Self {
        let remembered = Self {
            status: Source::new(session, api::status::get_status).proving_session(),
            profile: Source::new(session, api::profile::get_profile),
            highlights: Source::new(session, list_highlights),
            catalogue: Pages::new(session),
            catalogue_filter: RwSignal::new(CatalogueFilter::default()),
            open_vouchers: Source::new(session, list_open_vouchers),
            vouchers: Pages::new(session),
            ledger: Pages::new(session),
            ledger_filter: RwSignal::new(None),
        };
        provide_context(remembered);
        remembered
    }

    /// Asks for the status ahead of any screen, and for all of home where that comes first.
    pub fn ask_ahead(&self, is_home_first: bool) {
        self.status.ask_ahead();
        if is_home_first {
            self.highlights.ask_ahead();
            self.open_vouchers.ask_ahead();
        }
    }

    /// Whether there is something to show for each part of home; follows every change.
    pub fn knows_home(&self) -> bool {
        self.status.is_known() && self.highlights.is_known() && self.open_vouchers.is_known()
    }

    /// Says how to ask for the lists; called by the screens that show them, so that it lies where they do.
    pub fn know_lists(&self) {
        let (catalogue_filter, ledger_filter) = (self.catalogue_filter, self.ledger_filter);
        self.catalogue.ask_with(move |way, after| async move {
            let filter = catalogue_filter.get_untracked();
            api::rewards::list_rewards(way, &filter, api::PAGE, after.as_deref()).await
        });
        self.vouchers.ask_with(|way, after| async move {
            api::redemptions::list_redemptions(way, None, after.as_deref()).await
        });
        self.ledger.ask_with(move |way, after| async move {
            api::ledger::list_entries(way, ledger_filter.get_untracked(), after.as_deref()).await
        });
    }

    /// An entry of the ledger, as far as it has been read.
    pub fn entry(&self, id: &str) -> Option<LedgerEntry> {
        let load = self.ledger.get_untracked();
        let pages = load.value()?;
        pages
            .iter()
            .flat_map(|page| page.iter())
            .find(|entry| entry.id == id)
            .cloned()
    }

    /// Forgets everything: another member may be next.
    pub fn forget(&self) {
        self.status.forget();
        self.profile.forget();
        self.highlights.forget();
        self.catalogue.forget();
        self.catalogue_filter.set(CatalogueFilter::default());
        self.open_vouchers.forget();
        self.vouchers.forget();
        self.ledger.forget();
        self.ledger_filter.set(None);
    }

    /// Asks again for the status, and forgets the rest until a screen wants it: in another language, say.
    pub fn refresh(&self) {
        self.status.refresh();
        self.profile.forget();
        self.highlights.forget();
        self.catalogue.forget();
        self.open_vouchers.forget();
        self.vouchers.forget();
        self.ledger.forget();
    }

    /// Asks again for everything that changes with the balance, as far as a screen wanted it before.
    pub fn points_moved(&self) {
        self.status.refresh();
        self.open_vouchers.refresh_known();
        self.highlights.refresh_known();
        self.vouchers.refresh_known();
        self.ledger.refresh_known();
        self.catalogue.refresh_known();
    }
}

/// What [`Remembered::provide`] made.
pub fn use_remembered() -> Remembered {
    expect_context()
}

async fn list_open_vouchers(way: Way) -> Result<Known<Vec<Redemption>>, ApiError> {
    let page = api::redemptions::list_redemptions(way, Some(RedemptionState::Reserved), None).await?;
    Ok(page.map(|page| page.items))
}

async fn list_highlights(way: Way) -> Result<Known<Vec<Reward>>, ApiError> {
    let ready = highlights(way, AvailabilityFilter::Ready).await?;
    if !ready.value.is_empty() {
        return Ok(ready);
    }
    highlights(way, AvailabilityFilter::Soon).await
}

async fn highlights(way: Way, availability: AvailabilityFilter) -> Result<Known<Vec<Reward>>, ApiError> {
    let filter = CatalogueFilter {
        availability,
        ..CatalogueFilter::default()
    };
    let page = api::rewards::list_rewards(way, &filter, HIGHLIGHTS, None).await?;
    Ok(page.map(|page| page.items))
}
