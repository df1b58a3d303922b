//! What is true of the whole wallet: one type each, provided once.

mod connectivity;
mod preferences;
mod programme;
mod session;
mod watch;

pub use connectivity::{Connectivity, use_connectivity};
pub use preferences::{Preferences, TEXT_SIZES, Theme, use_preferences};
pub use programme::{provide_programme, use_programme};
pub use session::{Session, use_session};
pub use watch::watch;
