//! Thin wrappers of what the browser offers; every one of them may fail, and then does the harmless thing.

pub mod clock;
pub mod document;
pub mod random;
pub mod storage;
pub mod timer;
pub mod viewport;

pub use clock::now;
pub use document::{focus, regional, set_custom_property, set_page_language, set_theme, set_title};
