//! Whether somebody is signed in.

use leptos::prelude::*;

use crate::api;
use crate::browser::{code_key, storage};

/// Whether this device was signed in when it was last used; the page's first paint depends on it.
const SIGNED_IN: &str = "lw.signed-in";

/// Whether somebody is signed in, as far as the server has said. The session itself is in a cookie that no script can
/// read, so until the first answer it is as it was when the wallet was last used.
#[derive(Clone, Copy)]
pub struct Session {
    is_signed_out: RwSignal<bool>,
}

impl Session {
    /// Begins with what is remembered of the last time.
    pub fn provide() -> Self {
        let session = Self {
            is_signed_out: RwSignal::new(storage::get(SIGNED_IN).is_none()),
        };
        provide_context(session);
        session
    }

    /// Whether the server said that nobody is signed in; follows every change.
    pub fn is_signed_out(&self) -> bool {
        self.is_signed_out.get()
    }

    /// The same, as it is now.
    pub fn is_signed_out_untracked(&self) -> bool {
        self.is_signed_out.get_untracked()
    }

    /// An answer showed that somebody is signed in.
    pub fn started(&self) {
        storage::set(SIGNED_IN, Some("yes"));
        if self.is_signed_out.get_untracked() {
            // Whatever is kept was another session's.
            api::forget_kept();
            self.is_signed_out.set(false);
        }
    }

    /// An answer showed that nobody is, or not any more.
    pub fn ended(&self) {
        storage::set(SIGNED_IN, None);
        code_key::forget();
        api::forget_kept();
        if !self.is_signed_out.get_untracked() {
            self.is_signed_out.set(true);
        }
    }
}

/// The session that [`Session::provide`] made.
pub fn use_session() -> Session {
    expect_context()
}
