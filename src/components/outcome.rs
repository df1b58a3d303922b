//! What became of a tap that moves points.

use loyalty_contract::ProblemCode;
use loyalty_contract::redemptions::Redemption;
use maud::{Markup, html};

use super::failure::{Tone, explain, notice};
use super::voucher_row::gives;
use crate::api::ApiError;
use crate::data::{Deed, Standing};
use crate::intl::{self, t};
use crate::routes::Route;

/// Sends what has no answer again, now.
pub const ASK_NOW: &str = "ask-now";

/// Takes the notice away.
pub const DISMISS: &str = "dismiss";

/// What is to be said of it, where something is.
pub fn outcome(standing: &Standing) -> Markup {
    match standing {
        Standing::Idle | Standing::Sent(_) => Markup::default(),
        Standing::Resumed(_) => said(
            Tone::Info,
            "clock",
            &t::spend::resumed(),
            &t::spend::asking_again(),
            &Markup::default(),
        ),
        Standing::Unanswered(..) => {
            let now = html! { button.button type="button" data-action=(ASK_NOW) { (t::spend::ask_now()) } };
            said(
                Tone::Warm,
                "offline",
                &t::spend::unanswered(),
                &t::spend::asking_again(),
                &now,
            )
        }
        Standing::Done(attempt, voucher) => match attempt.deed {
            Deed::Spend(_) => done(voucher),
            Deed::Release(_) => {
                let help = t::spend::undone_help(&intl::points(voucher.points));
                said(Tone::Success, "return", &t::spend::undone(), &help, &close())
            }
        },
        Standing::Refused(attempt, error) => refused(&attempt.deed, error),
    }
}

fn done(voucher: &Redemption) -> Markup {
    let ways = html! {
        a.button href=(Route::Voucher(voucher.id.clone()).path()) { (t::spend::show()) }
        (close())
    };
    let help = t::spend::done_help(&intl::points(voucher.points), &gives(voucher));
    said(Tone::Success, "check", &t::spend::done(), &help, &ways)
}

fn refused(deed: &Deed, error: &ApiError) -> Markup {
    let why = explain(error).1;
    match (deed, error.code()) {
        (Deed::Spend(_), Some(ProblemCode::QuoteExpired)) => said(
            Tone::Warm,
            "clock",
            &t::spend::nothing_taken(),
            &t::spend::new_price(),
            &close(),
        ),
        (Deed::Spend(_), Some(ProblemCode::QuoteUsed | ProblemCode::NotFound)) => {
            let ways = html! {
                a.button href=(Route::Vouchers.path()) { (t::spend::see_vouchers()) }
                (close())
            };
            said(Tone::Warm, "info", &t::spend::maybe(), &t::spend::maybe_help(), &ways)
        }
        (Deed::Spend(_), _) => said(Tone::Error, "alert", &t::spend::nothing_taken(), &why, &close()),
        (Deed::Release(_), _) => said(Tone::Error, "alert", &t::spend::not_undone(), &why, &close()),
    }
}

fn close() -> Markup {
    html! { button.button type="button" data-action=(DISMISS) { (t::spend::close()) } }
}

fn said(tone: Tone, picture: &str, title: &str, text: &str, ways: &Markup) -> Markup {
    let text = html! {
        p { (text) }
        div.notice__ways { (ways) }
    };
    html! { div role="status" { (notice(tone, picture, title, &text)) } }
}
