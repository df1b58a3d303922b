//! Parts of screens: plain values in, markup out. No requests, no storage, no state.
//!
//! What only shows something is a function that gives [`maud::Markup`], escaped as it is written; a screen puts it on
//! the page with [`live::live`]. Typed views of the same elements were some 48 kB more to download (brotli).
//! A screen itself is a Leptos component: it holds the state that the markup is made of, and hears what people do in it.

pub mod chips;
pub mod codes;
pub mod entry_row;
pub mod failure;
pub mod form;
pub mod icon;
pub mod install;
pub mod live;
pub mod nav;
pub mod outcome;
pub mod page_heading;
pub mod reward_card;
pub mod segmented;
pub mod skeleton;
pub mod ticks;
pub mod tier_card;
pub mod update;
pub mod voucher_row;
pub mod worth_card;
