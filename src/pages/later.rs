//! The screens that a first visit does not open at once: they lie in a second file of the program, which is fetched as
//! soon as the first screen has what it needs.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{
    activity, aside, card, claim, code, convert, entry, home, join, not_found, programme, report, reward, rewards,
    statement, tier, voucher, vouchers, you,
};
use crate::api::{self, ApiError};
use crate::browser::document;
use crate::components::failure::load_failed;
use crate::components::live::{live, live_with};
use crate::components::skeleton;
use crate::data::use_remembered;
use crate::intl;
use crate::routes::Route;
use crate::state::use_programme;

/// How far the second file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetched {
    NotAsked,
    Asking,
    Here,
    Failed,
}

/// The second file of the program.
#[derive(Clone, Copy)]
pub struct Later(RwSignal<Fetched>);

impl Later {
    /// Nothing is fetched yet.
    pub fn new() -> Self {
        Self(RwSignal::new(Fetched::NotAsked))
    }

    /// Fetches the file, unless it is there or on its way.
    pub fn fetch(self) {
        if matches!(self.0.get_untracked(), Fetched::Asking | Fetched::Here) {
            return;
        }
        self.0.set(Fetched::Asking);
        spawn_local(async move {
            let language = intl::language();
            let texts = file::fetch_texts(&language);
            let (is_here, texts, ()) = futures::join!(file::fetch(), texts, api::programme::get_styles());
            let is_here = is_here && texts.is_ok();
            self.0.set(if is_here { Fetched::Here } else { Fetched::Failed });
            document::tell(if is_here { "lw-ready" } else { "lw-missing" });
        });
    }

    /// Gets the texts of these screens in another language, where they were wanted in one before.
    pub async fn change_language(self, language: &str) -> Result<(), ApiError> {
        match self.0.get_untracked() {
            Fetched::NotAsked => Ok(()),
            _ => file::fetch_texts(language).await,
        }
    }

    /// The screen for where one is; until the file is there a frame, or what went wrong.
    pub fn screen(self, route: Route) -> AnyView {
        match self.0.get() {
            Fetched::NotAsked | Fetched::Asking => live(skeleton::cards),
            Fetched::Failed => live_with(|| load_failed(&ApiError::Unreachable), move |_, _| self.fetch()),
            Fetched::Here => shown(Some(route)),
        }
    }

    /// What stands beside some of them, once the file is there.
    pub fn aside(self) -> AnyView {
        match self.0.get() {
            Fetched::Here => shown(None),
            _ => ().into_any(),
        }
    }
}

fn shown(route: Option<Route>) -> AnyView {
    file::show(route).unwrap_or_else(|| ().into_any())
}

/// A screen, or what stands beside one.
fn show(route: Option<Route>) -> AnyView {
    match route {
        Some(route) => screen(route),
        None => view! { <aside::Aside /> }.into_any(),
    }
}

/// The screens themselves.
fn screen(route: Route) -> AnyView {
    use_remembered().know_lists();
    aside::notice_what_comes_in();
    let has_tiers = !use_programme().tiers.is_empty();
    match route {
        Route::Home => view! { <home::HomePage /> }.into_any(),
        Route::Join => view! { <join::JoinPage /> }.into_any(),
        Route::Rewards => view! { <rewards::RewardsPage /> }.into_any(),
        Route::Reward(id) => view! { <reward::RewardPage id /> }.into_any(),
        Route::Convert => view! { <convert::ConvertPage /> }.into_any(),
        Route::Vouchers => view! { <vouchers::VouchersPage /> }.into_any(),
        Route::Voucher(id) => view! { <voucher::VoucherPage id /> }.into_any(),
        Route::Code => view! { <code::CodePage /> }.into_any(),
        Route::Activity => view! { <activity::ActivityPage /> }.into_any(),
        Route::Entry(id) => view! { <entry::EntryPage id /> }.into_any(),
        Route::Report(id) => view! { <report::ReportPage id /> }.into_any(),
        Route::Statement => view! { <statement::StatementPage /> }.into_any(),
        Route::Claim => view! { <claim::ClaimPage /> }.into_any(),
        Route::You => view! { <you::YouPage /> }.into_any(),
        Route::Profile => view! { <you::profile::ProfilePage /> }.into_any(),
        Route::Address => view! { <you::address::AddressPage /> }.into_any(),
        Route::Messages => view! { <you::messages::MessagesPage /> }.into_any(),
        Route::Devices => view! { <you::devices::DevicesPage /> }.into_any(),
        Route::Leave => view! { <you::leave::LeavePage /> }.into_any(),
        Route::Card => view! { <card::CardPage /> }.into_any(),
        Route::Tier if has_tiers => view! { <tier::TierPage /> }.into_any(),
        Route::Programme => view! { <programme::ProgrammePage /> }.into_any(),
        Route::NotFound | Route::Tier => view! { <not_found::NotFoundPage /> }.into_any(),
    }
}

/// The door to the second file. What lies behind it alone is put there when the program is split.
#[cfg(feature = "split")]
mod file {
    // What the macro makes calls from one file of the program into the other.
    #![allow(unsafe_code, improper_ctypes, improper_ctypes_definitions)]

    use futures::FutureExt;
    use leptos::prelude::AnyView;
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    use crate::api::{self, ApiError};
    use crate::intl;
    use crate::routes::Route;

    /// Fetches the texts of these screens.
    pub async fn fetch_texts(language: &str) -> Result<(), ApiError> {
        let texts = api::programme::get_texts(language, "-screens").await?;
        intl::set_texts_behind(language, texts);
        Ok(())
    }

    /// Fetches the file; says whether it is there.
    pub async fn fetch() -> bool {
        preload().await.is_ok()
    }

    /// Something of the file; nothing before it is there.
    pub fn show(route: Option<Route>) -> Option<AnyView> {
        open(route).now_or_never()?.ok()
    }

    #[wasm_split(screens, fallible, preload(preload))]
    fn open(route: Option<Route>) -> Result<AnyView, SplitLoaderError> {
        Ok(super::show(route))
    }
}

/// In a build of one file everything is there.
#[cfg(not(feature = "split"))]
mod file {
    use leptos::prelude::AnyView;

    use crate::api::ApiError;
    use crate::routes::Route;

    /// Fetches nothing.
    pub async fn fetch_texts(_: &str) -> Result<(), ApiError> {
        Ok(())
    }

    /// Fetches nothing.
    pub async fn fetch() -> bool {
        true
    }

    /// Something that lies in the second file of a split build.
    #[expect(clippy::unnecessary_wraps, reason = "split, it can be missing")]
    pub fn show(route: Option<Route>) -> Option<AnyView> {
        Some(super::show(route))
    }
}
