//! One file a screen: asks `data`, composes `components`.

pub mod activity;
pub mod aside;
pub mod card;
pub mod claim;
pub mod code;
pub mod commit;
pub mod convert;
pub mod entry;
pub mod home;
pub mod join;
pub mod later;
pub mod not_found;
pub mod programme;
pub mod proof;
pub mod report;
pub mod reward;
pub mod rewards;
pub mod sign_in;
pub mod statement;
pub mod tier;
pub mod voucher;
pub mod vouchers;
pub mod you;
