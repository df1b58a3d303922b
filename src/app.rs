//! Starts the wallet: texts, programme and status at once, then the screen for where one is.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::programme::Programme;

use crate::api::{self, ApiError, Known, Way};
use crate::browser::{document, timer};
use crate::components::failure::{load_failed, remembered_note};
use crate::components::live::{live, live_with};
use crate::components::nav::{mark_current, nav};
use crate::data::{Answer, Events, InSight, Remembered, Spending, sooner, use_in_sight};
use crate::intl::{self, t};
use crate::pages;
use crate::pages::later::Later;
use crate::routes::{Route, Router};
use crate::state::{Connectivity, Preferences, Session, provide_programme, use_programme, watch};
use crate::theme;

/// How long the first screen is left alone before those behind it are fetched.
const REST: Duration = Duration::from_millis(300);

/// How long home as it was last seen waits for what is known now.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far the wallet is with starting.
#[derive(Clone, PartialEq, Eq)]
enum Start {
    /// The static shell of the page stands meanwhile.
    Fetching,
    /// Texts and programme are there, in the language chosen.
    Ready(Arc<Programme>),
    /// One of them is not.
    Failed(ApiError),
}

/// The wallet.
#[component]
pub fn App() -> impl IntoView {
    let router = Router::provide();
    let session = Session::provide();
    let language = page_language();
    intl::set_language(&language, Default::default());
    let preferences = Preferences::provide(language);
    let remembered = Remembered::provide(session);
    pages::sign_in::provide_form();
    let form = pages::sign_in::use_form();
    let is_joining = Memo::new(move |_| form.is_joining());
    pages::report::provide_draft();
    let spending = Spending::provide(session, remembered, Connectivity::provide());
    InSight::provide(session, remembered.status);
    Events::provide(session, remembered);
    remembered.ask_ahead(router.route_untracked() == Route::Home && !session.is_signed_out_untracked());

    let later = Later::new();
    let start = RwSignal::new(Start::Fetching);
    watch(move || spawn_local(fetch(preferences.language(), start, preferences, remembered, later)));
    let again = move || {
        let language = preferences.language_untracked();
        spawn_local(fetch(language, start, preferences, remembered, later));
    };
    let _ = window_event_listener_untyped("lw-again", move |_| {
        if matches!(*start.read_untracked(), Start::Failed(_)) {
            again();
        }
    });
    let is_first_ready =
        Memo::new(move |_| router.route() != Route::Home || session.is_signed_out() || remembered.knows_home());
    // Home as it was last seen stands until there is as much to show in its place, or that takes too long.
    let is_awaited = RwSignal::new(document::shows_what_was_seen());
    set_timeout(move || is_awaited.set(false), PATIENCE);
    let is_covered = RwSignal::new(true);
    watch(move || {
        let has_more = match start.get() {
            Start::Fetching => false,
            Start::Ready(_) => !is_awaited.get() || is_first_ready.get(),
            Start::Failed(_) => true,
        };
        if has_more && is_covered.get_untracked() {
            document::remove_shell();
            is_covered.set(false);
        }
    });
    watch(move || {
        if router.route() != Route::Home {
            later.fetch();
        } else if is_first_ready.get() {
            // Whoever opened the first screen waits for it alone.
            set_timeout(move || later.fetch(), REST);
        }
    });
    let mut was_signed_in = false;
    watch(move || {
        let is_signed_out = session.is_signed_out();
        if is_signed_out && was_signed_in {
            remembered.forget();
            spending.forget();
        }
        was_signed_in = !is_signed_out;
    });

    let shown = move || if is_covered.get() { Start::Fetching } else { start.get() };
    move || match shown() {
        Start::Fetching => ().into_any(),
        Start::Failed(error) => {
            let failed = move || load_failed(&error);
            view! { <main class="screen" id="main">{live_with(failed, move |_, _| again())}</main> }.into_any()
        }
        Start::Ready(programme) => {
            let is_demo = programme.demo;
            provide_programme(programme);
            view! {
                <div class="app">
                    {is_demo.then(|| view! { <p class="demo-ribbon">{t::app::demo()}</p> })}
                    {move || {
                        if session.is_signed_out() && is_joining.get() {
                            let joining = later.screen(Route::Join);
                            view! { <main class="signin" id="main" data-step="join">{joining}</main> }.into_any()
                        } else if session.is_signed_out() {
                            view! { <pages::sign_in::SignInPage /> }.into_any()
                        } else {
                            view! { <Screens router later /> }.into_any()
                        }
                    }}
                </div>
            }
            .into_any()
        }
    }
}

/// The frame of a signed-in member, and in it the screen for where they are.
#[component]
fn Screens(router: Router, later: Later) -> impl IntoView {
    let programme = use_programme();
    let in_sight = use_in_sight();
    watch(move || mark_current(&router.route()));
    view! {
        <a class="skip-link" href="#main">{t::app::skip()}</a>
        {live(move || nav(&router.route_untracked(), &programme))}
        {move || {
            let route = router.screen();
            let width = match route {
                Route::Activity | Route::You | Route::Code => Some("narrow"),
                Route::Profile | Route::Address | Route::Messages | Route::Devices | Route::Leave => Some("narrow"),
                Route::Card | Route::Programme => Some("narrow"),
                Route::Vouchers | Route::Voucher(_) => Some("narrow"),
                Route::Entry(_) | Route::Report(_) | Route::Statement | Route::Claim => Some("narrow"),
                _ => None,
            };
            // Where points are moved, what became of it stands beside the tap.
            let is_told_elsewhere = matches!(route, Route::Convert | Route::Reward(_) | Route::Voucher(_));
            // Where nobody is in the middle of something.
            let has_aside = matches!(route, Route::Home | Route::You);
            let page = match route {
                Route::Home | Route::Join => view! { <pages::home::HomePage /> }.into_any(),
                route => later.screen(route),
            };
            view! {
                <main class="screen" id="main" tabindex="-1" data-width=width data-enter=router.has_moved().then_some("")>
                    {live_with(move || remembered_note(in_sight.remembered()), move |_, _| in_sight.ask_again())}
                    {(!is_told_elsewhere).then(|| view! { <pages::commit::Outcome /> })}
                    {page}
                </main>
                {has_aside.then_some(move || later.aside())}
            }
        }}
    }
}

/// Fetches the texts and the programme in a language, both at once.
async fn fetch(
    language: String,
    start: RwSignal<Start>,
    preferences: Preferences,
    remembered: Remembered,
    later: Later,
) {
    let texts = api::programme::get_texts(&language, "");
    let programme = |way| Box::pin(api::programme::get_programme(language.clone(), way));
    let asked = sooner(programme(Way::Recall), programme(Way::Ask));
    let (texts, (programme, coming)) = futures::join!(texts, asked);
    let is_running = matches!(*start.read_untracked(), Start::Ready(_));
    let texts = match texts {
        Ok(texts) if is_running => later.change_language(&language).await.map(|()| texts),
        texts => texts,
    };
    if preferences.language_untracked() != language {
        // Another language was chosen meanwhile.
        return;
    }
    match (texts, programme) {
        (Ok(texts), Ok(Known { value: programme, .. })) => {
            intl::set_language(&language, texts);
            intl::set_programme(&programme);
            theme::apply(&programme.theme.accent);
            timer::breathe().await;
            if is_running {
                remembered.refresh();
            }
            let main = || document::element("main");
            let focused = main().and_then(|main| document::focused_within(&main));
            start.set(Start::Ready(Arc::new(programme)));
            // Everything is made anew, and whoever chose another language goes on where they were.
            if let Some(focused) = focused {
                timer::after_picture(move || {
                    if let Some(main) = main() {
                        document::focus_again(&main, &focused);
                    }
                });
            }
            if let Some(coming) = coming {
                confirm(coming, language, start, preferences).await;
            }
        }
        // A wallet that runs goes on in the language that it has.
        (Err(error), _) | (_, Err(error)) if is_running => {
            preferences.keep_language(&intl::language(), error);
        }
        (Ok(texts), Err(error)) => {
            intl::set_language(&language, texts);
            start.set(Start::Failed(error));
        }
        (Err(_), _) => document::show_that_nothing_opened(),
    }
}

/// Shows the wallet anew if the programme is no longer the one that was kept.
async fn confirm(coming: Answer<Programme>, language: String, start: RwSignal<Start>, preferences: Preferences) {
    let Ok(known) = coming.await else { return };
    let is_same = matches!(&*start.read_untracked(), Start::Ready(kept) if **kept == known.value);
    if !is_same && preferences.language_untracked() == language {
        intl::set_programme(&known.value);
        theme::apply(&known.value.theme.accent);
        start.set(Start::Ready(Arc::new(known.value)));
    }
}

/// The language that `boot.js` chose, as far as there is a file for it.
fn page_language() -> String {
    let chosen = document::document()
        .and_then(|d| d.document_element())
        .and_then(|root| root.get_attribute("lang"));
    let known = intl::t::LANGUAGES
        .iter()
        .find(|known| chosen.as_deref() == Some(**known));
    (*known.unwrap_or(&"en")).to_owned()
}
