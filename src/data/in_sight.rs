//! What the screen in sight shows: how old that is, and asking for it again as soon as there is an answer to be had.

use std::rc::Rc;

use leptos::prelude::*;
use loyalty_contract::Instant;
use loyalty_contract::status::Status;
use send_wrapper::SendWrapper;

use super::Source;
use crate::api::ApiError;
use crate::state::Session;

/// Something that a screen shows.
pub trait Shown {
    /// Since when it was not confirmed, and why not where that was tried; `None` where it is as the server just said.
    fn remembered(&self) -> Option<(Instant, Option<ApiError>)>;

    /// Whether asking for it did not work.
    fn is_unanswered(&self) -> bool;

    /// Asks for it again, by itself: what is shown stays until there is an answer.
    fn ask_again(&self);
}

/// Everything that the screen in sight shows.
#[derive(Clone, Copy)]
pub struct InSight {
    all: RwSignal<Vec<Rc<dyn Shown>>, LocalStorage>,
    /// What tells whether the server can be reached, where nothing in sight has to be asked for.
    status: Source<Status>,
    session: Session,
}

impl InSight {
    /// Nothing is in sight yet. What was not answered is asked for again by itself, whenever that may help.
    pub fn provide(session: Session, status: Source<Status>) -> Self {
        let in_sight = Self {
            all: RwSignal::new_local(Vec::new()),
            status,
            session,
        };
        provide_context(in_sight);
        let _ = window_event_listener_untyped("lw-again", move |_| in_sight.ask_again());
        in_sight
    }

    /// Takes something in until the screen that belongs to now is gone.
    pub fn show(shown: Rc<dyn Shown>) {
        let Some(in_sight) = use_context::<Self>() else { return };
        in_sight.all.update(|all| all.push(Rc::clone(&shown)));
        let shown = SendWrapper::new(shown);
        on_cleanup(move || {
            let _ = in_sight
                .all
                .try_update(|all| all.retain(|other| !Rc::ptr_eq(other, &shown)));
        });
    }

    /// How old the oldest of it is and, where asking again did not work, why; `None` where all is as the server just
    /// said. Follows every change.
    pub fn remembered(&self) -> Option<(Instant, Option<ApiError>)> {
        let mut found: Option<(Instant, Option<ApiError>)> = None;
        for shown in self.all.read().iter() {
            if let Some((as_of, error)) = shown.remembered() {
                found = Some(match found {
                    None => (as_of, error),
                    Some((oldest, earlier)) => (oldest.min(as_of), earlier.or(error)),
                });
            }
        }
        found
    }

    /// Asks again for all of it that was not answered.
    pub fn ask_again(&self) {
        // Asking changes what is shown, which must not be borrowed meanwhile.
        let mut all = self.all.get_untracked();
        all.retain(|shown| shown.is_unanswered());
        for shown in &all {
            shown.ask_again();
        }
        if all.is_empty() && !self.session.is_signed_out_untracked() {
            self.status.ask_unless_asking();
        }
    }
}

/// What [`InSight::provide`] made.
pub fn use_in_sight() -> InSight {
    expect_context()
}
