//! The database: SQLite or PostgreSQL behind one pool, one SQL text for both.
//!
//! What this relies on: columns are `BIGINT` and `TEXT` only, placeholders are `$1`, and sums are cast back to
//! `bigint`. A transaction that writes is begun by [`Database::begin_write`], and its first statement is the write
//! that locks what it is about: the row of an idempotency key, then a member's `version`.

use std::time::Duration;
use std::vec;

use sqlx::any::{AnyArguments, AnyPoolOptions, AnyRow, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor, Transaction};
use tokio::time::timeout;

use crate::failure::Failure;

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// How many rows are written with one statement at most.
const ROWS_AT_ONCE: usize = 256;

/// How many values one statement has at most on SQLite, which looks for each from the first one on.
const SQLITE_VALUES_AT_ONCE: usize = 256;

/// What SQLite's writer keeps of the file in memory, in KiB: rows with drawn ids are written all over it.
const SQLITE_WRITER: &str = "pragma cache_size = -65536";

/// What SQLite is called by the driver.
const SQLITE: &str = "SQLite";

/// How many connections are kept.
const CONNECTIONS: u32 = 10;

/// A connection that nobody used for so long is asked whether it is still there. One that was used a moment ago is, and
/// asking it would be one more round trip for each request.
const ASKED_AFTER: Duration = Duration::from_secs(1);

/// For how long a statement waits for what another transaction has locked, in milliseconds.
const WAITS_FOR_LOCK_MS: u32 = 5000;

/// The database, to read from and to write to.
#[derive(Clone, Debug)]
pub struct Database {
    /// For everything that only reads, and for what the terminal's commands do.
    pub pool: AnyPool,
    /// SQLite has one writer at a time: a pool of one connection makes them wait in turn, where the database itself
    /// would let each try again now and then. On PostgreSQL this is the same pool.
    writers: AnyPool,
}

impl Database {
    /// Opens the database, and finds out whether it can be used at all.
    ///
    /// # Errors
    /// [`Failure`] where the URL, the file or the server is not one that this can work with.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let pool = connect(url).await?;
        let writers = if is_sqlite(&pool) {
            open(url, 1, SQLITE_WRITER).await?
        } else {
            pool.clone()
        };
        Ok(Self { pool, writers })
    }

    /// Ends every connection: with the last one, SQLite puts its log into the file.
    pub async fn close(&self) {
        const A_MOMENT: Duration = Duration::from_secs(1);
        // Whatever still uses one then is cut off, which loses nothing.
        let _ = timeout(A_MOMENT, async {
            self.writers.close().await;
            self.pool.close().await;
        })
        .await;
    }

    /// Begins a transaction that writes. Its first statement is to be the write that locks what it is about.
    ///
    /// # Errors
    /// Where the database does not answer, or others write for too long.
    pub async fn begin_write(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        if is_sqlite(&self.pool) {
            // Takes the lock at once: one that is taken later, after a read, may be refused.
            self.writers.begin_with("begin immediate").await
        } else {
            self.writers.begin().await
        }
    }

    /// Begins a transaction that writes, and whose end does not wait for the disc: where the power fails, the last of
    /// them may be lost, each whole. For what can be done again from where it then is.
    ///
    /// # Errors
    /// Where the database does not answer, or others write for too long.
    pub async fn begin_write_again(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        if is_sqlite(&self.pool) {
            // It cannot be said within a transaction, and the pool has this one connection.
            let mut writer = self.writers.acquire().await?;
            writer.execute("pragma synchronous = normal").await?;
            drop(writer);
            self.begin_write().await
        } else {
            let mut tx = self.begin_write().await?;
            tx.execute("set local synchronous_commit = off").await?;
            Ok(tx)
        }
    }

    /// Whether whoever writes keeps everybody else from it meanwhile.
    pub fn has_one_writer(&self) -> bool {
        is_sqlite(&self.pool)
    }

    /// Begins a transaction that only reads, and in which every statement sees the database as it was at one instant.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn begin_read(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        begin_read(&self.pool).await
    }
}

/// Begins a transaction that only reads, and in which every statement sees the database as it was at one instant.
///
/// SQLite's always do; PostgreSQL is asked to.
///
/// # Errors
/// Where the database does not answer.
pub async fn begin_read(pool: &AnyPool) -> Result<Transaction<'static, Any>, sqlx::Error> {
    if is_sqlite(pool) {
        pool.begin().await
    } else {
        pool.begin_with("begin isolation level repeatable read read only").await
    }
}

/// Whether this is SQLite, and not PostgreSQL.
pub fn is_sqlite(pool: &AnyPool) -> bool {
    pool.connect_options().database_url.scheme() == "sqlite"
}

/// Opens a pool, and finds out whether the database can be used at all.
///
/// # Errors
/// [`Failure`] where the URL, the file or the server is not one that this can work with.
pub async fn connect(url: &str) -> Result<AnyPool, Failure> {
    let known = ["sqlite:", "postgres:", "postgresql:"];
    if !known.iter().any(|scheme| url.starts_with(scheme)) {
        return Err(Failure::new(
            "The database URL begins with neither sqlite: nor postgres:.",
        ));
    }
    install_default_drivers();
    // By itself first, since a pool tries again for a while what can never succeed.
    let mut first = AnyConnection::connect(url).await?;
    prepare(&mut first).await?;
    first.close().await?;
    open(url, CONNECTIONS, "").await
}

/// Opens a pool; each of its connections runs these settings as well.
async fn open(url: &str, connections: u32, settings: &'static str) -> Result<AnyPool, Failure> {
    let pool = AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > ASKED_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                prepare(connection).await?;
                connection.execute(settings).await.map(|_| ())
            })
        })
        .connect(url)
        .await?;
    Ok(pool)
}

/// Sets up one connection: neither waits for a lock for ever, and SQLite's readers do not wait for its writer.
async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let settings = if connection.backend_name() == SQLITE {
        // The patience first: to change the journal needs a lock too. What was acknowledged is on the disc.
        format!(
            "pragma busy_timeout = {WAITS_FOR_LOCK_MS}; pragma journal_mode = wal; pragma synchronous = full;
             pragma foreign_keys = on;"
        )
    } else {
        format!("set lock_timeout = {WAITS_FOR_LOCK_MS}")
    };
    connection.execute(AssertSqlSafe(settings)).await?;
    Ok(())
}

/// Whether a statement waited too long for what another transaction has locked, or was chosen to end a deadlock:
/// nothing happened, and the same again can succeed.
pub fn is_busy(error: &sqlx::Error) -> bool {
    // PostgreSQL: lock_not_available, deadlock_detected, serialization_failure. SQLite: SQLITE_BUSY with its kinds,
    // and SQLITE_LOCKED.
    const BUSY: [&str; 8] = ["55P03", "40P01", "40001", "5", "261", "517", "773", "6"];
    let code = error.as_database_error().and_then(|cause| cause.code());
    code.is_some_and(|code| BUSY.contains(&code.as_ref()))
}

/// Brings the tables up to date.
///
/// # Errors
/// [`Failure`] where the database refuses, or was made by a newer version.
pub async fn migrate(db: &AnyPool) -> Result<(), Failure> {
    MIGRATOR.run(db).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::VersionMissing(_) | sqlx::migrate::MigrateError::VersionTooNew(..) => {
            Failure::new("The database was made by a newer version of this program.")
        }
        sqlx::migrate::MigrateError::Execute(cause) => cause.into(),
        other => Failure::new(format!("The database could not be brought up to date: {other}.")),
    })
}

/// Refuses a database whose tables are not those of this version.
///
/// # Errors
/// [`Failure`] that says what to do about it.
pub async fn check_tables(db: &AnyPool) -> Result<(), Failure> {
    let applied = versions(db).await?;
    let known: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    if applied == known {
        return Ok(());
    }
    Err(Failure::new(if applied.is_empty() {
        "The database has no tables yet: make them with `loyalty-api migrate`."
    } else if applied.iter().all(|version| known.contains(version)) {
        "The database's tables are those of an older version: bring them up to date with `loyalty-api migrate`."
    } else {
        "The database was made by a newer version of this program."
    }))
}

/// Refuses what is not a database of this program at all.
///
/// # Errors
/// [`Failure`].
pub async fn check_kind(db: &AnyPool) -> Result<(), Failure> {
    if versions(db).await?.is_empty() || stage(db).await? == Stage::Empty {
        return Err(Failure::new("The file is not a database of this program."));
    }
    Ok(())
}

/// Which migrations a database has had.
async fn versions(db: &AnyPool) -> Result<Vec<i64>, sqlx::Error> {
    let found = sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
        .fetch_all(db)
        .await;
    match found {
        Err(error) if is_missing_table(&error) => Ok(vec![]),
        found => found,
    }
}

/// How far a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has no tables yet.
    Empty,
    /// It has tables, and no programme.
    Migrated,
    /// It has a programme.
    Seeded {
        /// The programme is the sample, and signing in is open to everybody.
        demo: bool,
    },
}

/// Finds out how far the database is.
///
/// # Errors
/// Where the database does not answer.
pub async fn stage(db: &AnyPool) -> Result<Stage, sqlx::Error> {
    let found: Result<(i64, i64), _> =
        sqlx::query_as("select (select count(*) from programme), (select count(*) from meta where name = 'demo')")
            .fetch_one(db)
            .await;
    match found {
        Ok((0, _)) => Ok(Stage::Migrated),
        Ok((_, marks)) => Ok(Stage::Seeded { demo: marks > 0 }),
        Err(error) if is_missing_table(&error) => Ok(Stage::Empty),
        Err(error) => Err(error),
    }
}

/// Whether a statement failed since the database was never migrated.
pub fn is_missing_table(error: &sqlx::Error) -> bool {
    const POSTGRES_UNDEFINED_TABLE: &str = "42P01";
    error.as_database_error().is_some_and(|cause| {
        cause.code().as_deref() == Some(POSTGRES_UNDEFINED_TABLE) || cause.message().starts_with("no such table")
    })
}

/// A value on its way into a row.
#[derive(Clone, Debug)]
pub enum Value {
    /// A `BIGINT`, or null.
    Int(Option<i64>),
    /// A `TEXT`, or null.
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl Value {
    /// Binds it to the next placeholder of a statement.
    pub fn bind(self, query: Query<'_, Any, AnyArguments>) -> Query<'_, Any, AnyArguments> {
        match self {
            Self::Int(value) => query.bind(value),
            Self::Text(value) => query.bind(value),
        }
    }
}

/// Inserts rows, many with each statement: a history of years is one of a few hundred round trips less.
///
/// # Errors
/// Where the database refuses.
pub async fn insert_rows(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
) -> Result<(), sqlx::Error> {
    insert_rows_or(connection, table, columns, rows, "").await.map(|_| ())
}

/// Inserts rows like [`insert_rows`], and gives back what `ending` asks for: it stands behind the values, such as
/// `on conflict do nothing returning id`.
///
/// # Errors
/// Where the database refuses.
pub async fn insert_rows_or(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
    ending: &'static str,
) -> Result<Vec<AnyRow>, sqlx::Error> {
    let mut returned = vec![];
    let mut rows = rows.into_iter();
    loop {
        let chunk = next_rows(connection, &mut rows, columns.len());
        if chunk.is_empty() {
            return Ok(returned);
        }
        let statement = format!(
            "insert into {table} ({}) values {} {ending}",
            columns.join(", "),
            places(chunk.len(), columns.len())
        );
        // Names of tables and columns and the ending are this crate's own; every value is bound.
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for value in chunk.into_iter().flatten() {
            query = value.bind(query);
        }
        returned.extend(query.fetch_all(&mut *connection).await?);
    }
}

/// As many rows as one statement should have; none at the end.
///
/// Always a power of two: so there are few different texts, and each stays prepared.
pub fn next_rows<T>(connection: &AnyConnection, rows: &mut vec::IntoIter<T>, columns: usize) -> Vec<T> {
    let most = if connection.backend_name() == SQLITE {
        SQLITE_VALUES_AT_ONCE / columns.max(1)
    } else {
        ROWS_AT_ONCE
    };
    let count = rows.len().min(most.max(1));
    let count = count.checked_ilog2().map_or(0, |power| 1 << power);
    rows.by_ref().take(count).collect()
}

/// The placeholders of so many rows: `($1, $2), ($3, $4)`.
pub fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns)
            .map(|column| format!("${}", row * columns + column))
            .collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
