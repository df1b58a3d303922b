//! Lists: a page at a time, by a cursor that neither skips nor repeats an entry when others are added.

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The entries, in the list's order.
    pub items: Vec<T>,
    /// What to send as `after` for the next page; absent (null) on the last.
    pub next: Option<String>,
}
