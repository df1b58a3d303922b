//! Taps that move points: each is written down before it is sent, and the same request is sent again until there is an
//! answer. So nothing happens twice, and nobody has to wonder whether it happened.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::ProblemCode;
use loyalty_contract::redemptions::Redemption;

use super::Remembered;
use crate::api::{self, ApiError};
use crate::browser::{random, storage};
use crate::state::{Connectivity, Session, watch};

/// Where taps without an answer are written down, one a line.
const NAME: &str = "lw.spending";

/// How many are written down at most, should another member never come back for theirs.
const MOST: usize = 8;

/// After how many seconds without an answer the same is sent again; the last holds from then on.
const AGAIN_AFTER: [u64; 5] = [1, 2, 4, 8, 15];

/// What a tap does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Turns points into a voucher, as this quote said.
    Spend(String),
    /// Gives this voucher back.
    Release(String),
}

/// A tap, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The number of the member who tapped.
    member: String,
    /// The idempotency key: the server does it once for each.
    key: String,
    /// What it does.
    pub deed: Deed,
}

impl Attempt {
    fn line(&self) -> String {
        let (word, id) = match &self.deed {
            Deed::Spend(id) => ("spend", id),
            Deed::Release(id) => ("release", id),
        };
        [&self.member, &self.key, word, id].join(" ")
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ').map(str::to_owned);
        let (member, key, word, id) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let deed = match word.as_str() {
            "spend" => Deed::Spend(id),
            "release" => Deed::Release(id),
            _ => return None,
        };
        Some(Self { member, key, deed })
    }
}

/// What became of the last tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is none, or nothing more to say of it.
    Idle,
    /// It was sent for the first time.
    Sent(Attempt),
    /// It was read from what an earlier visit wrote down, and sent again.
    Resumed(Attempt),
    /// There was no answer; it is sent again by itself.
    Unanswered(Attempt, ApiError),
    /// It happened.
    Done(Attempt, Redemption),
    /// It did not happen.
    Refused(Attempt, ApiError),
}

/// The taps of this device.
#[derive(Clone, Copy)]
pub struct Spending {
    standing: RwSignal<Standing>,
    /// The voucher that was answered last, so that its screen has it at once.
    latest: StoredValue<Option<Redemption>>,
    /// Whether an answer is on its way.
    is_asking: StoredValue<bool>,
    /// How often the present one was sent without an answer.
    tries: StoredValue<usize>,
    /// The path of the screen that the last tap of this visit was on, as long as that screen is to go on with it.
    place: StoredValue<Option<String>>,
    remembered: Remembered,
    session: Session,
    connectivity: Connectivity,
}

impl Spending {
    /// Goes on with what was written down, as soon as it is known who is signed in.
    pub fn provide(session: Session, remembered: Remembered, connectivity: Connectivity) -> Self {
        let spending = Self {
            standing: RwSignal::new(Standing::Idle),
            latest: StoredValue::new(None),
            is_asking: StoredValue::new(false),
            tries: StoredValue::new(0),
            place: StoredValue::new(None),
            remembered,
            session,
            connectivity,
        };
        provide_context(spending);
        let member = Memo::new(move |_| remembered.status.value().map(|status| status.member.number));
        watch(move || {
            member.get();
            spending.resume();
        });
        for event in ["online", "visibilitychange"] {
            let _ = window_event_listener_untyped(event, move |_| spending.ask_now());
        }
        spending
    }

    /// What became of the last tap; follows every change.
    pub fn get(&self) -> Standing {
        self.standing.get()
    }

    /// What became of the last tap, as it is now.
    pub fn get_untracked(&self) -> Standing {
        self.standing.get_untracked()
    }

    /// Whether a tap waits for its answer; follows every change.
    pub fn is_busy(&self) -> bool {
        self.standing.with(is_busy)
    }

    /// The voucher of this id, if it was answered last.
    pub fn latest(&self, id: &str) -> Option<Redemption> {
        self.latest.get_value().filter(|latest| latest.id == id)
    }

    /// Writes a tap down and sends it. Nothing happens while another waits for its answer, and what cannot be sent now
    /// is refused at once: nobody is to find out later what was taken.
    pub fn begin(&self, deed: Deed) {
        let member = self
            .remembered
            .status
            .value_untracked()
            .map(|status| status.member.number);
        let Some(member) = member.filter(|_| !self.standing.with_untracked(is_busy)) else {
            return;
        };
        let key = random::key();
        let attempt = Attempt { member, key, deed };
        if let Some(error) = self.connectivity.trouble_untracked() {
            self.standing.set(Standing::Refused(attempt, error));
            // By the next tap it may be known to be otherwise.
            return self.remembered.status.refresh();
        }
        let mut lines = written_down();
        lines.push(attempt.line());
        let surplus = lines.len().saturating_sub(MOST);
        write_down(&lines[surplus..]);
        self.tries.set_value(0);
        self.standing.set(Standing::Sent(attempt.clone()));
        self.send(attempt);
    }

    /// The same, from a screen that goes on with what becomes of it, even if it was drawn anew meanwhile.
    pub fn begin_at(&self, place: String, deed: Deed) {
        self.place.set_value(Some(place));
        self.begin(deed);
    }

    /// Whether the last tap was on this screen, and the screen has not gone on with it yet; once asked and true, it has.
    pub fn goes_on_at(&self, place: &str) -> bool {
        let is_here = self.place.with_value(|known| known.as_deref() == Some(place));
        if is_here {
            self.place.set_value(None);
        }
        is_here
    }

    /// Sends what has no answer again, now rather than later.
    pub fn ask_now(&self) {
        if let Standing::Unanswered(attempt, _) = self.standing.get_untracked() {
            self.send(attempt);
        }
    }

    /// There is nothing more to say of the last tap.
    pub fn dismiss(&self) {
        if !self.standing.with_untracked(is_busy) {
            self.standing.set(Standing::Idle);
            self.resume();
        }
    }

    /// There is nothing more to say of a tap that was refused.
    pub fn dismiss_refusal(&self) {
        if self
            .standing
            .with_untracked(|standing| matches!(standing, Standing::Refused(..)))
        {
            self.dismiss();
        }
    }

    /// Forgets what is shown: another member may be next. What is written down stays until its member comes back.
    pub fn forget(&self) {
        self.latest.set_value(None);
        self.place.set_value(None);
        self.standing.set(Standing::Idle);
    }

    fn resume(&self) {
        let Some(status) = self.remembered.status.value_untracked() else {
            return;
        };
        let theirs = written_down()
            .iter()
            .filter_map(|line| Attempt::read(line))
            .find(|attempt| attempt.member == status.member.number);
        if let Some(attempt) = theirs.filter(|_| self.standing.get_untracked() == Standing::Idle) {
            self.tries.set_value(0);
            self.standing.set(Standing::Resumed(attempt.clone()));
            self.send(attempt);
        }
    }

    fn send(&self, attempt: Attempt) {
        if self.is_asking.get_value() {
            return;
        }
        self.is_asking.set_value(true);
        let spending = *self;
        spawn_local(async move {
            let answer = match &attempt.deed {
                Deed::Spend(quote_id) => api::redemptions::create_redemption(&attempt.key, quote_id).await,
                Deed::Release(id) => api::redemptions::release_redemption(&attempt.key, id).await,
            };
            spending.is_asking.set_value(false);
            spending.answered(attempt, answer);
        });
    }

    fn answered(&self, attempt: Attempt, answer: Result<Redemption, ApiError>) {
        let standing = match answer {
            Err(ApiError::SignedOut) => {
                self.forget();
                return self.session.ended();
            }
            Err(error) if may_have_happened(&error) => {
                self.ask_later(&attempt);
                Standing::Unanswered(attempt, error)
            }
            Err(error) => {
                strike_out(&attempt);
                self.remembered.points_moved();
                Standing::Refused(attempt, error)
            }
            Ok(redemption) => {
                strike_out(&attempt);
                self.latest.set_value(Some(redemption.clone()));
                self.remembered.points_moved();
                Standing::Done(attempt, redemption)
            }
        };
        // Who signed out meanwhile has nothing to be told.
        if !self.session.is_signed_out_untracked() {
            self.standing.set(standing);
        }
    }

    fn ask_later(&self, attempt: &Attempt) {
        let tries = self.tries.get_value();
        self.tries.set_value(tries + 1);
        let wait = AGAIN_AFTER[tries.min(AGAIN_AFTER.len() - 1)];
        let (spending, key) = (*self, attempt.key.clone());
        set_timeout(
            move || match spending.standing.get_untracked() {
                Standing::Unanswered(attempt, _) if attempt.key == key => spending.send(attempt),
                _ => (),
            },
            Duration::from_secs(wait),
        );
    }
}

fn is_busy(standing: &Standing) -> bool {
    matches!(
        standing,
        Standing::Sent(_) | Standing::Resumed(_) | Standing::Unanswered(..)
    )
}

/// Whether it may have happened although this was answered: then the same has to be sent again.
fn may_have_happened(error: &ApiError) -> bool {
    match error {
        ApiError::Unreachable | ApiError::Portal | ApiError::Gateway | ApiError::Unreadable => true,
        ApiError::SignedOut => false,
        ApiError::Refused(problem) => {
            problem.status >= 500 || problem.status == 429 || problem.code == ProblemCode::IdempotencyKeyInUse
        }
    }
}

fn written_down() -> Vec<String> {
    let text = storage::get(NAME).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn write_down(lines: &[String]) {
    storage::set(NAME, Some(lines.join("\n").as_str()).filter(|text| !text.is_empty()));
}

fn strike_out(attempt: &Attempt) {
    let mut lines = written_down();
    let line = attempt.line();
    lines.retain(|known| *known != line);
    write_down(&lines);
}

/// What [`Spending::provide`] made.
pub fn use_spending() -> Spending {
    expect_context()
}

#[cfg(test)]
mod tests {
    use loyalty_contract::Problem;

    use super::*;

    #[test]
    fn a_tap_is_read_as_it_was_written_down() {
        for deed in [Deed::Spend("q_1".to_owned()), Deed::Release("r-2".to_owned())] {
            let (member, key) = ("512102314864".to_owned(), "0f".repeat(16));
            let attempt = Attempt { member, key, deed };
            assert_eq!(Attempt::read(&attempt.line()), Some(attempt));
        }
        for broken in ["", "512102314864", "1 2 spend", "1 2 steal 3"] {
            assert_eq!(Attempt::read(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn only_what_cannot_have_happened_is_given_up() {
        let refused = |code: ProblemCode| {
            let problem = Problem {
                kind: String::new(),
                title: String::new(),
                status: code.status(),
                code,
                detail: String::new(),
                errors: vec![],
                reasons: vec![],
                retry_after_s: None,
            };
            ApiError::Refused(Box::new(problem))
        };
        for error in [
            ApiError::Unreachable,
            ApiError::Portal,
            ApiError::Gateway,
            ApiError::Unreadable,
            refused(ProblemCode::Internal),
            refused(ProblemCode::Unavailable),
            refused(ProblemCode::TooManyRequests),
            refused(ProblemCode::IdempotencyKeyInUse),
        ] {
            assert!(may_have_happened(&error), "{error:?}");
        }
        for code in [
            ProblemCode::QuoteExpired,
            ProblemCode::InsufficientBalance,
            ProblemCode::RedemptionNotReserved,
            ProblemCode::NotFound,
        ] {
            assert!(!may_have_happened(&refused(code)), "{code:?}");
        }
    }
}
