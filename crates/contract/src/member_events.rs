//! What a member's screens are told while they are open, as server-sent events.
//!
//! An event says that something changed, not what it is now: whoever hears it asks for that.

use serde::{Deserialize, Serialize};

/// The name of the event that tells that the status is another one. Its data is `{}`.
pub const STATUS_CHANGED: &str = "status_changed";

/// The name of the event that tells what became of a voucher. Its data is a [`RedemptionChanged`].
pub const REDEMPTION_CHANGED: &str = "redemption_changed";

/// Which voucher is in another state, or was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedemptionChanged {
    /// The voucher's.
    pub id: String,
}
