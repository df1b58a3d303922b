//! The tap that turns points into a voucher, with everything that is to be known before it.

use std::rc::Rc;

use chrono::TimeDelta;
use leptos::prelude::*;
use loyalty_contract::ProblemCode;
use loyalty_contract::quotes::Quote;
use maud::{Markup, html};

use crate::api::ApiError;
use crate::browser;
use crate::components::failure::{RETRY, error_notice, explain};
use crate::components::live::{live, live_with};
use crate::components::outcome::{ASK_NOW, DISMISS, outcome};
use crate::components::voucher_row::moment;
use crate::data::{Deed, Standing, use_spending};
use crate::intl::{self, DayStyle, t};
use crate::pages::reward::conditions;
use crate::routes::{Route, use_router};
use crate::state::{Session, use_connectivity, watch};

/// What the server said to what somebody thinks of doing.
#[derive(Clone, PartialEq, Eq)]
pub enum Quoted {
    /// Nothing yet.
    Asking,
    /// What it would cost and give; the tap does exactly that.
    Yes(Quote),
    /// Why there is no quote.
    No(ApiError),
}

impl Quoted {
    /// What an answer says; a session that is over ends here.
    pub fn of(answer: Result<Quote, ApiError>, session: Session) -> Option<Self> {
        match answer {
            Ok(quote) => Some(Self::Yes(quote)),
            Err(ApiError::SignedOut) => {
                session.ended();
                None
            }
            Err(error) => Some(Self::No(error)),
        }
    }
}

const USE: &str = "use";

/// What the server said with every condition, the button that does it, and what became of that.
#[component]
pub fn Commit(
    /// What the server said.
    quoted: RwSignal<Quoted>,
    /// The conditions that are known before it says anything.
    known: Vec<String>,
    /// What it takes and gives, in a few words.
    title: Rc<dyn Fn(&Quote) -> String>,
    /// What the button says.
    label: Rc<dyn Fn() -> String>,
    /// Asks the server anew.
    ask: Rc<dyn Fn()>,
) -> impl IntoView {
    let spending = use_spending();
    let router = use_router();
    // Only a tap of this screen leads on from it; what an earlier one became is said instead.
    let place = router.route_untracked().path();
    let tapped_at = place.clone();
    let again = Rc::clone(&ask);
    watch(move || match spending.get() {
        Standing::Done(_, voucher) if spending.goes_on_at(&place) => {
            spending.dismiss();
            router.replace(&Route::Voucher(voucher.id));
        }
        // What is shown holds no longer: the present price is asked for, shown, and waits for another tap.
        Standing::Refused(_, error) if spending.goes_on_at(&place) => match error.code() {
            // It was taken already, or not even sent: what is shown may hold.
            Some(ProblemCode::QuoteUsed) | None => (),
            Some(_) => again(),
        },
        _ => (),
    });
    let connectivity = use_connectivity();
    let once_reached = Rc::clone(&ask);
    watch(move || {
        let is_unanswered = matches!(&*quoted.read_untracked(), Quoted::No(error) if error.code().is_none());
        if connectivity.trouble().is_none() && is_unanswered {
            once_reached();
        }
    });
    let name = Rc::clone(&title);
    let before = move || {
        html! {
            @if !known.is_empty() {
                section.card {
                    h2 { (t::reward::conditions()) }
                    (conditions(&known))
                }
            }
        }
    };
    let terms = move || match &*quoted.read() {
        Quoted::Asking => html! {
            (before())
            p.muted aria-busy="true" { (t::convert::asking()) }
        },
        Quoted::Yes(quote) => html! {
            section.card {
                h2 { (name(quote)) }
                (conditions(&all_conditions(quote)))
            }
        },
        Quoted::No(error) => html! {
            (before())
            (error_notice(error))
            button.button type="button" data-action=(RETRY) { (t::app::retry()) }
        },
    };
    let spoken = move || match &*quoted.read() {
        Quoted::Asking => Markup::default(),
        Quoted::Yes(quote) => html! { (title(quote)) },
        Quoted::No(error) => html! { (explain(error).0) },
    };
    let button = move || {
        let is_busy = spending.is_busy();
        let is_dead = is_busy || !matches!(&*quoted.read(), Quoted::Yes(_));
        html! {
            button.button data-variant="main" type="button" data-action=(USE) aria-disabled=(is_dead) aria-busy=(is_busy) {
                @if is_busy { (t::spend::sending()) } @else { (label()) }
            }
        }
    };
    let act = move |_: &str, _| {
        if let Quoted::Yes(quote) = quoted.get_untracked() {
            spending.dismiss();
            spending.begin_at(tapped_at.clone(), Deed::Spend(quote.quote_id));
        }
    };
    view! {
        {live_with(terms, move |_, _| ask())}
        <p class="visually-hidden" role="status">{live(spoken)}</p>
        <Outcome />
        <div class="commit">{live_with(button, act)}</div>
    }
}

/// Every condition, and that it can be undone and how.
fn all_conditions(quote: &Quote) -> Vec<String> {
    quote.conditions.iter().cloned().chain([t::spend::undo()]).collect()
}

/// What became of the last tap that moved points, wherever one is.
#[component]
pub fn Outcome() -> impl IntoView {
    let spending = use_spending();
    let act = move |action: &str, _| match action {
        ASK_NOW => spending.ask_now(),
        DISMISS => spending.dismiss(),
        _ => (),
    };
    live_with(move || outcome(&spending.get()), act)
}

/// What this screen said of a tap that was refused need not be said on the next.
pub fn forget_refusal_on_leaving() {
    let spending = use_spending();
    on_cleanup(move || spending.dismiss_refusal());
}

/// Until when a voucher that is made now can be used.
pub fn usable_until(minutes: u32) -> String {
    let end = browser::now() + TimeDelta::minutes(i64::from(minutes));
    if TimeDelta::days(2) < TimeDelta::minutes(i64::from(minutes)) {
        intl::day(end, DayStyle::Long)
    } else {
        moment(end)
    }
}
