//! A list that grows by pages.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::{Instant, Page};

use super::Load;
use crate::api::ApiError;
use crate::browser;
use crate::state::Session;

type Answer<T> = Pin<Box<dyn Future<Output = Result<Page<T>, ApiError>>>>;
type Ask<T> = Rc<dyn Fn(Option<String>) -> Answer<T>>;

/// The pages of a list, in their order; pages are shared, so that growing the list copies none of it.
pub type Loaded<T> = Vec<Arc<Vec<T>>>;

/// What can be said of the rest of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum More {
    /// There is none.
    No,
    /// There is, after this cursor.
    After(String),
    /// It is being asked for.
    Asking,
    /// Asking for what comes after this cursor failed.
    Failed(String, ApiError),
}

/// A list that the server knows, page by page.
pub struct Pages<T: Send + Sync + 'static> {
    load: RwSignal<Load<Loaded<T>>>,
    more: RwSignal<More>,
    /// How to ask; nothing before the screen that shows the list has said so.
    ask: StoredValue<Option<Ask<T>>, LocalStorage>,
    /// What comes after the last page that is there, while it is asked for too.
    next: StoredValue<Option<String>>,
    /// When the first page was as it stands, by this device's clock.
    as_of: StoredValue<Instant>,
    /// Counts the questions, so that an answer that was overtaken is dropped.
    turn: StoredValue<u32>,
    session: Session,
}

impl<T: Send + Sync + 'static> Clone for Pages<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Pages<T> {}

impl<T: Send + Sync + 'static> Pages<T> {
    /// A list that nobody knows yet how to ask for, see [`Self::ask_with`].
    pub fn new(session: Session) -> Self {
        Self {
            load: RwSignal::new(Load::Loading),
            more: RwSignal::new(More::No),
            ask: StoredValue::new_local(None),
            next: StoredValue::new(None),
            as_of: StoredValue::new(browser::now()),
            turn: StoredValue::new(0),
            session,
        }
    }

    /// Asks with `ask` for what comes after a cursor, from now on.
    pub fn ask_with<F>(&self, ask: impl Fn(Option<String>) -> F + 'static)
    where
        F: Future<Output = Result<Page<T>, ApiError>> + 'static,
    {
        let ask: Ask<T> = Rc::new(move |after| Box::pin(ask(after)));
        self.ask.set_value(Some(ask));
    }

    /// What is known; follows every change.
    pub fn get(&self) -> Load<Loaded<T>> {
        self.load.get()
    }

    /// What is known, as it is now.
    pub fn get_untracked(&self) -> Load<Loaded<T>> {
        self.load.get_untracked()
    }

    /// When the first page was as it stands, by this device's clock.
    pub fn as_of(&self) -> Instant {
        self.as_of.get_value()
    }

    /// What can be said of the rest; follows every change.
    pub fn more(&self) -> More {
        self.more.get()
    }

    /// Whether there is nothing to show; follows every change.
    pub fn is_empty(&self) -> bool {
        self.load.with(|load| {
            load.value()
                .is_none_or(|pages| pages.iter().all(|page| page.is_empty()))
        })
    }

    /// Asks for the list, as a screen does when it is opened; not for one that has grown, whose reader goes on in it.
    pub fn want(&self) {
        let has_grown = self
            .load
            .with_untracked(|load| load.value().is_some_and(|pages| pages.len() > 1));
        if !has_grown {
            self.refresh();
        }
    }

    /// Asks again for what was asked for before; not for a list that has grown.
    pub fn refresh_known(&self) {
        if self.load.with_untracked(|load| load.value().is_some()) {
            self.want();
        }
    }

    /// Asks for the list from its beginning. What is known stays until the answer is there, and longer if there is none.
    pub fn refresh(&self) {
        self.ask_from_the_beginning(|load, error| match load {
            Load::Ready(value) | Load::Stale(value, _) => Load::Stale(value, error),
            Load::Loading | Load::Failed(_) => Load::Failed(error),
        });
    }

    /// Asks for another list in the place of this one, which stays until the answer is there and no longer.
    pub fn renew(&self) {
        self.ask_from_the_beginning(|_, error| Load::Failed(error));
    }

    fn ask_from_the_beginning(&self, failed: fn(Load<Loaded<T>>, ApiError) -> Load<Loaded<T>>) {
        if self.load.with_untracked(|load| matches!(load, Load::Failed(_))) {
            self.load.set(Load::Loading);
        }
        // Nothing is to grow until the answer is there: what it would grow from may be another list.
        self.more.set(More::Asking);
        let list = *self;
        self.answer(None, move |answer| match answer {
            Ok(page) => {
                list.as_of.set_value(browser::now());
                list.load.set(Load::Ready(vec![Arc::new(page.items)]));
                list.continue_after(page.next);
            }
            Err(error) => {
                list.load
                    .update(|load| *load = failed(std::mem::replace(load, Load::Loading), error));
                list.continue_after(list.next.get_value());
            }
        });
    }

    fn continue_after(&self, next: Option<String>) {
        self.next.set_value(next.clone());
        self.more.set(next.map_or(More::No, More::After));
    }

    /// Asks for the next page, if there is one and it is not on its way.
    pub fn grow(&self) {
        let (More::After(cursor) | More::Failed(cursor, _)) = self.more.get_untracked() else {
            return;
        };
        self.more.set(More::Asking);
        let list = *self;
        self.answer(Some(cursor.clone()), move |answer| match answer {
            Ok(page) => {
                list.load.update(|load| {
                    if let Load::Ready(pages) | Load::Stale(pages, _) = load {
                        pages.push(Arc::new(page.items));
                    }
                });
                list.continue_after(page.next);
            }
            Err(error) => list.more.set(More::Failed(cursor, error)),
        });
    }

    /// Forgets what is known; an answer still on its way is dropped.
    pub fn forget(&self) {
        self.next_turn();
        self.continue_after(None);
        self.load.set(Load::Loading);
    }

    fn answer(&self, after: Option<String>, then: impl FnOnce(Result<Page<T>, ApiError>) + 'static) {
        let turn = self.next_turn();
        let (turns, session) = (self.turn, self.session);
        let Some(answer) = self.ask.with_value(|ask| ask.as_ref().map(|ask| ask(after))) else {
            return;
        };
        spawn_local(async move {
            let answer = answer.await;
            if turns.try_get_value() != Some(turn) {
                return;
            }
            match answer {
                Err(ApiError::SignedOut) => session.ended(),
                answer => then(answer),
            }
        });
    }

    fn next_turn(&self) -> u32 {
        let turn = self.turn.get_value().wrapping_add(1);
        self.turn.set_value(turn);
        turn
    }
}
