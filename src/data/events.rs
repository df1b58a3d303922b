//! Hears what the server tells by itself: one stream for the whole wallet, while somebody looks at it.

use std::time::Duration;

use leptos::prelude::*;

use super::Remembered;
use crate::api::events::{self, Changed};
use crate::browser::document;
use crate::browser::event_source::{ERROR, EventStream, OPEN};
use crate::state::{Session, watch};

/// After how long a stream that the server refused is asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What the server tells by itself.
#[derive(Clone, Copy)]
pub struct Events {
    /// Whether it can tell now.
    is_open: RwSignal<bool>,
    /// The voucher that it spoke of last, `None` for any: something may have been missed.
    redemption: RwSignal<Option<String>>,
    stream: StoredValue<Option<EventStream>, LocalStorage>,
    /// Whether there was a time in which nothing was told.
    is_behind: StoredValue<bool>,
    remembered: Remembered,
    session: Session,
}

impl Events {
    /// Listens from now on, whenever somebody is signed in and the wallet is in sight.
    pub fn provide(session: Session, remembered: Remembered) -> Self {
        let events = Self {
            is_open: RwSignal::new(false),
            redemption: RwSignal::new(None),
            stream: StoredValue::new_local(None),
            is_behind: StoredValue::new(false),
            remembered,
            session,
        };
        provide_context(events);
        // An answer proves the session: before that the stream would only be refused.
        let is_known = Memo::new(move |_| !session.is_signed_out() && remembered.status.is_settled());
        watch(move || {
            is_known.get();
            events.open_or_close();
        });
        let _ = window_event_listener_untyped("visibilitychange", move |_| {
            events.open_or_close();
            if document::is_visible() && !session.is_signed_out_untracked() {
                events.remembered.status.refresh();
            }
        });
        let _ = window_event_listener_untyped("focus", move |_| {
            if !events.is_open.get_untracked() && !session.is_signed_out_untracked() {
                events.remembered.status.ask_unless_asking();
            }
        });
        events
    }

    /// Whether the server can tell, as it is now.
    pub fn is_open_untracked(&self) -> bool {
        self.is_open.get_untracked()
    }

    /// Whether it was this voucher of which it was told last that it changed; runs anew each time one is told.
    pub fn may_have_changed(&self, id: &str) -> bool {
        self.redemption
            .with(|told| told.as_deref().is_none_or(|told| told == id))
    }

    fn open_or_close(&self) {
        let is_wanted = !self.session.is_signed_out_untracked()
            && self.remembered.status.is_settled_untracked()
            && document::is_visible();
        let is_there = self.stream.with_value(Option::is_some);
        if is_wanted && !is_there {
            let events = *self;
            let stream = EventStream::open(&events::address(), &events::NAMES, move |name, data| {
                events.hear(name, data)
            });
            self.stream.set_value(stream);
        } else if !is_wanted && is_there {
            self.close();
        }
    }

    fn close(&self) {
        self.stream.set_value(None);
        self.is_open.set(false);
        self.is_behind.set_value(true);
    }

    fn hear(&self, name: &str, data: &str) {
        match name {
            OPEN => {
                self.is_open.set(true);
                // What happened between the last answer and now was not told.
                if self.is_behind.get_value() {
                    self.remembered.points_moved();
                } else {
                    self.remembered.status.refresh();
                    self.remembered.open_vouchers.refresh_known();
                }
                self.redemption.set(None);
                self.is_behind.set_value(false);
            }
            ERROR => {
                self.is_open.set(false);
                self.is_behind.set_value(true);
                if self
                    .stream
                    .with_value(|stream| stream.as_ref().is_some_and(EventStream::is_over))
                {
                    let events = *self;
                    set_timeout(
                        move || {
                            events.close();
                            events.open_or_close();
                        },
                        AGAIN_AFTER,
                    );
                }
            }
            _ => match events::read(name, data) {
                Some(Changed::Status) => self.remembered.points_moved(),
                Some(Changed::Redemption(id)) => {
                    self.remembered.open_vouchers.refresh_known();
                    self.redemption.set(Some(id));
                }
                None => (),
            },
        }
    }
}

/// What [`Events::provide`] made.
pub fn use_events() -> Events {
    expect_context()
}
