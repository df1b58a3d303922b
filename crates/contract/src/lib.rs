//! What travels between a loyalty wallet and a loyalty API: the types on the wire and the problem codes.
//!
//! No I/O, no clock, no framework: the wallet compiles this to WebAssembly, the API to the host, and both
//! therefore agree. Types that a client sends refuse unknown fields; types that a server sends do not, so
//! that an older client can read a newer server.
//!
//! Every instant is UTC in RFC 3339 and half-open: `available_at` is the first instant at which points can
//! be used, `expires_at` the first at which they cannot.

pub mod account;
pub mod auth;
pub mod claims;
pub mod code_keys;
pub mod counter;
pub mod identify;
pub mod ledger;
pub mod list;
pub mod member_events;
pub mod members;
pub mod money;
pub mod problem;
pub mod programme;
pub mod purchases;
pub mod quotes;
pub mod redemptions;
pub mod reports;
pub mod rewards;
pub mod statement;
pub mod status;

pub use list::Page;
pub use money::{Currency, Money, Points};
pub use problem::{FieldError, Problem, ProblemCode};

/// An instant in UTC, written as RFC 3339.
pub type Instant = chrono::DateTime<chrono::Utc>;

/// Where the API begins; `/healthz`, `/readyz` and `/media/` stand at the root instead.
pub const BASE: &str = "/api/v1";
