//! One thing that the server knows.

use std::pin::Pin;
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::Instant;

use super::Load;
use crate::api::ApiError;
use crate::browser;
use crate::state::Session;

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// One thing that the server knows, kept while it is asked for again.
pub struct Source<T: Send + Sync + 'static> {
    load: RwSignal<Load<T>>,
    ask: StoredValue<Rc<dyn Fn() -> Answer<T>>, LocalStorage>,
    /// Counts the questions, so that an answer that was overtaken is dropped.
    turn: StoredValue<u32>,
    /// Whether an answer is on its way.
    is_asking: StoredValue<bool>,
    /// When the value was as it stands, by this device's clock.
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
    pub fn new<F>(session: Session, ask: impl Fn() -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        let ask: Rc<dyn Fn() -> Answer<T>> = Rc::new(move || Box::pin(ask()));
        Self {
            load: RwSignal::new(Load::Loading),
            ask: StoredValue::new_local(ask),
            turn: StoredValue::new(0),
            is_asking: StoredValue::new(false),
            as_of: StoredValue::new(browser::now()),
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

    /// When the value was as it stands, by this device's clock.
    pub fn as_of(&self) -> Instant {
        self.as_of.get_value()
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

    /// Asks, unless an answer is on its way already: what a screen does when it is opened.
    pub fn want(&self) {
        if !self.is_asking.get_value() {
            self.refresh();
        }
    }

    /// Asks again. What is known stays until the answer is there.
    pub fn refresh(&self) {
        if self.load.with_untracked(|load| matches!(load, Load::Failed(_))) {
            self.load.set(Load::Loading);
        }
        let turn = self.next_turn();
        self.is_asking.set_value(true);
        let source = *self;
        let answer = self.ask.with_value(|ask| ask());
        spawn_local(async move {
            let answer = answer.await;
            // The screen may be gone, or the question overtaken.
            if source.turn.try_get_value() != Some(turn) {
                return;
            }
            source.is_asking.set_value(false);
            match answer {
                Ok(value) => {
                    source.as_of.set_value(browser::now());
                    if source.proves_session {
                        source.session.started();
                    }
                    source.load.set(Load::Ready(value));
                }
                Err(ApiError::SignedOut) => source.session.ended(),
                Err(error) => source.load.update(|load| {
                    *load = match std::mem::replace(load, Load::Loading) {
                        Load::Ready(value) | Load::Stale(value, _) => Load::Stale(value, error),
                        Load::Loading | Load::Failed(_) => Load::Failed(error),
                    }
                }),
            }
        });
    }

    /// Takes what a change answered, which is as fresh as any answer.
    pub fn take(&self, value: T) {
        if self.turn.try_get_value().is_some() {
            self.next_turn();
            self.is_asking.set_value(false);
            self.as_of.set_value(browser::now());
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
