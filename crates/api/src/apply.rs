//! `loyalty-api programme apply`: puts a programme file into force, all of it or nothing, also while it is served.
//!
//! Every process that serves the database sees the new revision with its next request.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use loyalty_rules::calendar::day_of;
use sqlx::AnyConnection;

use crate::clock::{Clock, millis};
use crate::config::{Apply, ProgrammeCommand};
use crate::db::{self, Database, Stage};
use crate::failure::Failure;
use crate::pictures::{self, Picture};
use crate::programme_file::{self, Day, ProgrammeFile, RewardFile};
use crate::shop::Shop;
use crate::terminal::say;

/// What became of the catalogue.
#[derive(Debug, Default)]
struct Changes {
    new: usize,
    left_out: usize,
    back: usize,
}

/// Puts a programme file into force.
///
/// # Errors
/// [`Failure`] that names the first thing that is wrong with the file, or why the database cannot take it.
pub async fn run(db: &Database, command: ProgrammeCommand) -> Result<(), Failure> {
    let ProgrammeCommand::Apply(arguments) = command;
    db::check_tables(&db.pool).await?;
    let is_demo = db::stage(&db.pool).await? == Stage::Seeded { demo: true };
    let (file, pictures) = read(&arguments)?;
    // In its languages once before it is stored: what cannot be served must not be in force.
    let mut shop = Shop::new(0, file, is_demo)?;
    let (revision, changes) = write(db, &mut shop, &pictures).await?;
    say(&format!(
        "Revision {revision} is in force, with {} rewards: {} new, {} back, {} left out.",
        shop.file.rewards.len(),
        changes.new,
        changes.back,
        changes.left_out
    ));
    Ok(())
}

/// Reads and checks the file whole, and its pictures.
fn read(arguments: &Apply) -> Result<(ProgrammeFile, Vec<Picture>), Failure> {
    let path = &arguments.file;
    let content =
        fs::read(path).map_err(|error| Failure::new(format!("{} cannot be read: {error}.", path.display())))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let file: ProgrammeFile = programme_file::read(&name, &content)?;
    if let Some(reward) = file.rewards.iter().find(|reward| has_relative_day(reward)) {
        return Err(Failure::new(format!(
            "In reward {:?} a day is relative to the day of seeding, which only a sample has: write it by the calendar.",
            reward.id
        )));
    }
    if !file.staff.is_empty() {
        return Err(Failure::new(
            "The programme file names staff, which only a sample does: add them with `loyalty-api staff add`.",
        ));
    }
    let folder = arguments.pictures.clone().unwrap_or_else(|| {
        path.parent()
            .map_or_else(|| PathBuf::from("media"), |parent| parent.join("media"))
    });
    let today = day_of(Clock::default().now(), &file.zone()?);
    file.check(today, |name| {
        pictures::is_plain_name(name) && folder.join(name).is_file()
    })?;
    pictures::resolve(file, today, |name| {
        let path = folder.join(name);
        fs::read(&path).map_err(|error| Failure::new(format!("{} cannot be read: {error}.", path.display())))
    })
}

fn has_relative_day(reward: &RewardFile) -> bool {
    [reward.valid_from, reward.valid_until]
        .iter()
        .any(|day| matches!(day, Some(Day::Relative { .. })))
}

/// Writes everything, or nothing, and tells which revision it is.
async fn write(db: &Database, shop: &mut Shop, pictures: &[Picture]) -> Result<(i64, Changes), Failure> {
    let mut tx = db.begin_write().await?;
    // Locks out whoever else is applying one.
    let present: Option<(i64, String)> =
        sqlx::query_as("update programme set revision = revision + 1 where id = 1 returning revision, document")
            .fetch_optional(&mut *tx)
            .await?;
    let revision = match present {
        Some((revision, present)) => {
            let present: ProgrammeFile = serde_json::from_str(&present)
                .map_err(|error| Failure::new(format!("The stored programme cannot be read: {error}.")))?;
            check_change(&mut tx, &present, &shop.file).await?;
            shop.file.keep_versions_of(&present);
            sqlx::query("update programme set document = $1 where id = 1")
                .bind(shop.file.stored()?)
                .execute(&mut *tx)
                .await?;
            if Shop::new(0, present, false)?.ladder != shop.ladder {
                // The worker looks at everybody again: under another ladder somebody may stand on another tier.
                sqlx::query("update members set due_at = 0").execute(&mut *tx).await?;
            }
            revision
        }
        None => {
            let first = sqlx::query(
                "insert into programme (id, revision, document) values (1, 1, $1) on conflict (id) do nothing",
            )
            .bind(shop.file.stored()?)
            .execute(&mut *tx)
            .await?;
            if first.rows_affected() == 0 {
                return Err(Failure::new(
                    "Somebody else put a programme into force at the same moment: try again.",
                ));
            }
            1
        }
    };
    pictures::insert(&mut tx, pictures).await?;
    // After the members: whoever takes a reward locks its member first as well.
    let changes = write_rewards(&mut tx, &shop.file.rewards).await?;
    tx.commit().await?;
    Ok((revision, changes))
}

/// Refuses what would make wrong what members have.
async fn check_change(tx: &mut AnyConnection, present: &ProgrammeFile, new: &ProgrammeFile) -> Result<(), Failure> {
    if new.terms.version < present.terms.version {
        return Err(Failure::new(format!(
            "The file has version {} of the terms, and members were shown version {} already: count it up.",
            new.terms.version, present.terms.version
        )));
    }
    if new.currency == present.currency && new.time_zone == present.time_zone {
        return Ok(());
    }
    let (booked,): (i64,) = sqlx::query_as(
        "select (select count(*) from (select id from entries limit 1) e)
              + (select count(*) from (select id from purchases limit 1) p)",
    )
    .fetch_one(tx)
    .await?;
    let refuse = |what: &str, present: &str, new: &str| {
        Err(Failure::new(format!(
            "The {what} cannot change from {present} to {new} any more: what is booked already counts by it."
        )))
    };
    if booked == 0 {
        Ok(())
    } else if new.currency != present.currency {
        refuse("currency", &present.currency.to_string(), &new.currency.to_string())
    } else {
        refuse("time zone", &present.time_zone, &new.time_zone)
    }
}

/// Brings the catalogue to what the file says. What is left out stays for its vouchers.
async fn write_rewards(tx: &mut AnyConnection, rewards: &[RewardFile]) -> Result<Changes, Failure> {
    let known: Vec<(String, String, Option<i64>)> = sqlx::query_as("select id, document, removed_at from rewards")
        .fetch_all(&mut *tx)
        .await?;
    let mut known: BTreeMap<String, (String, Option<i64>)> = known
        .into_iter()
        .map(|(id, document, removed_at)| (id, (document, removed_at)))
        .collect();
    let mut changes = Changes::default();
    for (position, reward) in (1_i64..).zip(rewards) {
        let document = programme_file::json(reward)?;
        let stock = reward.stock.map(i64::from);
        let Some((present, removed_at)) = known.remove(&reward.id) else {
            changes.new += 1;
            sqlx::query("insert into rewards (id, position, document, stock) values ($1, $2, $3, $4)")
                .bind(&reward.id)
                .bind(position)
                .bind(document)
                .bind(stock)
                .execute(&mut *tx)
                .await?;
            continue;
        };
        changes.back += usize::from(removed_at.is_some());
        sqlx::query("update rewards set position = $1, document = $2, removed_at = null where id = $3")
            .bind(position)
            .bind(document)
            .bind(&reward.id)
            .execute(&mut *tx)
            .await?;
        // How many are left is counted in the shop, not in the file: only what begins or ends the counting counts.
        let counted = programme_file::read::<RewardFile>(&reward.id, present.as_bytes())?
            .stock
            .is_some();
        if counted != stock.is_some() {
            sqlx::query("update rewards set stock = $1 where id = $2")
                .bind(stock)
                .bind(&reward.id)
                .execute(&mut *tx)
                .await?;
        }
    }
    let now = millis(Clock::default().now());
    for (id, (_, removed_at)) in known {
        if removed_at.is_none() {
            changes.left_out += 1;
            sqlx::query("update rewards set removed_at = $1 where id = $2")
                .bind(now)
                .bind(id)
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(changes)
}
