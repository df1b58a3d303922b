//! `loyalty-api import`: the members and the purchases that a shop already has, from files.
//!
//! A file is read in batches; each is written with the line that it ends on, in one transaction, so that an import that
//! was interrupted goes on where it was. A file is known by the hash of its content: the same again is the same import.

mod members;
mod purchases;
mod table;

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sqlx::AnyConnection;
use tokio::time::sleep;

use crate::clock::{Clock, millis};
use crate::config::{ImportCommand, ImportFile};
use crate::db::{self, Database, insert_rows};
use crate::failure::Failure;
use crate::http;
use crate::names;
use crate::shop::Shop;
use crate::terminal::{instant, remark, say};
use crate::token;
use table::{Record, Table};

/// What the program ends with when every row was looked at and some were rejected.
pub const SOME_REJECTED: u8 = 3;

/// How many lines are checked and written at once.
const LINES_AT_ONCE: usize = 1000;

/// How many members are looked up at once.
const MEMBERS_AT_ONCE: i64 = 200;

/// How often something is tried that others stand in the way of.
const TRIES: u32 = 5;

/// How often it is told how far the import is, and others are let in.
const EVERY: Duration = Duration::from_secs(1);

/// SQLite lets whoever waits for the one writer look again after 100 ms at the latest. A pause that is longer lets in
/// everybody who waits: a till must not wait for the end of an import.
const PAUSE: Duration = Duration::from_millis(120);

/// What is imported.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Members,
    Purchases,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Purchases => "purchases",
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Members => &members::COLUMNS,
            Self::Purchases => &purchases::COLUMNS,
        }
    }

    /// What a file may leave out.
    fn others(self) -> &'static [&'static str] {
        match self {
            Self::Members => &members::OTHERS,
            Self::Purchases => &[],
        }
    }
}

/// An import as the database knows it.
#[derive(Debug, sqlx::FromRow)]
struct Import {
    id: String,
    lines_read: i64,
    read_at: Option<i64>,
    finished_at: Option<i64>,
}

/// What became of some rows.
#[derive(Debug, Default)]
struct Outcome {
    /// How many rows there were.
    rows: usize,
    /// How many are in the books now and were not before.
    booked: i64,
    /// How many were there already.
    known: i64,
    /// How many purchases earned nothing, since the membership is paused.
    paused: i64,
    /// Which lines were rejected, and why.
    rejects: Vec<(i64, Reason)>,
}

/// Why a row was rejected, as a sentence without its full stop.
type Reason = String;

/// Imports a file, or goes on with it, and tells what came of it.
///
/// # Errors
/// [`Failure`] where the file cannot be imported at all, or the database does not answer.
pub async fn run(db: &Database, command: ImportCommand, clock: &Clock) -> Result<ExitCode, Failure> {
    db::check_tables(&db.pool).await?;
    let shop = names::programme(&db.pool).await?;
    let (kind, ImportFile { file, rejects }) = match command {
        ImportCommand::Members(file) => (Kind::Members, file),
        ImportCommand::Purchases(file) => (Kind::Purchases, file),
    };
    let rejects = rejects.unwrap_or_else(|| beside(&file));
    if is_same(&file, &rejects) {
        return Err(Failure::new(
            "The rejected rows cannot be written into the file that is imported.",
        ));
    }
    // A file without the right columns is no import at all.
    let table = Table::open(&file, kind.columns(), kind.others())?;
    let fingerprint = table::fingerprint(&file)?;
    let import = begin(db, kind, &fingerprint, clock).await?;
    match import.finished_at {
        Some(at) => say(&format!("The file was imported already, at {}.", instant(at))),
        None => {
            if import.read_at.is_none() {
                read(db, &shop, kind, &import, table, &fingerprint, clock).await?;
            }
            if let Kind::Purchases = kind {
                book(db, &shop, &import, clock).await?;
            }
            finish(db, &import, clock).await?;
        }
    }
    conclude(db, kind, &import, &rejects).await
}

/// Finds the import of that content, or begins it.
async fn begin(db: &Database, kind: Kind, fingerprint: &str, clock: &Clock) -> Result<Import, Failure> {
    let mut tx = db.begin_write().await?;
    sqlx::query(
        "insert into imports (id, kind, fingerprint, started_at, lines_read, booked, known)
         values ($1, $2, $3, $4, 0, 0, 0) on conflict (kind, fingerprint) do nothing",
    )
    .bind(token::id()?)
    .bind(kind.name())
    .bind(fingerprint)
    .bind(millis(clock.now()))
    .execute(&mut *tx)
    .await?;
    let import =
        sqlx::query_as("select id, lines_read, read_at, finished_at from imports where kind = $1 and fingerprint = $2")
            .bind(kind.name())
            .bind(fingerprint)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;
    Ok(import)
}

/// Reads the file to its end: checks every row, and writes those that are right, each batch with where it ended.
async fn read(
    db: &Database,
    shop: &Shop,
    kind: Kind,
    import: &Import,
    mut table: Table,
    fingerprint: &str,
    clock: &Clock,
) -> Result<(), Failure> {
    let mut at = import.lines_read;
    if at > 0 {
        remark(&format!("The import goes on after line {at}."));
        table.skip_to(at)?;
    }
    let mut progress = Progress::begin("Read");
    loop {
        let mut records = vec![];
        while records.len() < LINES_AT_ONCE
            && let Some(record) = table.next()?
        {
            records.push(record);
        }
        let end = table.line();
        if records.is_empty() && end == at {
            break;
        }
        patiently(async || read_batch(db, shop, kind, import, (at, end), &records, clock).await).await?;
        at = end;
        progress.add(db, records.len()).await;
    }
    progress.end();
    if table.fingerprint() != fingerprint {
        forget(db, import).await?;
        return Err(Failure::new(
            "The file was changed while it was read: import it again once nobody writes to it.",
        ));
    }
    sqlx::query("update imports set read_at = $1 where id = $2")
        .bind(millis(clock.now()))
        .bind(&import.id)
        .execute(&db.pool)
        .await?;
    Ok(())
}

async fn read_batch(
    db: &Database,
    shop: &Shop,
    kind: Kind,
    import: &Import,
    (begin, end): (i64, i64),
    records: &[Record],
    clock: &Clock,
) -> http::Result<()> {
    let mut tx = db.begin_write_again().await?;
    let moved = sqlx::query("update imports set lines_read = $1 where id = $2 and lines_read = $3")
        .bind(end)
        .bind(&import.id)
        .bind(begin)
        .execute(&mut *tx)
        .await?;
    if moved.rows_affected() == 0 {
        return Err(http::Error::internal(
            "the same file is being imported at the same time",
        ));
    }
    let outcome = match kind {
        Kind::Members => members::insert(&mut tx, shop, records, clock.now()).await?,
        Kind::Purchases => purchases::stage(&mut tx, shop, &import.id, records, clock.now()).await?,
    };
    count(&mut tx, import, outcome).await?;
    tx.commit().await?;
    Ok(())
}

/// Books what was read, one member after the other.
async fn book(db: &Database, shop: &Shop, import: &Import, clock: &Clock) -> Result<(), Failure> {
    let mut progress = Progress::begin("Booked");
    let mut paused = 0;
    let mut after = String::new();
    loop {
        let numbers: Vec<(String,)> = sqlx::query_as(
            "select distinct member_number from import_rows where import_id = $1 and member_number > $2
             order by member_number limit $3",
        )
        .bind(&import.id)
        .bind(&after)
        .bind(MEMBERS_AT_ONCE)
        .fetch_all(&db.pool)
        .await?;
        for (number,) in &numbers {
            loop {
                let done = patiently(async || book_some(db, shop, import, number, clock).await).await?;
                paused += done.paused;
                progress.add(db, done.rows).await;
                if done.rows < purchases::ROWS_OF_A_MEMBER_AT_ONCE {
                    break;
                }
            }
        }
        let Some((last,)) = numbers.into_iter().next_back() else {
            break;
        };
        after = last;
    }
    progress.end();
    if paused > 0 {
        say(&format!(
            "{paused} of the purchases earned nothing, since the membership is paused."
        ));
    }
    Ok(())
}

/// Books the next rows of one member in one transaction, and takes them from those that wait.
async fn book_some(db: &Database, shop: &Shop, import: &Import, number: &str, clock: &Clock) -> http::Result<Outcome> {
    let mut tx = db.begin_write_again().await?;
    let mut booked = purchases::book(&mut tx, shop, &import.id, number, clock.now()).await?;
    if booked.is_none() {
        // What was begun is undone: nothing of a member is booked by halves.
        tx.rollback().await?;
        tx = db.begin_write_again().await?;
        booked = Some(purchases::reject(&mut tx, &import.id, number).await?);
    }
    let outcome = booked.unwrap_or_default();
    let told = Outcome {
        rows: outcome.rows,
        paused: outcome.paused,
        ..Outcome::default()
    };
    count(&mut tx, import, outcome).await?;
    tx.commit().await?;
    Ok(told)
}

/// Writes down what became of some rows, in the transaction in which it did.
async fn count(tx: &mut AnyConnection, import: &Import, outcome: Outcome) -> http::Result<()> {
    if outcome.booked > 0 || outcome.known > 0 {
        sqlx::query("update imports set booked = booked + $1, known = known + $2 where id = $3")
            .bind(outcome.booked)
            .bind(outcome.known)
            .bind(&import.id)
            .execute(&mut *tx)
            .await?;
    }
    let rows = outcome
        .rejects
        .into_iter()
        .map(|(line, reason)| vec![import.id.as_str().into(), line.into(), reason.into()])
        .collect();
    insert_rows(tx, "import_rejects", &["import_id", "line", "reason"], rows).await?;
    Ok(())
}

/// Says that everything is done: by a transaction that waits for the disc, and with it for all before it.
async fn finish(db: &Database, import: &Import, clock: &Clock) -> Result<(), Failure> {
    sqlx::query("update imports set finished_at = $1 where id = $2 and finished_at is null")
        .bind(millis(clock.now()))
        .bind(&import.id)
        .execute(&db.pool)
        .await?;
    Ok(())
}

/// Forgets an import of which nothing was booked.
async fn forget(db: &Database, import: &Import) -> Result<(), Failure> {
    let mut tx = db.begin_write().await?;
    for statement in [
        "delete from import_rows where import_id = $1",
        "delete from import_rejects where import_id = $1",
        "delete from imports where id = $1",
    ] {
        sqlx::query(statement).bind(&import.id).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Tells what came of the whole file, and writes down what was rejected.
async fn conclude(db: &Database, kind: Kind, import: &Import, rejects: &Path) -> Result<ExitCode, Failure> {
    let (booked, known, rejected): (i64, i64, i64) = sqlx::query_as(
        "select booked, known, (select count(*) from import_rejects where import_id = imports.id)
         from imports where id = $1",
    )
    .bind(&import.id)
    .fetch_one(&db.pool)
    .await?;
    say(&format!(
        "Of the whole file, {booked} {} are new, {known} were there already, and {rejected} rows were rejected.",
        kind.name()
    ));
    // One that is there may be of an earlier file of that name.
    if rejected > 0 || rejects.exists() {
        write_rejects(db, import, rejects).await?;
    }
    if rejected == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{} says which, and why.", rejects.display()));
    Ok(ExitCode::from(SOME_REJECTED))
}

async fn write_rejects(db: &Database, import: &Import, path: &Path) -> Result<(), Failure> {
    const ROWS: i64 = 1000;
    let failed = |error: &dyn fmt::Display| Failure::new(format!("{} cannot be written: {error}.", path.display()));
    let file = File::create(path).map_err(|error| failed(&error))?;
    let mut file = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(file);
    file.write_record(["line", "reason"]).map_err(|error| failed(&error))?;
    let mut after = 0;
    loop {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "select line, reason from import_rejects where import_id = $1 and line > $2 order by line limit $3",
        )
        .bind(&import.id)
        .bind(after)
        .bind(ROWS)
        .fetch_all(&db.pool)
        .await?;
        let Some((last, _)) = rows.last() else { break };
        after = *last;
        for (line, reason) in rows {
            file.write_record([line.to_string(), format!("{reason}.")])
                .map_err(|error| failed(&error))?;
        }
    }
    file.flush().map_err(|error| failed(&error))
}

/// Tries again where others stood in the way.
async fn patiently<T>(mut attempt: impl AsyncFnMut() -> http::Result<T>) -> Result<T, Failure> {
    let mut tries = 1;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(http::Error::Unavailable(_)) if tries < TRIES => {
                tries += 1;
                sleep(EVERY).await;
            }
            Err(http::Error::Unavailable(cause) | http::Error::Internal(cause)) => {
                return Err(Failure::new(format!(
                    "The import stopped: {cause}. Run the same command again to go on with it."
                )));
            }
            Err(http::Error::Refused(refusal)) => {
                return Err(Failure::new(format!("The import stopped: {}.", refusal.detail)));
            }
        }
    }
}

/// How far a part of the import is.
struct Progress {
    what: &'static str,
    begun: Instant,
    told: Instant,
    rows: usize,
}

impl Progress {
    fn begin(what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            what,
            begun: now,
            told: now,
            rows: 0,
        }
    }

    /// Counts rows, and now and then tells how many they are and lets others write.
    async fn add(&mut self, db: &Database, rows: usize) {
        self.rows += rows;
        if self.told.elapsed() < EVERY {
            return;
        }
        remark(&self.line());
        if db.has_one_writer() {
            sleep(PAUSE).await;
        }
        self.told = Instant::now();
    }

    fn end(&self) {
        say(&self.line());
    }

    fn line(&self) -> String {
        let seconds = self.begun.elapsed().as_secs_f64();
        // For a person to read: the least of it would be lost in the rounding anyway.
        #[expect(clippy::cast_precision_loss, reason = "it is told in whole rows a second")]
        let rate = self.rows as f64 / seconds.max(0.001);
        format!(
            "{} {} rows in {seconds:.1} s, {rate:.0} a second.",
            self.what, self.rows
        )
    }
}

/// Where the rejected rows of a file are written unless told.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".rejected.csv");
    name.into()
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
