//! What the server tells by itself while the wallet is open.

use loyalty_contract::member_events::{REDEMPTION_CHANGED, RedemptionChanged, STATUS_CHANGED};

use super::address_of;
use super::read::json;

/// The names of the events that there are.
pub const NAMES: [&str; 2] = [STATUS_CHANGED, REDEMPTION_CHANGED];

/// What is another one than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// What the member has.
    Status,
    /// A voucher, by its id.
    Redemption(String),
}

/// Where the stream of events is.
pub fn address() -> String {
    address_of("/me/events", &[])
}

/// Reads an event; `None` for one that this version does not know.
pub fn read(name: &str, data: &str) -> Option<Changed> {
    match name {
        STATUS_CHANGED => Some(Changed::Status),
        REDEMPTION_CHANGED => json(data).map(|changed: RedemptionChanged| Changed::Redemption(changed.id)),
        _ => None,
    }
}
