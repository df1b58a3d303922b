//! The wallet on the home screen, and its new versions: what `public/install.js` tells, and what it is asked for.

use leptos::prelude::*;

use super::{document, storage};

/// What became of the offer to put the wallet on the home screen: `offer` once it is due, `no` for good.
const OFFER: &str = "lw.install";

/// That something of this is another one.
const TOLD: &str = "lw-told";

/// How the wallet gets onto the home screen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is there.
    There,
    /// The browser does it when it is asked.
    Ask,
    /// By hand, on an iPhone or an iPad.
    ByHand,
    /// In some way that cannot be known from here.
    Unknown,
}

/// The way to the home screen; follows every change until the screen is gone.
pub fn follow_way() -> Signal<Way> {
    follow(|| match told("install").as_str() {
        "there" => Way::There,
        "ask" => Way::Ask,
        "by-hand" => Way::ByHand,
        _ => Way::Unknown,
    })
}

/// Whether a new version waits; follows every change until the screen is gone.
pub fn follow_update() -> Signal<bool> {
    follow(|| !told("update").is_empty())
}

/// Lets the browser ask whether to put the wallet on the home screen.
pub fn ask() {
    document::tell("lw-install");
}

/// Takes the new version, and loads the page anew.
pub fn update() {
    document::tell("lw-update");
}

/// From now on the home screen may be offered, unless somebody turned that down.
pub fn something_went_well() {
    if storage::get(OFFER).is_none() {
        storage::set(OFFER, Some("offer"));
    }
}

/// Whether the home screen may be offered; follows what is told and asked until the screen is gone.
pub fn follow_offer() -> Signal<bool> {
    follow(|| storage::get(OFFER).as_deref() == Some("offer"))
}

/// Never offers it again.
pub fn decline() {
    storage::set(OFFER, Some("no"));
    document::tell(TOLD);
}

fn told(name: &str) -> String {
    let root = document::document().and_then(|document| document.document_element());
    root.and_then(|root| root.get_attribute(&["data-", name].concat()))
        .unwrap_or_default()
}

fn follow<T: Copy + PartialEq + Send + Sync + 'static>(read: impl Fn() -> T + 'static) -> Signal<T> {
    let signal = RwSignal::new(read());
    let listener = window_event_listener_untyped(TOLD, move |_| signal.set(read()));
    on_cleanup(move || listener.remove());
    signal.into()
}
