//! The programme of the shop whose wallet this is.

use std::sync::Arc;

use leptos::prelude::*;
use loyalty_contract::programme::Programme;

/// Provides the programme to every screen below. A change of language provides another.
pub fn provide_programme(programme: Arc<Programme>) {
    provide_context(programme);
}

/// The programme. Screens are only shown once there is one.
pub fn use_programme() -> Arc<Programme> {
    expect_context()
}
