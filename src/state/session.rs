//! Whether somebody is signed in.

use leptos::prelude::*;

use crate::browser::storage;

/// Whether this device was signed in when it was last used; the page's first paint depends on it.
const SIGNED_IN: &str = "lw.signed-in";

/// Whether somebody is signed in, as far as the server has said.
#[derive(Clone, Copy)]
pub struct Session {
    state: RwSignal<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first answer is still on its way.
    Unknown,
    SignedIn,
    SignedOut,
}

impl Session {
    /// Nothing is known before the first answer; the session itself is in a cookie that no script can read.
    pub fn provide() -> Self {
        let session = Self {
            state: RwSignal::new(State::Unknown),
        };
        provide_context(session);
        session
    }

    /// Whether the server said that nobody is signed in; follows every change.
    pub fn is_signed_out(&self) -> bool {
        self.state.get() == State::SignedOut
    }

    /// An answer showed that somebody is signed in.
    pub fn started(&self) {
        self.change(State::SignedIn, Some("yes"));
    }

    /// An answer showed that nobody is, or not any more.
    pub fn ended(&self) {
        self.change(State::SignedOut, None);
    }

    fn change(&self, to: State, remembered: Option<&str>) {
        if self.state.get_untracked() != to {
            storage::set(SIGNED_IN, remembered);
            self.state.set(to);
        }
    }
}

/// The session that [`Session::provide`] made.
pub fn use_session() -> Session {
    expect_context()
}
