//! `GET /me/events`: a member's open screens are told at once that something changed.
//!
//! Whatever changes a member's points or vouchers raises the version on their row first, under their lock, and a voucher
//! keeps the version at which it came to its state. So nothing has to be written for this, and nothing can be missed:
//! a member's versions come into force in their order, and whoever names the last one that they know is told the rest.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use loyalty_contract::member_events::{REDEMPTION_CHANGED, RedemptionChanged, STATUS_CHANGED};
use loyalty_contract::{Problem, ProblemCode};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval, interval_at};

use super::App;
use super::error::{Error, Result};
use super::session::Session;
use crate::clock::millis;
use crate::db::next_rows;

/// How often the database is asked what changed for those who listen.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often a stream shows that it is alive, and whether its session still is.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);

/// After how long a browser connects again.
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// How many streams one session can have: a few tabs.
const STREAMS: usize = 5;

/// What a browser that was connected before sends: the last id that it heard.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Everybody who listens to this process.
#[derive(Debug, Default)]
pub struct Listeners(Mutex<Listening>);

#[derive(Debug, Default)]
struct Listening {
    /// The server ends: nobody is let in any more.
    is_over: bool,
    /// The last version of each member that is known here.
    versions: HashMap<String, watch::Sender<i64>>,
    /// How many streams each session has.
    streams: HashMap<String, usize>,
}

impl Listeners {
    fn lock(&self) -> MutexGuard<'_, Listening> {
        // A poisoned lock still guards whole maps.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one more stream listen to its member's versions.
    fn enter(&self, session: &Session, version: i64) -> Result<watch::Receiver<i64>> {
        let mut listening = self.lock();
        if listening.is_over {
            return Err(Error::unavailable("the server ends"));
        }
        let streams = listening.streams.entry(session.id.clone()).or_default();
        if *streams >= STREAMS {
            let detail = format!("a session has {STREAMS} streams at most");
            let seconds = HEARTBEAT_EVERY.as_secs().try_into().unwrap_or(u32::MAX);
            return Err(Error::wait(ProblemCode::TooManyRequests, detail, seconds));
        }
        *streams += 1;
        let sender = listening.versions.entry(session.member_id.clone());
        Ok(sender.or_insert_with(|| watch::Sender::new(version)).subscribe())
    }

    fn leave(&self, session_id: &str) {
        let mut listening = self.lock();
        if let Some(streams) = listening.streams.get_mut(session_id) {
            *streams -= 1;
            if *streams == 0 {
                listening.streams.remove(session_id);
            }
        }
    }

    /// Whose versions are of interest.
    fn members(&self) -> Vec<String> {
        let mut listening = self.lock();
        listening.versions.retain(|_, sender| sender.receiver_count() > 0);
        listening.versions.keys().cloned().collect()
    }

    fn tell(&self, member_id: &str, version: i64) {
        if let Some(sender) = self.lock().versions.get(member_id) {
            sender.send_if_modified(|known| {
                let is_new = *known < version;
                *known = version.max(*known);
                is_new
            });
        }
    }

    /// Ends every stream.
    fn end(&self) {
        let mut listening = self.lock();
        listening.is_over = true;
        listening.versions.clear();
    }
}

/// Looks for what changed until `end` says so: once for all streams of this process.
pub async fn run(app: Arc<App>, mut end: watch::Receiver<bool>) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let looked = tokio::select! {
            _ = end.changed() => break,
            _ = look.tick() => look_once(&app).await,
        };
        if let Err(error) = looked {
            // What changed meanwhile is found the next time.
            tracing::warn!(?error, "what is to be told to open screens could not be read now");
        }
    }
    app.listeners.end();
}

async fn look_once(app: &App) -> Result<()> {
    let mut members = app.listeners.members().into_iter();
    if members.len() == 0 {
        return Ok(());
    }
    let mut db = app.db.pool.acquire().await?;
    loop {
        let some = next_rows(&db, &mut members, 1);
        if some.is_empty() {
            return Ok(());
        }
        let places: Vec<String> = (1..=some.len()).map(|place| format!("${place}")).collect();
        let statement = format!("select id, version from members where id in ({})", places.join(", "));
        // The text is made of this file's own words and numbers; every value is bound.
        let mut select = sqlx::query_as::<_, (String, i64)>(AssertSqlSafe(statement));
        for member_id in some {
            select = select.bind(member_id);
        }
        for (member_id, version) in select.fetch_all(&mut *db).await? {
            app.listeners.tell(&member_id, version);
        }
    }
}

/// Tells that the status or a voucher changed, for as long as the session lasts.
#[utoipa::path(get, path = "/me/events", operation_id = "list_events", tag = "me",
    security(("session" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "the id of the last event that was heard: what changed since then is told first")),
    responses(
        (status = 200, body = String, content_type = "text/event-stream",
            description = "`status_changed` with `{}`, and `redemption_changed` with the voucher's id (`RedemptionChanged`), each within a second; a comment every 15 seconds"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_events(State(app): State<Arc<App>>, session: Session, asked: HeaderMap) -> Result<Response> {
    let version: Option<(i64,)> = sqlx::query_as("select version from members where id = $1")
        .bind(&session.member_id)
        .fetch_optional(&app.db.pool)
        .await?;
    let (version,) = version.ok_or_else(Error::signed_out)?;
    let last = asked
        .get(LAST_EVENT_ID)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let known = last.filter(|last| (0..=version).contains(last)).unwrap_or(version);
    let mut versions = app.listeners.enter(&session, version)?;
    // What came between the look at the database and here, or since the last time.
    versions.mark_changed();
    let mut heartbeat = interval_at(tokio::time::Instant::now() + HEARTBEAT_EVERY, HEARTBEAT_EVERY);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let telling = Telling {
        app,
        session,
        versions,
        known,
        heartbeat,
        events: [Event::default().retry(RETRY_AFTER)].into(),
    };
    let stream = unfold(telling, async |mut telling| {
        let event = telling.next().await?;
        Some((Ok::<_, Infallible>(event), telling))
    });
    let mut response = Sse::new(Box::pin(stream)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep it back until there is enough of it.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// One stream.
struct Telling {
    app: Arc<App>,
    session: Session,
    versions: watch::Receiver<i64>,
    /// The version that the listener knows.
    known: i64,
    heartbeat: Interval,
    /// What goes out next.
    events: VecDeque<Event>,
}

impl Telling {
    /// Waits for what there is to tell; `None` at the end. The browser then connects again, with what it knows.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let done = tokio::select! {
                changed = self.versions.changed() => {
                    changed.ok()?;
                    let version = *self.versions.borrow_and_update();
                    self.read(version).await
                }
                _ = self.heartbeat.tick() => self.beat().await,
            };
            if let Err(error) = done {
                tracing::debug!(?error, "a stream of events ends");
                return None;
            }
        }
    }

    /// Finds what changed until that version.
    async fn read(&mut self, version: i64) -> Result<()> {
        if version <= self.known {
            return Ok(());
        }
        let vouchers: Vec<(String,)> = sqlx::query_as(
            "select id from redemptions where member_id = $1 and version > $2 and version <= $3 order by version, id",
        )
        .bind(&self.session.member_id)
        .bind(self.known)
        .bind(version)
        .fetch_all(&self.app.db.pool)
        .await?;
        for (id,) in vouchers {
            let event = Event::default().event(REDEMPTION_CHANGED);
            let event = event.json_data(RedemptionChanged { id }).map_err(Error::internal)?;
            self.events.push_back(event);
        }
        // The last one carries the id: whoever is cut off before it is told all of them again.
        let event = Event::default().event(STATUS_CHANGED).id(version.to_string());
        self.events
            .push_back(event.json_data(json!({})).map_err(Error::internal)?);
        self.known = version;
        Ok(())
    }

    /// Shows that the stream is alive, unless its session is over.
    async fn beat(&mut self) -> Result<()> {
        let lasts: Option<(String,)> = sqlx::query_as("select id from sessions where id = $1 and expires_at > $2")
            .bind(&self.session.id)
            .bind(millis(self.app.clock.now()))
            .fetch_optional(&self.app.db.pool)
            .await?;
        lasts.ok_or_else(Error::signed_out)?;
        self.events.push_back(Event::default().comment(""));
        Ok(())
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.app.listeners.leave(&self.session.id);
    }
}
