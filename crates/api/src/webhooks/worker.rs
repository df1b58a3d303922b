//! What runs beside the server: makes deliveries of what happened, and sends what is due. Any number of processes may
//! do so over one database.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use loyalty_contract::Instant;
use sqlx::{AnyConnection, AssertSqlSafe};
use tokio::task::JoinSet;

use super::send::{Client, Message, Outcome};
use super::signature::Secret;
use super::wants;
use crate::clock::{Clock, millis};
use crate::db::{Database, Value, insert_rows, is_busy, is_missing_table};
use crate::secret_key::SecretKey;
use crate::token::{self, NoRandomness};

/// How often it looks for something new.
const LOOKS_EVERY: Duration = Duration::from_millis(500);

/// For how long it leaves a database alone that failed.
const RESTS: Duration = Duration::from_secs(5);

/// For how long what is being sent may go on once the end was asked for.
const GRACE: Duration = Duration::from_secs(3);

/// How many deliveries one process has on their way to one webhook: a receiver that hangs holds up its own alone.
const AT_ONCE: usize = 8;

/// For how long nobody else sends what one process has claimed: longer than all that it has claimed can take, one after
/// the other, each with its timeout of 15 seconds.
pub const LEASE: TimeDelta = TimeDelta::seconds(150);

/// How many events are made deliveries of in one transaction, and how many are forgotten.
const BATCH: u64 = 200;

/// For how long an event is kept, and can be sent again.
const KEPT: TimeDelta = TimeDelta::days(30);

/// How long after each attempt the next one is made; after the last it is given up.
const WAITS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// Why a turn came to nothing: what it was about waits for the next one.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

type Result<T> = std::result::Result<T, WorkError>;

/// Makes deliveries and sends them until `end` completes, then waits a few seconds for those on their way.
pub async fn run(db: Database, clock: Clock, key: Option<SecretKey>, end: impl Future<Output = ()>) {
    let client = match Client::new() {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "no event can be sent"),
    };
    let mut worker = Worker {
        db,
        clock,
        key,
        client,
        sending: JoinSet::new(),
        lanes: HashMap::new(),
        done: Vec::new(),
        forgets_at: Instant::MIN_UTC,
        is_warned: false,
    };
    let mut end = pin!(end);
    loop {
        let pause = match worker.turn().await {
            Ok(true) => Duration::ZERO,
            Ok(false) => LOOKS_EVERY,
            Err(WorkError::Database(error)) if is_busy(&error) => LOOKS_EVERY,
            Err(error) => {
                tracing::warn!(%error, "events wait");
                RESTS
            }
        };
        tokio::select! {
            () = &mut end => break,
            () = tokio::time::sleep(pause) => {}
            Some(sent) = worker.sending.join_next() => worker.take(sent.ok()),
        }
        while let Some(sent) = worker.sending.try_join_next() {
            worker.take(sent.ok());
        }
    }
    worker.finish().await;
}

struct Worker {
    db: Database,
    clock: Clock,
    key: Option<SecretKey>,
    client: Client,
    sending: JoinSet<Sent>,
    /// What is on its way. One member's events go to a webhook one after the other.
    lanes: HashMap<Lane, VecDeque<Delivery>>,
    /// What came of attempts, until it is written down.
    done: Vec<Sent>,
    forgets_at: Instant,
    is_warned: bool,
}

/// A webhook, and the member that an event is about: without one, the event itself.
type Lane = (String, String);

/// A delivery that this process has claimed.
#[derive(Debug)]
struct Delivery {
    id: String,
    lane: Lane,
    /// This one included.
    attempts: i64,
    message: Message,
}

/// What came of an attempt.
#[derive(Debug)]
struct Sent {
    id: String,
    lane: Lane,
    attempts: i64,
    at: Instant,
    outcome: Outcome,
}

/// A webhook with something due.
struct Due {
    id: String,
    url: Arc<str>,
    /// How many more can be sent to it at once.
    free: usize,
}

impl Worker {
    /// Does what there is to do now, and tells whether there is more.
    async fn turn(&mut self) -> Result<bool> {
        let now = self.clock.now();
        let made = match fan_out(&self.db, now).await {
            // A database that was never migrated, or not since it knows of events.
            Err(WorkError::Database(error)) if is_missing_table(&error) => return Ok(false),
            made => made?,
        };
        let due = self.due(now).await?;
        if !self.done.is_empty() || !due.is_empty() {
            self.write(&due, now).await?;
        }
        let mut forgot = 0;
        if now >= self.forgets_at {
            forgot = forget(&self.db, now).await?;
            if forgot < BATCH {
                self.forgets_at = now + TimeDelta::hours(1);
            }
        }
        Ok(made == BATCH || forgot == BATCH)
    }

    /// The webhooks with something due, as far as more can be sent to them at once.
    async fn due(&mut self, now: Instant) -> Result<Vec<Due>> {
        let found: Vec<(String, String)> = sqlx::query_as(DUE).bind(millis(now)).fetch_all(&self.db.pool).await?;
        if self.key.is_none() && !found.is_empty() {
            if !self.is_warned {
                tracing::warn!("events wait, since LOYALTY_SECRET_KEY is not set: nothing can be signed");
                self.is_warned = true;
            }
            return Ok(vec![]);
        }
        let on_their_way = |id: &str| -> usize {
            let of_this = self.lanes.iter().filter(|((webhook_id, _), _)| webhook_id == id);
            of_this.map(|(_, waiting)| 1 + waiting.len()).sum()
        };
        let due = found.into_iter().map(|(id, url)| Due {
            free: AT_ONCE.saturating_sub(on_their_way(&id)),
            url: url.into(),
            id,
        });
        Ok(due.filter(|due| due.free > 0).collect())
    }

    /// Writes down what came of attempts, claims what is due, and begins to send it.
    async fn write(&mut self, due: &[Due], now: Instant) -> Result<()> {
        let mut tx = self.db.begin_write().await?;
        for sent in &self.done {
            record(&mut tx, sent).await?;
        }
        let mut claimed = vec![];
        for webhook in due {
            claimed.extend(claim(&mut tx, webhook, now).await?);
        }
        tx.commit().await?;
        self.done.clear();
        for delivery in claimed {
            match self.lanes.get_mut(&delivery.lane) {
                Some(waiting) => waiting.push_back(delivery),
                None => {
                    self.lanes.insert(delivery.lane.clone(), VecDeque::new());
                    self.send(delivery);
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, delivery: Delivery) {
        // Nothing is claimed without a key.
        let Some(key) = &self.key else { return };
        let secret = Secret::of(key, &delivery.lane.0);
        let (client, clock) = (self.client.clone(), self.clock.clone());
        self.sending.spawn(async move {
            let outcome = client.send(&delivery.message, &secret, clock.now()).await;
            Sent {
                id: delivery.id,
                lane: delivery.lane,
                attempts: delivery.attempts,
                at: clock.now(),
                outcome,
            }
        });
    }

    /// Keeps what came of an attempt, and sends what waited for it.
    fn take(&mut self, sent: Option<Sent>) {
        let Some(sent) = sent else { return };
        match self.lanes.get_mut(&sent.lane).and_then(VecDeque::pop_front) {
            Some(next) => self.send(next),
            None => _ = self.lanes.remove(&sent.lane),
        }
        self.done.push(sent);
    }

    /// Waits for what is on its way. What is not answered in time is sent again when its lease is over.
    async fn finish(mut self) {
        self.lanes.values_mut().for_each(VecDeque::clear);
        let rest = async {
            while let Some(sent) = self.sending.join_next().await {
                self.done.extend(sent.ok());
            }
        };
        // Too late is no failure: see above.
        let _ = tokio::time::timeout(GRACE, rest).await;
        if self.done.is_empty() {
            return;
        }
        if let Err(error) = self.write(&[], self.clock.now()).await {
            tracing::warn!(%error, "what was sent last will be sent again");
        }
    }
}

const WAITING: &str = "
select count(*) from (select id from outbox where fanned_out_at is null limit 1) waiting";

const FAN_OUT: &str = "
update outbox set fanned_out_at = $1 where fanned_out_at is null
    and id in (select id from outbox where fanned_out_at is null order by at limit $2)
returning id, at, kind";

/// Locks them too: none is removed before its deliveries are there to be ended with it.
const SUBSCRIBED: &str = "update webhooks set kinds = kinds where removed_at is null returning id, kinds";

const DUE: &str = "
select id, url from (
    select w.id, w.url, (select min(d.next_at) from deliveries d where d.webhook_id = w.id and d.next_at is not null)
        as next_at
    from webhooks w where w.removed_at is null
) due
where next_at <= $1 order by id";

/// Of two processes that see the same, the second finds `next_at` moved ahead.
const CLAIM: &str = "
update deliveries set attempts = attempts + 1, next_at = $1
where next_at <= $2 and id in (
    select id from deliveries where webhook_id = $3 and next_at <= $2 order by next_at limit $4
)
returning id, attempts, event_id,
    (select o.at from outbox o where o.id = event_id),
    (select o.kind from outbox o where o.id = event_id),
    (select o.member_id from outbox o where o.id = event_id),
    (select o.body from outbox o where o.id = event_id)";

const OVER: &str = "
select o.id from outbox o where o.at < $1 and o.fanned_out_at is not null
    and not exists (select 1 from deliveries d where d.event_id = o.id and d.next_at is not null)
order by o.at limit $2";

/// Makes deliveries of what happened, one for each webhook that wants it, and tells of how many events.
async fn fan_out(db: &Database, now: Instant) -> Result<u64> {
    // Read first: writing takes turns.
    let (waiting,): (i64,) = sqlx::query_as(WAITING).fetch_one(&db.pool).await?;
    if waiting == 0 {
        return Ok(0);
    }
    let mut tx = db.begin_write().await?;
    let events: Vec<(String, i64, String)> = sqlx::query_as(FAN_OUT)
        .bind(millis(now))
        .bind(BATCH.cast_signed())
        .fetch_all(&mut *tx)
        .await?;
    let webhooks: Vec<(String, String)> = sqlx::query_as(SUBSCRIBED).fetch_all(&mut *tx).await?;
    let mut rows = vec![];
    for (event_id, at, kind) in &events {
        for (webhook_id, _) in webhooks.iter().filter(|(_, kinds)| wants(kinds, kind)) {
            // Due since it happened, so that what happened first is sent first.
            rows.push(delivery_row(webhook_id, event_id, millis(now).min(*at))?);
        }
    }
    insert_rows(&mut tx, "deliveries", &DELIVERY_COLUMNS, rows).await?;
    tx.commit().await?;
    Ok(events.len() as u64)
}

/// What a new delivery's row is made of.
pub const DELIVERY_COLUMNS: [&str; 5] = ["id", "webhook_id", "event_id", "attempts", "next_at"];

/// A delivery that was not tried yet.
///
/// # Errors
/// [`NoRandomness`].
pub fn delivery_row(webhook_id: &str, event_id: &str, next_at: i64) -> std::result::Result<Vec<Value>, NoRandomness> {
    Ok(vec![
        token::id()?.into(),
        webhook_id.into(),
        event_id.into(),
        0.into(),
        next_at.into(),
    ])
}

async fn claim(tx: &mut AnyConnection, webhook: &Due, now: Instant) -> Result<Vec<Delivery>> {
    type Row = (String, i64, String, i64, String, Option<String>, String);
    let mut claimed: Vec<Row> = sqlx::query_as(CLAIM)
        .bind(millis(now + LEASE))
        .bind(millis(now))
        .bind(&webhook.id)
        .bind(i64::try_from(webhook.free).unwrap_or(i64::MAX))
        .fetch_all(tx)
        .await?;
    // What happened in one instant goes by the kind: a tier changes after points were earned.
    claimed.sort_by(|one, other| (one.3, &one.4).cmp(&(other.3, &other.4)));
    let deliveries = claimed
        .into_iter()
        .map(|(id, attempts, event_id, _, _, member_id, body)| Delivery {
            id,
            lane: (webhook.id.clone(), member_id.unwrap_or_else(|| event_id.clone())),
            attempts,
            message: Message {
                url: Arc::clone(&webhook.url),
                event_id,
                body,
            },
        });
    Ok(deliveries.collect())
}

async fn record(tx: &mut AnyConnection, sent: &Sent) -> Result<()> {
    let webhook = &sent.lane.0;
    let (result, next_at) = match &sent.outcome {
        Outcome::Delivered(result) => {
            sqlx::query(
                "update deliveries set delivered_at = $1, tried_at = $1, next_at = null, last_result = $2 where id = $3",
            )
            .bind(millis(sent.at))
            .bind(result)
            .bind(&sent.id)
            .execute(tx)
            .await?;
            return Ok(());
        }
        Outcome::Gone => {
            tracing::warn!(webhook, "a receiver answered 410 Gone: it is sent nothing any more");
            remove(tx, webhook, sent.at).await?;
            ("410 Gone", None)
        }
        Outcome::Failed(result, asked) => {
            let wait = usize::try_from(sent.attempts - 1)
                .ok()
                .and_then(|tried| WAITS.get(tried));
            if wait.is_none() {
                tracing::warn!(webhook, delivery = sent.id, result, "an event was given up");
            }
            (result.as_str(), wait.map(|wait| sent.at + jittered(*wait).max(*asked)))
        }
    };
    // Unless its lease was over, and somebody else tries it now or has delivered it.
    sqlx::query(
        "update deliveries set tried_at = $1, next_at = $2, last_result = $3
        where id = $4 and attempts = $5 and delivered_at is null",
    )
    .bind(millis(sent.at))
    .bind(next_at.map(millis))
    .bind(result)
    .bind(&sent.id)
    .bind(sent.attempts)
    .execute(tx)
    .await?;
    Ok(())
}

/// Sends a webhook nothing any more, and tells whether there was one.
///
/// # Errors
/// Where the database refuses.
pub async fn remove(tx: &mut AnyConnection, webhook_id: &str, now: Instant) -> std::result::Result<bool, sqlx::Error> {
    let removed = sqlx::query("update webhooks set removed_at = $1 where id = $2 and removed_at is null")
        .bind(millis(now))
        .bind(webhook_id)
        .execute(&mut *tx)
        .await?;
    sqlx::query("update deliveries set next_at = null where webhook_id = $1 and next_at is not null")
        .bind(webhook_id)
        .execute(tx)
        .await?;
    Ok(removed.rows_affected() > 0)
}

/// Up to a tenth longer, so that what failed together does not come back together.
fn jittered(wait: TimeDelta) -> TimeDelta {
    let part = getrandom::u32().unwrap_or_default();
    wait + TimeDelta::milliseconds(wait.num_milliseconds() / 10 * i64::from(part) / i64::from(u32::MAX))
}

async fn forget(db: &Database, now: Instant) -> Result<u64> {
    // Read first: writing takes turns.
    let over: Vec<(String,)> = sqlx::query_as(OVER)
        .bind(millis(now - KEPT))
        .bind(1_i64)
        .fetch_all(&db.pool)
        .await?;
    if over.is_empty() {
        return Ok(0);
    }
    let mut tx = db.begin_write().await?;
    let forgot = sqlx::query(AssertSqlSafe(format!("delete from outbox where id in ({OVER})")))
        .bind(millis(now - KEPT))
        .bind(BATCH.cast_signed())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(forgot.rows_affected())
}
