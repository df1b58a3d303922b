//! One thing that the server knows.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::Instant;

use super::Load;
use super::in_sight::{InSight, Shown};
use super::remember::{Answer, sooner};
use crate::api::{self, ApiError, Known, Way};
use crate::state::Session;

/// One thing that the server knows, kept while it is asked for again.
pub struct Source<T: Send + Sync + 'static> {
    load: RwSignal<Load<T>>,
    ask: StoredValue<Rc<dyn Fn(Way) -> Answer<T>>, LocalStorage>,
    /// Counts the questions, so that an answer that was overtaken is dropped.
    turn: StoredValue<u32>,
    /// Whether an answer is on its way.
    is_asking: StoredValue<bool>,
    /// Whether it was asked for ahead, and no screen has wanted it since.
    is_ahead: StoredValue<bool>,
    /// When the value was as it stands, by the server's clock.
    as_of: StoredValue<Instant>,
    session: Session,
    /// Whether an answer shows that somebody is signed in.
    proves_session: bool,
}

impl<T: Send + Sync + 'static> Clone for Source<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Source<T> {}

impl<T: Clone + Send + Sync + 'static> Source<T> {
    /// A source that asks with `ask`, once it is told to.
    pub fn new<F>(session: Session, ask: impl Fn(Way) -> F + 'static) -> Self
    where
        F: Future<Output = Result<Known<T>, ApiError>> + 'static,
    {
        let ask: Rc<dyn Fn(Way) -> Answer<T>> = Rc::new(move |way| Box::pin(ask(way)));
        Self {
            load: RwSignal::new(Load::Loading),
            ask: StoredValue::new_local(ask),
            turn: StoredValue::new(0),
            is_asking: StoredValue::new(false),
            is_ahead: StoredValue::new(false),
            as_of: StoredValue::new(Instant::default()),
            session,
            proves_session: false,
        }
    }

    /// The same, where only somebody signed in gets an answer.
    pub fn proving_session(self) -> Self {
        Self {
            proves_session: true,
            ..self
        }
    }

    /// What is known; follows every change.
    pub fn get(&self) -> Load<T> {
        self.load.get()
    }

    /// The value, fresh or not; follows every change.
    pub fn value(&self) -> Option<T> {
        self.load.with(|load| load.value().cloned())
    }

    /// The value, fresh or not, as it is now.
    pub fn value_untracked(&self) -> Option<T> {
        self.load.try_with_untracked(|load| load.value().cloned()).flatten()
    }

    /// Whether there is something to show for it, be it why there is nothing; follows every change.
    pub fn is_known(&self) -> bool {
        self.load.with(|load| !matches!(load, Load::Loading))
    }

    /// Whether asking for it has come to something in this visit; follows every change.
    pub fn is_settled(&self) -> bool {
        self.load.with(Load::is_settled)
    }

    /// The same, as it is now.
    pub fn is_settled_untracked(&self) -> bool {
        self.load.with_untracked(Load::is_settled)
    }

    /// Asks, unless an answer is on its way already: what a screen does when it is opened. As long as that screen is in
    /// sight, what was not answered is asked for again.
    pub fn want(&self) {
        self.show();
        let is_fresh = self.is_ahead.get_value() && self.load.with_untracked(|load| matches!(load, Load::Ready(_)));
        self.is_ahead.set_value(false);
        if !is_fresh {
            self.ask_unless_asking();
        }
    }

    /// Asks ahead of the first screen, which then has no need to.
    pub fn ask_ahead(&self) {
        self.is_ahead.set_value(true);
        self.refresh();
    }

    /// Belongs to what the screen shows that is opened now.
    pub fn show(&self) {
        InSight::show(Rc::new(*self));
    }

    /// Asks, unless an answer is on its way already.
    pub fn ask_unless_asking(&self) {
        if !self.is_asking.get_value() {
            self.refresh();
        }
    }

    /// Asks again. What is known stays until the answer is there; where nothing is, what was kept of an earlier visit.
    pub fn refresh(&self) {
        self.load.maybe_update(Load::leave_failure);
        self.send();
    }

    fn send(&self) {
        let turn = self.next_turn();
        self.is_asking.set_value(true);
        let source = *self;
        let is_new = self.load.with_untracked(|load| matches!(load, Load::Loading));
        let kept = is_new.then(|| self.ask.with_value(|ask| ask(Way::Recall)));
        let answer = self.ask.with_value(|ask| ask(Way::Ask));
        spawn_local(async move {
            let answer = match kept {
                Some(kept) => match sooner(kept, answer).await {
                    (Ok(kept), Some(answer)) => {
                        if source.is_turn(turn) {
                            source.as_of.set_value(kept.as_of);
                            source.load.set(Load::Stale(kept.value, None));
                        }
                        answer.await
                    }
                    (answer, _) => answer,
                },
                None => answer.await,
            };
            // The screen may be gone, or the question overtaken.
            if source.is_turn(turn) {
                source.answered(answer);
            }
        });
    }

    fn is_turn(&self, turn: u32) -> bool {
        self.turn.try_get_value() == Some(turn)
    }

    fn answered(&self, answer: Result<Known<T>, ApiError>) {
        self.is_asking.set_value(false);
        match answer {
            Ok(known) => {
                self.as_of.set_value(known.as_of);
                if self.proves_session {
                    self.session.started();
                }
                self.load.set(Load::Ready(known.value));
            }
            Err(ApiError::SignedOut) => self.session.ended(),
            Err(error) => self.load.maybe_update(|load| load.fail(error)),
        }
    }

    /// Takes what a change answered, which is as fresh as any answer.
    pub fn take(&self, value: T) {
        if self.turn.try_get_value().is_some() {
            self.next_turn();
            self.is_asking.set_value(false);
            self.as_of.set_value(api::server_now());
            self.load.set(Load::Ready(value));
        }
    }

    /// Asks again for what was asked for before.
    pub fn refresh_known(&self) {
        if self.load.with_untracked(|load| !matches!(load, Load::Loading)) {
            self.refresh();
        }
    }

    /// Forgets what is known; an answer still on its way is dropped.
    pub fn forget(&self) {
        self.next_turn();
        self.is_asking.set_value(false);
        self.load.set(Load::Loading);
    }

    fn next_turn(&self) -> u32 {
        let turn = self.turn.get_value().wrapping_add(1);
        self.turn.set_value(turn);
        turn
    }
}

impl<T: Clone + Send + Sync + 'static> Shown for Source<T> {
    fn remembered(&self) -> Option<(Instant, Option<ApiError>)> {
        let error = self.load.try_with(Load::trouble)??;
        Some((self.as_of.get_value(), error))
    }

    fn is_unanswered(&self) -> bool {
        self.load.try_with_untracked(Load::is_unanswered) == Some(true)
    }

    fn ask_again(&self) {
        if !self.is_asking.get_value() {
            self.send();
        }
    }
}
