//! The key that makes the member's code on this device: the one that the browser keeps, or a new one from the server.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::status::Status;

use super::{Load, Source};
use crate::api::{self, ApiError, Way};
use crate::browser::code_key::{self, CodeKey, NewKey, Trouble};
use crate::intl::t;
use crate::state::{Session, watch};

/// How it stands with the key.
#[derive(Clone)]
pub enum Holding {
    /// The browser has not answered yet, or the server.
    Loading,
    /// It is here, and needs no connection.
    Here(CodeKey),
    /// It was ended from another device.
    Ended,
    /// This browser keeps no keys.
    Impossible,
    /// There is none, and none could be got.
    Missing(ApiError),
}

/// The key, and how it is come by.
#[derive(Clone, Copy)]
pub struct MemberCode {
    holding: RwSignal<Holding>,
    /// Whether it is being looked for.
    is_busy: StoredValue<bool>,
    /// Whether the server said that it accepts what this key makes.
    is_confirmed: StoredValue<bool>,
    status: Source<Status>,
    session: Session,
}

impl MemberCode {
    fn idle(session: Session, status: Source<Status>) -> Self {
        Self {
            holding: RwSignal::new(Holding::Loading),
            is_busy: StoredValue::new(false),
            is_confirmed: StoredValue::new(false),
            status,
            session,
        }
    }

    /// Gets a key where there is none, once there is a connection: before somebody stands at a till without one.
    pub fn prepare(session: Session, status: Source<Status>) {
        let code = Self::idle(session, status);
        watch(move || {
            if !matches!(status.get(), Load::Ready(_)) || code.is_busy.get_value() {
                return;
            }
            code.is_busy.set_value(true);
            spawn_local(async move {
                if let Ok(kept) = code_key::read().await
                    && !kept.is_some_and(|key| code.is_theirs(&key))
                {
                    code.make().await;
                }
            });
        });
    }

    /// Looks for the key, and again whenever an answer shows that there is a connection.
    pub fn new(session: Session, status: Source<Status>) -> Self {
        let code = Self::idle(session, status);
        code.want();
        watch(move || {
            if matches!(status.get(), Load::Ready(_)) {
                code.hide_unless_theirs();
                code.want();
            }
        });
        code
    }

    /// How it stands; follows every change.
    pub fn holding(&self) -> Holding {
        self.holding.get()
    }

    /// The key, if it is here; follows every change.
    pub fn key(&self) -> Option<CodeKey> {
        match self.holding.get() {
            Holding::Here(key) => Some(key),
            _ => None,
        }
    }

    /// The browser has the key, and cannot sign with it.
    pub fn is_useless(&self) {
        self.is_confirmed.try_set_value(true);
        self.holding.try_set(Holding::Impossible);
    }

    /// Gets a new key in the place of one that was ended, and goes on with `then` once it is here.
    pub fn turn_on(&self, then: impl FnOnce() + 'static) {
        self.holding.set(Holding::Loading);
        self.is_busy.set_value(true);
        let code = *self;
        spawn_local(async move {
            code.make().await;
            code.is_busy.try_set_value(false);
            if code.is_confirmed.try_get_value() == Some(true) {
                then();
            }
        });
    }

    fn want(&self) {
        let is_settled = self.is_confirmed.get_value() || matches!(self.holding.get_untracked(), Holding::Ended);
        if is_settled || self.is_busy.get_value() {
            return;
        }
        self.is_busy.set_value(true);
        let code = *self;
        spawn_local(async move {
            match code_key::read().await {
                Err(trouble) => code.fail(trouble),
                Ok(Some(key)) if code.is_theirs(&key) => code.confirm(key).await,
                Ok(_) => code.make().await,
            }
            code.is_busy.try_set_value(false);
        });
    }

    /// Nobody is shown a code of somebody else for longer than that takes to be known.
    fn hide_unless_theirs(&self) {
        if let Holding::Here(key) = self.holding.get_untracked()
            && !self.is_theirs(&key)
        {
            self.holding.set(Holding::Loading);
        }
    }

    /// Whether it is the key of who is signed in, as far as that is known.
    fn is_theirs(&self, key: &CodeKey) -> bool {
        let status = self.status.value_untracked();
        status.is_none_or(|status| status.member.number == key.member_number)
    }

    /// Shows a key that was kept, and asks the server whether it still counts.
    async fn confirm(self, key: CodeKey) {
        let is_shown = self
            .holding
            .try_with_untracked(|holding| matches!(holding, Holding::Here(shown) if shown.id == key.id));
        if is_shown == Some(false) {
            self.holding.try_set(Holding::Here(key.clone()));
        }
        match api::code_keys::list_code_keys(Way::Ask).await {
            Err(ApiError::SignedOut) => self.session.ended(),
            // It became known meanwhile who is signed in.
            _ if !self.is_theirs(&key) => self.make().await,
            Ok(keys) if keys.value.iter().any(|known| known.key_id == key.id) => {
                self.is_confirmed.try_set_value(true);
            }
            // Until it is known who is signed in, it may be the key of somebody else.
            Ok(_) if self.status.value_untracked().is_some() => {
                self.holding.try_set(Holding::Ended);
            }
            // Without an answer it most likely counts.
            Ok(_) | Err(_) => (),
        }
    }

    /// Gets a key from the server and gives it to the browser to keep.
    async fn make(self) {
        let made = match device_name().await {
            Ok(name) => api::code_keys::create_code_key(name).await,
            Err(error) => Err(error),
        };
        let made = match made {
            Ok(made) => made,
            Err(ApiError::SignedOut) => return self.session.ended(),
            Err(error) => {
                self.holding.try_set(Holding::Missing(error));
                return;
            }
        };
        // Whoever signed out meanwhile leaves nothing behind.
        if self.session.is_signed_out_untracked() {
            return;
        }
        let new = NewKey {
            id: &made.key_id,
            member_number: &made.member_number,
            secret: &made.secret,
            made_at: made.server_time.timestamp_millis() as f64,
        };
        match code_key::keep(new).await {
            Ok(key) => {
                self.is_confirmed.try_set_value(true);
                self.holding.try_set(Holding::Here(key));
            }
            Err(trouble) => self.fail(trouble),
        }
    }

    fn fail(&self, trouble: Trouble) {
        self.holding.try_set(match trouble {
            Trouble::NotThere => Holding::Missing(ApiError::Unreachable),
            Trouble::Unable => Holding::Impossible,
        });
    }
}

/// What the server calls this device, so that the member finds one name for it everywhere.
async fn device_name() -> Result<String, ApiError> {
    let sessions = api::profile::list_sessions(Way::Ask).await?;
    let current = sessions.value.into_iter().find(|session| session.is_current);
    let name = current.map(|session| session.device).filter(|name| !name.is_empty());
    Ok(name.unwrap_or_else(t::devices::unknown))
}
