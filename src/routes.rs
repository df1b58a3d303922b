//! Where one can be in the wallet: typed paths over the browser's own history.
//!
//! Links are plain `<a href>`: one listener turns a click on any of them into a change of [`Route`] without loading
//! the page again. A new screen begins at its top with the focus on its heading; going back returns to where one was.

use js_sys::{Array, Reflect};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, MouseEvent, Url};

use crate::browser::timer::after_picture;

/// A screen of the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// What one has, and what it is worth.
    Home,
    /// The catalogue.
    Rewards,
    /// One reward, by its id.
    Reward(String),
    /// Points and money, in both directions.
    Convert,
    /// Every voucher.
    Vouchers,
    /// One voucher, by its id.
    Voucher(String),
    /// What to show or say at the counter.
    Code,
    /// Everything that happened.
    Activity,
    /// One thing that happened, by its id.
    Entry(String),
    /// Telling the shop that one of them is wrong.
    Report(String),
    /// What happened in some time, with its sums.
    Statement,
    /// Asking for the points of a purchase that was missed.
    Claim,
    /// Oneself and the settings.
    You,
    /// Who one is to the shop.
    Profile,
    /// Another address to sign in with.
    Address,
    /// What one wants to be written to about.
    Messages,
    /// Where one is signed in.
    Devices,
    /// Leaving for good.
    Leave,
    /// A card to print.
    Card,
    /// The ladder.
    Tier,
    /// The programme: its rule, its terms, its shops.
    Programme,
    /// Where a link to join leads; who is a member already finds the home screen.
    Join,
    /// Nothing is here.
    NotFound,
}

impl Route {
    /// Reads a path; whatever is unknown is [`Route::NotFound`].
    pub fn parse(path: &str) -> Self {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Self::Home,
            (Some("rewards"), None, _) => Self::Rewards,
            (Some("rewards"), Some(id), None) => Self::Reward(id.to_owned()),
            (Some("use"), None, _) => Self::Convert,
            (Some("vouchers"), None, _) => Self::Vouchers,
            (Some("vouchers"), Some(id), None) => Self::Voucher(id.to_owned()),
            (Some("code"), None, _) => Self::Code,
            (Some("activity"), None, _) => Self::Activity,
            (Some("activity"), Some(id), None) => Self::Entry(id.to_owned()),
            (Some("activity"), Some(id), Some("report")) if parts.next().is_none() => Self::Report(id.to_owned()),
            (Some("statement"), None, _) => Self::Statement,
            (Some("claim"), None, _) => Self::Claim,
            (Some("you"), None, _) => Self::You,
            (Some("you"), Some("profile"), None) => Self::Profile,
            (Some("you"), Some("address"), None) => Self::Address,
            (Some("you"), Some("messages"), None) => Self::Messages,
            (Some("you"), Some("devices"), None) => Self::Devices,
            (Some("you"), Some("leave"), None) => Self::Leave,
            (Some("card"), None, _) => Self::Card,
            (Some("tier"), None, _) => Self::Tier,
            (Some("programme"), None, _) => Self::Programme,
            (Some("join"), None, _) => Self::Join,
            _ => Self::NotFound,
        }
    }

    /// The path that [`Route::parse`] reads.
    pub fn path(&self) -> String {
        match self {
            Self::Home | Self::NotFound => "/".to_owned(),
            Self::Rewards => "/rewards".to_owned(),
            Self::Reward(id) => format!("/rewards/{id}"),
            Self::Convert => "/use".to_owned(),
            Self::Vouchers => "/vouchers".to_owned(),
            Self::Voucher(id) => format!("/vouchers/{id}"),
            Self::Code => "/code".to_owned(),
            Self::Activity => "/activity".to_owned(),
            Self::Entry(id) => format!("/activity/{id}"),
            Self::Report(id) => format!("/activity/{id}/report"),
            Self::Statement => "/statement".to_owned(),
            Self::Claim => "/claim".to_owned(),
            Self::You => "/you".to_owned(),
            Self::Profile => "/you/profile".to_owned(),
            Self::Address => "/you/address".to_owned(),
            Self::Messages => "/you/messages".to_owned(),
            Self::Devices => "/you/devices".to_owned(),
            Self::Leave => "/you/leave".to_owned(),
            Self::Card => "/card".to_owned(),
            Self::Tier => "/tier".to_owned(),
            Self::Programme => "/programme".to_owned(),
            Self::Join => "/join".to_owned(),
        }
    }
}

/// Where one is, and how one came there.
#[derive(Clone, Copy)]
pub struct Router {
    /// Where one is, or is going.
    route: RwSignal<Route>,
    /// The screen that is drawn; it follows with the next picture, since drawing it may take a slow phone a while.
    screen: RwSignal<Route>,
    /// Whether the screen was reached by moving inside the wallet: then its heading takes the focus.
    moved: RwSignal<bool>,
}

impl Router {
    /// Reads the address and follows it from now on.
    pub fn provide() -> Self {
        let router = Self {
            route: RwSignal::new(current()),
            screen: RwSignal::new(current()),
            moved: RwSignal::new(false),
        };
        provide_context(router);
        if let Ok(history) = window().history() {
            let _ = history.set_scroll_restoration(web_sys::ScrollRestoration::Manual);
        }
        let _ = window_event_listener(ev::popstate, move |event| {
            // A jump within a screen, to its content say, is the browser's own.
            if current() == router.route.get_untracked() {
                return;
            }
            router.show(current(), Entry::of(&event.state()));
        });
        let _ = window_event_listener(ev::click, move |event| router.follow(&event));
        router
    }

    /// Where one is, or is going; follows every change.
    pub fn route(&self) -> Route {
        self.route.get()
    }

    /// The screen to draw; follows every change.
    pub fn screen(&self) -> Route {
        self.screen.get()
    }

    /// Where one is, as it is now.
    pub fn route_untracked(&self) -> Route {
        self.route.get_untracked()
    }

    /// Whether the present screen was reached by moving inside the wallet.
    pub fn has_moved(&self) -> bool {
        self.moved.get_untracked()
    }

    /// Goes to a screen.
    pub fn go(&self, to: &Route) {
        if let Ok(history) = window().history() {
            // The place where one leaves a screen is written down with it, for the way back.
            let left = Entry::of(&history.state().unwrap_or_default());
            let path = to.path();
            let next = Entry {
                depth: left.depth + 1.0,
                ..Entry::default()
            };
            let left = Entry {
                place: window().scroll_y().unwrap_or(0.0),
                top: link_to(&path).map_or(0.0, |link| top_of(&link)),
                link: path.clone(),
                ..left
            };
            let _ = history.replace_state_with_url(&left.state(), "", None);
            let _ = history.push_state_with_url(&next.state(), "", Some(&path));
        }
        self.show(to.clone(), Entry::default());
    }

    /// Goes to a screen in the place of the present one, which is done with.
    pub fn replace(&self, with: &Route) {
        if let Ok(history) = window().history() {
            let left = Entry::of(&history.state().unwrap_or_default());
            let next = Entry {
                depth: left.depth,
                ..Entry::default()
            };
            let _ = history.replace_state_with_url(&next.state(), "", Some(&with.path()));
        }
        self.moved.set(true);
        self.route.set(with.clone());
        // Nobody waits here for the answer to a tap: that was long ago.
        self.screen.set(with.clone());
        restore(Entry::default());
    }

    /// Goes back to where one came from inside the wallet; `false` where one came from outside.
    fn back(&self) -> bool {
        let Ok(history) = window().history() else { return false };
        Entry::of(&history.state().unwrap_or_default()).depth > 0.0 && history.back().is_ok()
    }

    /// Lets the next screen's heading take the focus, as after a move: signing in changes the screen, not the address.
    pub fn arrive(&self) {
        self.moved.set(true);
    }

    /// Says where one is at once, and draws that screen at its place after the next picture.
    fn show(&self, route: Route, place: Entry) {
        let router = *self;
        router.moved.set(true);
        router.route.set(route);
        after_picture(move || {
            // Two moves may fall into one picture: then the second is the one to draw, once.
            let route = router.route.get_untracked();
            if router.screen.with_untracked(|screen| *screen != route) {
                router.screen.set(route);
            }
            restore(place);
        });
    }

    /// Takes over a plain click on a link that stays inside the wallet; every other click is the browser's.
    fn follow(&self, event: &MouseEvent) {
        if event.default_prevented()
            || event.button() != 0
            || event.meta_key()
            || event.ctrl_key()
            || event.shift_key()
            || event.alt_key()
        {
            return;
        }
        let link = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("a[href]").ok().flatten());
        let Some(link) = link else { return };
        if link.has_attribute("download") || link.has_attribute("target") {
            return;
        }
        let Some(href) = link.get_attribute("href").filter(|href| href.starts_with('/')) else {
            return;
        };
        let route = Route::parse(&path_of(&href));
        if route == Route::NotFound || href.starts_with("//") {
            return;
        }
        event.prevent_default();
        let is_back = link.has_attribute(BACK) && self.back();
        if !is_back && path_of(&href) == path_of(&location()) {
            return;
        }
        // The navigation says by itself where one goes; any other link has to, until its screen is there.
        if link.closest("main").is_ok_and(|main| main.is_some()) {
            let _ = link.set_attribute("data-pressed", "");
        }
        if !is_back {
            self.go(&route);
        }
    }
}

/// A link with this attribute goes back if one came from inside the wallet, and else where it says.
pub const BACK: &str = "data-back";

/// What the browser's history keeps with a screen.
#[derive(Default)]
struct Entry {
    /// How far down the screen one was, in CSS pixels.
    place: f64,
    /// How many screens of the wallet lie before it.
    depth: f64,
    /// Where one went from there.
    link: String,
    /// How far below the window's edge the link to it was.
    top: f64,
}

impl Entry {
    fn of(state: &JsValue) -> Self {
        let part = |at: u32| Reflect::get_u32(state, at).unwrap_or_default();
        let number = |at: u32| part(at).as_f64().unwrap_or(0.0);
        Self {
            place: number(0),
            depth: number(1),
            link: part(2).as_string().unwrap_or_default(),
            top: number(3),
        }
    }

    fn state(&self) -> JsValue {
        let (place, depth, link, top) = (self.place, self.depth, self.link.as_str(), self.top);
        Array::of4(&place.into(), &depth.into(), &link.into(), &top.into()).into()
    }
}

/// The router that [`Router::provide`] made.
pub fn use_router() -> Router {
    expect_context()
}

/// Gives a new screen's heading the focus, so that it is read out and the keyboard begins there.
pub fn focus_heading(heading: &HtmlElement) {
    if use_router().has_moved() {
        crate::browser::focus(heading);
    }
}

fn location() -> String {
    window().location().href().unwrap_or_default()
}

fn current() -> Route {
    Route::parse(&path_of(&location()))
}

/// The path of an address, decoded.
fn path_of(href: &str) -> String {
    let path = Url::new_with_base(href, &location())
        .map(|url| url.pathname())
        .unwrap_or_default();
    js_sys::decode_uri_component(&path)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or(path)
}

/// Scrolls once the screen is laid out: to where one was, and until the link that one followed is where it was. The
/// heights above it are guesses, as long as nobody has seen what stands there.
fn restore(entry: Entry) {
    after_layout(move || {
        window().scroll_to_with_x_and_y(0.0, entry.place);
        hold(entry, ROUNDS);
    });
}

/// How often the link is put back where it was: what comes near with each time shows how tall it is.
const ROUNDS: u32 = 8;

fn after_layout(then: impl FnOnce() + 'static) {
    request_animation_frame(move || request_animation_frame(then));
}

fn hold(entry: Entry, rounds: u32) {
    let Some(link) = link_to(&entry.link).filter(|_| rounds > 0) else {
        return;
    };
    window().scroll_by_with_x_and_y(0.0, top_of(&link) - entry.top);
    after_layout(move || hold(entry, rounds - 1));
}

/// The link to a path among what the screen shows.
fn link_to(path: &str) -> Option<web_sys::Element> {
    let link = ["main a[href=\"", path, "\"]"].concat();
    document().query_selector(&link).ok().flatten()
}

fn top_of(link: &web_sys::Element) -> f64 {
    link.get_bounding_client_rect().top()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_was_written() {
        let routes = [
            Route::Home,
            Route::Rewards,
            Route::Reward("small-coffee".into()),
            Route::Convert,
            Route::Code,
            Route::Vouchers,
            Route::Voucher("v-1".into()),
            Route::Activity,
            Route::Entry("e-1".into()),
            Route::Report("e-1".into()),
            Route::Statement,
            Route::Claim,
            Route::You,
            Route::Profile,
            Route::Address,
            Route::Messages,
            Route::Devices,
            Route::Leave,
            Route::Card,
            Route::Tier,
            Route::Programme,
            Route::Join,
        ];
        for route in routes {
            assert_eq!(Route::parse(&route.path()), route);
        }
        for unknown in [
            "/nothing",
            "/rewards/a/b",
            "/activity/a/b",
            "/activity/a/report/b",
            "/you/else",
        ] {
            assert_eq!(Route::parse(unknown), Route::NotFound, "{unknown}");
        }
    }
}
