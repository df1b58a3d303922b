//! One thing that happened to the balance.

use loyalty_contract::Points;
use loyalty_contract::ledger::{EntryKind, LedgerEntry, Reference};
use maud::{Markup, html};

use super::icon::icon;
use crate::browser;
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;

/// What happened, why, and what it did; it opens what explains it.
pub fn entry_row(entry: &LedgerEntry) -> Markup {
    let tone = (entry.points > Points::ZERO).then_some("gain");
    html! {
        li {
            a.entry href=(Route::Entry(entry.id.clone()).path()) data-tone=[tone] {
                span.entry__mark { (icon(picture(entry.kind))) }
                span.entry__text { b { (title(entry)) } span.muted { (detail(entry)) } }
                span.entry__points { (intl::signed_points(entry.points)) small { (intl::money(entry.worth)) } }
            }
        }
    }
}

/// The picture of a kind.
pub fn picture(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Earn => "bag",
        EntryKind::Bonus => "heart",
        EntryKind::Spend => "ticket",
        EntryKind::Release | EntryKind::Refund | EntryKind::Return => "return",
        EntryKind::Expire => "expire",
        EntryKind::Adjust => "user",
        EntryKind::Unknown => "info",
    }
}

/// What happened, in a few words.
pub fn title(entry: &LedgerEntry) -> String {
    let redeemed = || match &entry.reference {
        Some(Reference::Redemption {
            reward: Some(reward), ..
        }) => reward.clone(),
        _ => t::entry::money_off(),
    };
    match (entry.kind, &entry.reference, &entry.reason) {
        (EntryKind::Earn, Some(Reference::Purchase { store, .. }), _) => t::entry::shopping(store),
        (EntryKind::Earn, ..) => t::entry::shopping_somewhere(),
        (EntryKind::Bonus, _, Some(reason)) => reason.clone(),
        (EntryKind::Bonus, ..) => t::entry::bonus(),
        (EntryKind::Spend, ..) => redeemed(),
        (EntryKind::Release, ..) => t::entry::released(&redeemed()),
        (EntryKind::Refund, ..) => t::entry::refunded(&redeemed()),
        (EntryKind::Return, _, Some(reason)) => t::entry::returned(reason),
        (EntryKind::Return, ..) => t::entry::returned_something(),
        (EntryKind::Expire, ..) => t::entry::expired(),
        (EntryKind::Adjust | EntryKind::Unknown, _, reason) => reason.clone().unwrap_or_else(t::entry::adjusted),
    }
}

/// The rest of it: how much it was about, or when.
pub fn detail(entry: &LedgerEntry) -> String {
    match (entry.kind, &entry.reference) {
        (EntryKind::Earn, Some(Reference::Purchase { total, .. })) => {
            let total = intl::money(*total);
            match entry.available_at.filter(|&at| browser::now() < at) {
                Some(at) => t::entry::waits(&intl::day(at, DayStyle::Short), &total),
                None => total,
            }
        }
        (EntryKind::Bonus, _) => match entry.expires_at.filter(|&end| browser::now() < end) {
            Some(end) => t::entry::bonus_until(&intl::last_day(end, DayStyle::Long)),
            None => t::entry::bonus(),
        },
        (EntryKind::Return, Some(Reference::Return { amount, .. })) => t::entry::took_back(&intl::money(*amount)),
        (EntryKind::Spend, _) => t::entry::used_at(&intl::time(entry.at)),
        (EntryKind::Expire, _) => t::entry::not_used(),
        _ => intl::time(entry.at),
    }
}
