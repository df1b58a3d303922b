//! Parts of screens: plain values in, markup out. No requests, no storage.

pub mod entry_row;
pub mod failure;
pub mod icon;
pub mod nav;
pub mod page_heading;
pub mod reward_card;
pub mod segmented;
pub mod skeleton;
pub mod tier_card;
pub mod worth_card;
