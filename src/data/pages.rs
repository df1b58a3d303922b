//! A list that grows by pages.

use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::{Instant, Page};

use super::Load;
use super::in_sight::{InSight, Shown};
use super::remember::{Answer, sooner};
use crate::api::{ApiError, Known, Way};
use crate::state::Session;

type Ask<T> = Rc<dyn Fn(Way, Option<String>) -> Answer<Page<T>>>;

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
    /// When the first page was as it stands, by the server's clock.
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
            as_of: StoredValue::new(Instant::default()),
            turn: StoredValue::new(0),
            session,
        }
    }

    /// Asks with `ask` for what comes after a cursor, from now on.
    pub fn ask_with<F>(&self, ask: impl Fn(Way, Option<String>) -> F + 'static)
    where
        F: Future<Output = Result<Known<Page<T>>, ApiError>> + 'static,
    {
        let ask: Ask<T> = Rc::new(move |way, after| Box::pin(ask(way, after)));
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
    /// As long as that screen is in sight, what was not answered is asked for again.
    pub fn want(&self) {
        InSight::show(Rc::new(*self));
        self.refresh_unless_grown();
    }

    fn refresh_unless_grown(&self) {
        if !self.has_grown() {
            self.refresh();
        }
    }

    fn has_grown(&self) -> bool {
        self.load
            .with_untracked(|load| load.value().is_some_and(|pages| pages.len() > 1))
    }

    /// Asks again for what was asked for before; not for a list that has grown.
    pub fn refresh_known(&self) {
        if self.load.with_untracked(|load| load.value().is_some()) {
            self.refresh_unless_grown();
        }
    }

    /// Asks for the list from its beginning. What is known stays until the answer is there, and longer if there is none.
    pub fn refresh(&self) {
        self.load.maybe_update(Load::leave_failure);
        self.send(Load::fail);
    }

    /// Asks for another list in the place of this one, which stays until the answer is there and no longer.
    pub fn renew(&self) {
        self.load.maybe_update(Load::leave_failure);
        self.send(|load, error| {
            *load = Load::Failed(error);
            true
        });
    }

    fn send(&self, fail: fn(&mut Load<Loaded<T>>, ApiError) -> bool) {
        // Nothing is to grow until the answer is there: what it would grow from may be another list.
        self.more.set(More::Asking);
        let list = *self;
        let is_new = self.load.with_untracked(|load| matches!(load, Load::Loading));
        self.answer(is_new, None, move |answer| match answer {
            Ok(known) => {
                list.as_of.set_value(known.as_of);
                list.load.set(Load::Ready(vec![Arc::new(known.value.items)]));
                list.continue_after(known.value.next);
            }
            Err(error) => {
                list.load.maybe_update(|load| fail(load, error));
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
        self.answer(false, Some(cursor.clone()), move |answer| match answer {
            Ok(Known { value: page, .. }) => {
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

    /// Asks, and calls `then` with the answer; until that is there a new list is shown as it was kept.
    fn answer(
        &self,
        is_new: bool,
        after: Option<String>,
        then: impl FnOnce(Result<Known<Page<T>>, ApiError>) + 'static,
    ) {
        let turn = self.next_turn();
        let list = *self;
        let Some(ask) = self.ask.get_value() else { return };
        let kept = is_new.then(|| ask(Way::Recall, None));
        let answer = ask(Way::Ask, after);
        spawn_local(async move {
            let answer = match kept {
                Some(kept) => match sooner(kept, answer).await {
                    (Ok(kept), Some(answer)) => {
                        if list.is_turn(turn) {
                            list.as_of.set_value(kept.as_of);
                            list.next.set_value(kept.value.next);
                            list.load.set(Load::Stale(vec![Arc::new(kept.value.items)], None));
                        }
                        answer.await
                    }
                    (answer, _) => answer,
                },
                None => answer.await,
            };
            if list.is_turn(turn) {
                match answer {
                    Err(ApiError::SignedOut) => list.session.ended(),
                    answer => then(answer),
                }
            }
        });
    }

    fn is_turn(&self, turn: u32) -> bool {
        self.turn.try_get_value() == Some(turn)
    }

    fn next_turn(&self) -> u32 {
        let turn = self.turn.get_value().wrapping_add(1);
        self.turn.set_value(turn);
        turn
    }
}

impl<T: Send + Sync + 'static> Shown for Pages<T> {
    fn remembered(&self) -> Option<(Instant, Option<ApiError>)> {
        let error = self.load.try_with(Load::trouble)??;
        Some((self.as_of.get_value(), error))
    }

    fn is_unanswered(&self) -> bool {
        self.load.try_with_untracked(Load::is_unanswered) == Some(true)
    }

    fn ask_again(&self) {
        if !self.has_grown() {
            self.send(Load::fail);
        }
    }
}
