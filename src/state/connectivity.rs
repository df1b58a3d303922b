//! Whether the server can be reached.

use leptos::prelude::*;

use crate::api::{self, ApiError};

/// Whether the server can be reached, as far as the last answer said.
#[derive(Clone, Copy)]
pub struct Connectivity {
    trouble: RwSignal<Option<ApiError>>,
}

impl Connectivity {
    /// Follows from now on what becomes of each request.
    pub fn provide() -> Self {
        let connectivity = Self {
            trouble: RwSignal::new(api::trouble()),
        };
        provide_context(connectivity);
        let _ = window_event_listener_untyped("lw-trouble", move |_| connectivity.trouble.set(api::trouble()));
        connectivity
    }

    /// Why it cannot; follows every change.
    pub fn trouble(&self) -> Option<ApiError> {
        self.trouble.get()
    }

    /// The same, as it is now.
    pub fn trouble_untracked(&self) -> Option<ApiError> {
        self.trouble.get_untracked()
    }
}

/// The connectivity that [`Connectivity::provide`] made.
pub fn use_connectivity() -> Connectivity {
    expect_context()
}
