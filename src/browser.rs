//! Thin wrappers of what the browser offers; every one of them may fail, and then does the harmless thing.

pub mod clock;
pub mod code_key;
pub mod document;
pub mod event_source;
pub mod install;
pub mod random;
pub mod share;
pub mod storage;
pub mod timer;
pub mod viewport;
pub mod wake_lock;

pub use clock::now;
pub use document::{
    focus, regional, scroll_up, set_custom_property, set_page_language, set_text_size, set_theme, set_title,
};
