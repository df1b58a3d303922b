//! What a shop does with webhooks at the terminal.

use axum::http::Uri;
use loyalty_contract::Instant;

use super::signature::Secret;
use super::worker::{DELIVERY_COLUMNS, LEASE, delivery_row, remove};
use super::{ALL, wants};
use crate::clock::{Clock, millis};
use crate::config::WebhookCommand;
use crate::db::{self, Database, Stage, insert_rows};
use crate::failure::Failure;
use crate::secret_key::SecretKey;
use crate::terminal::{instant, remark, say, say_table};
use crate::token;

/// Does what was asked for.
///
/// # Errors
/// [`Failure`], to be shown to whoever asked.
pub async fn run(db: &Database, command: WebhookCommand, clock: &Clock) -> Result<(), Failure> {
    db::check_tables(&db.pool).await?;
    let now = clock.now();
    match command {
        WebhookCommand::Add { url, kinds, secret_key } => add(db, &url, &kinds, &secret_key, now).await,
        WebhookCommand::List => list(db).await,
        WebhookCommand::Remove { id } => {
            let mut tx = db.begin_write().await?;
            if !remove(&mut tx, &id, now).await? {
                return Err(unknown(&id));
            }
            tx.commit().await?;
            say("The webhook is removed: nothing more is sent to it.");
            Ok(())
        }
        WebhookCommand::Secret { id, secret_key } => {
            let found: Option<(String,)> =
                sqlx::query_as("select id from webhooks where id = $1 and removed_at is null")
                    .bind(&id)
                    .fetch_optional(&db.pool)
                    .await?;
            let (id,) = found.ok_or_else(|| unknown(&id))?;
            say(&Secret::of(&secret_key, &id).text());
            Ok(())
        }
        WebhookCommand::Replay { id, since, until } => {
            let count = replay(db, &id, since, until.unwrap_or(now), now).await?;
            say(&format!("Events to be sent again: {count}."));
            Ok(())
        }
    }
}

async fn add(db: &Database, url: &str, kinds: &[String], key: &SecretKey, now: Instant) -> Result<(), Failure> {
    check_url(url, db::stage(&db.pool).await? == Stage::Seeded { demo: true })?;
    let kinds = if kinds.iter().any(|kind| kind == ALL) {
        ALL.to_owned()
    } else {
        kinds.join(",")
    };
    // A command line takes what begins with a hyphen for an option.
    let id = format!("wh_{}", token::id()?);
    let mut tx = db.begin_write().await?;
    sqlx::query("insert into webhooks (id, url, kinds, created_at) values ($1, $2, $3, $4)")
        .bind(&id)
        .bind(url)
        .bind(kinds)
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    say(&Secret::of(key, &id).text());
    remark(&format!(
        "This is the secret of the webhook {id}: its receiver knows by it that an event is from here."
    ));
    Ok(())
}

/// Refuses what nothing can be sent to, and what anybody on the way could read.
fn check_url(url: &str, is_demo: bool) -> Result<(), Failure> {
    let wrong = || Failure::new(format!("The URL {url:?} is not like https://crm.example/loyalty."));
    let parsed: Uri = url.parse().map_err(|_| wrong())?;
    let (Some(scheme), Some(authority)) = (parsed.scheme_str(), parsed.authority()) else {
        return Err(wrong());
    };
    if authority.as_str().contains('@') || authority.host().is_empty() || url.contains('#') {
        return Err(wrong());
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_demo || is_this_machine(authority.host()) => Ok(()),
        "http" => Err(Failure::new(
            "Events are about people, so they are sent over https only, except to this machine itself.",
        )),
        _ => Err(wrong()),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    address.is_ok_and(|address| address.is_loopback()) || host.eq_ignore_ascii_case("localhost")
}

/// Webhooks that the receiver ended itself are told of as well, for as long as their deliveries are kept. What was given
/// up and then replayed has not failed.
const LIST: &str = "
select w.id, w.url, w.kinds, w.removed_at,
    (select count(*) from deliveries d where d.webhook_id = w.id and d.next_at is not null),
    (select count(distinct d.event_id) from deliveries d
        where d.webhook_id = w.id and d.next_at is null and d.delivered_at is null and d.tried_at is not null
        and not exists (
            select 1 from deliveries again where again.event_id = d.event_id and again.webhook_id = w.id
                and (again.next_at is not null or again.delivered_at is not null)
        )),
    l.last_result, l.tried_at
from webhooks w
left join deliveries l on l.id = (
    select d.id from deliveries d where d.webhook_id = w.id and d.tried_at is not null
    order by d.tried_at desc, d.id limit 1
)
where w.removed_at is null or l.last_result = '410 Gone'
order by w.created_at, w.id";

async fn list(db: &Database) -> Result<(), Failure> {
    type Row = (
        String,
        String,
        String,
        Option<i64>,
        i64,
        i64,
        Option<String>,
        Option<i64>,
    );
    let webhooks: Vec<Row> = sqlx::query_as(LIST).fetch_all(&db.pool).await?;
    let rows = webhooks
        .into_iter()
        .map(|(id, url, kinds, removed_at, waiting, failed, result, at)| {
            let state = if removed_at.is_some() { "gone" } else { "active" };
            let result = result.unwrap_or_default();
            let at = at.map(instant).unwrap_or_default();
            [
                id,
                url,
                kinds,
                state.to_owned(),
                waiting.to_string(),
                failed.to_string(),
                at,
                result,
            ]
        })
        .collect();
    say_table(
        [
            "ID",
            "URL",
            "KINDS",
            "STATE",
            "WAITING",
            "FAILED",
            "LAST ATTEMPT",
            "RESULT",
        ],
        rows,
    );
    Ok(())
}

const KEPT_EVENTS: &str = "
select o.id, o.at, o.kind from outbox o
where o.fanned_out_at is not null and o.at < $1 and (o.at > $2 or (o.at = $2 and o.id > $3))
    and not exists (
        select 1 from deliveries d where d.event_id = o.id and d.webhook_id = $4 and d.next_at is not null
    )
order by o.at, o.id limit 500";

/// Sends kept events again, from the first instant until before the second, and tells how many. What waits to be tried
/// again is tried now.
async fn replay(db: &Database, id: &str, since: Instant, until: Instant, now: Instant) -> Result<u64, Failure> {
    let mut count = 0;
    let mut after = (millis(since), String::new());
    loop {
        let mut tx = db.begin_write().await?;
        let webhook: Option<(String,)> =
            sqlx::query_as("update webhooks set kinds = kinds where id = $1 and removed_at is null returning kinds")
                .bind(id)
                .fetch_optional(&mut *tx)
                .await?;
        let (kinds,) = webhook.ok_or_else(|| unknown(id))?;
        if count == 0 && after.1.is_empty() {
            // Not what is being sent at this moment.
            let hastened = sqlx::query(
                "update deliveries set attempts = 0, next_at = $1 where webhook_id = $2 and next_at > $3
                and event_id in (select id from outbox where at >= $4 and at < $5)",
            )
            .bind(millis(now))
            .bind(id)
            .bind(millis(now + LEASE))
            .bind(millis(since))
            .bind(millis(until))
            .execute(&mut *tx)
            .await?;
            count += hastened.rows_affected();
        }
        let events: Vec<(String, i64, String)> = sqlx::query_as(KEPT_EVENTS)
            .bind(millis(until))
            .bind(after.0)
            .bind(&after.1)
            .bind(id)
            .fetch_all(&mut *tx)
            .await?;
        let rows = events
            .iter()
            .filter(|(_, _, kind)| wants(&kinds, kind))
            .map(|(event_id, at, _)| delivery_row(id, event_id, millis(now).min(*at)))
            .collect::<Result<Vec<_>, _>>()?;
        count += rows.len() as u64;
        insert_rows(&mut tx, "deliveries", &DELIVERY_COLUMNS, rows).await?;
        tx.commit().await?;
        match events.into_iter().next_back() {
            Some((event_id, at, _)) => after = (at, event_id),
            None => return Ok(count),
        }
    }
}

fn unknown(id: &str) -> Failure {
    Failure::new(format!(
        "There is no webhook {id}: `loyalty-api webhook list` has those that there are."
    ))
}
