//! One file a screen: asks `data`, composes `components`.

pub mod activity;
pub mod code;
pub mod convert;
pub mod home;
pub mod not_found;
pub mod reward;
pub mod rewards;
pub mod sign_in;
pub mod you;
