//! `loyalty-api backup` and `restore`, for SQLite; PostgreSQL has tools of its own.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AnyPool, Connection, Executor};

use crate::clock::Clock;
use crate::config::{Backup, Restore};
use crate::db::{self, Database, Stage};
use crate::failure::Failure;
use crate::terminal::say;
use crate::{token, verify};

/// What SQLite keeps beside a database: what is not in the file yet.
const LOG: &str = "-wal";

/// Copies the database as it is at one instant into a new file. Whoever serves it goes on meanwhile.
///
/// # Errors
/// [`Failure`] where the file exists, or cannot be written.
pub async fn backup(db: &Database, arguments: &Backup) -> Result<(), Failure> {
    if !db::is_sqlite(&db.pool) {
        return Err(not_sqlite());
    }
    if db::stage(&db.pool).await? == Stage::Empty {
        return Err(Failure::new(
            "The database has no tables yet: there is nothing to back up.",
        ));
    }
    let file = absolute(&arguments.file)?;
    if file.exists() {
        return Err(taken(&file));
    }
    // Has its name only once it is whole.
    let part = beside(&file, &format!(".{}.part", token::id()?));
    let done = match copy_into(&db.pool, &part).await {
        Ok(()) => put(&part, &file),
        Err(failure) => Err(failure),
    };
    if done.is_err() {
        remove(&part);
    }
    done?;
    say(&format!("The database is backed up in {}.", file.display()));
    Ok(())
}

/// Puts a backup in the place of a database that nobody has open.
///
/// # Errors
/// [`Failure`] where the backup is none, or the place is not free.
pub async fn restore(url: &str, arguments: &Restore) -> Result<(), Failure> {
    let target = database_file(url)?;
    let file = absolute(&arguments.file)?;
    check_places(&file, &target, arguments.replace)?;
    // Beside the database, so that it takes its place at once or not at all.
    let part = beside(&target, &format!(".{}.part", token::id()?));
    let done = match prepare(&file, &part).await {
        Ok(()) => exchange(&part, &target).await,
        Err(failure) => Err(Failure::new(format!(
            "{} is not restored, and nothing was changed. {failure}",
            file.display()
        ))),
    };
    if done.is_err() {
        remove(&part);
    }
    match done? {
        None => say(&format!("{} is restored from the backup.", target.display())),
        Some(kept) => say(&format!(
            "{} is restored from the backup; what it was is kept in {}.",
            target.display(),
            kept.display()
        )),
    }
    Ok(())
}

async fn copy_into(db: &AnyPool, part: &Path) -> Result<(), Failure> {
    let name = part.to_str().ok_or_else(|| unreadable_name(part))?;
    // The copy has everything of every member: it is nobody else's to read.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part);
    let made = made.map_err(|error| unwritten(part, &error))?;
    sqlx::query("vacuum into $1").bind(name).execute(db).await?;
    made.sync_all().map_err(|error| unwritten(part, &error))
}

fn check_places(file: &Path, target: &Path, replace: bool) -> Result<(), Failure> {
    if !file.is_file() {
        return Err(Failure::new(format!("There is no file {}.", file.display())));
    }
    if target.exists() && fs::canonicalize(file).ok() == fs::canonicalize(target).ok() {
        return Err(Failure::new(format!("{} is the database itself.", file.display())));
    }
    if fs::metadata(beside(file, LOG)).is_ok_and(|log| log.len() > 0) {
        return Err(Failure::new(format!(
            "{} is no backup but a database in use, of which a part stands in a file beside it.",
            file.display()
        )));
    }
    if target.exists() && !replace {
        return Err(Failure::new(format!(
            "There is a database {} already: say --replace to put the backup in its place.",
            target.display()
        )));
    }
    if !target.exists() && beside(target, LOG).exists() {
        return Err(Failure::new(format!(
            "{} belongs to a database that is gone, and would spoil the restored one: move it away.",
            beside(target, LOG).display()
        )));
    }
    Ok(())
}

/// Copies the backup, proves that the copy is whole and its books agree, and brings it up to date.
async fn prepare(file: &Path, part: &Path) -> Result<(), Failure> {
    fs::copy(file, part).map_err(|error| unwritten(part, &error))?;
    let pool = db::connect(&database_url(part)?).await?;
    let checked = check(&pool).await;
    // With its last connection, its log goes into the file.
    pool.close().await;
    checked?;
    let copy = File::open(part).and_then(|copy| copy.sync_all());
    copy.map_err(|error| unwritten(part, &error))
}

async fn check(pool: &AnyPool) -> Result<(), Failure> {
    let (first,): (String,) = sqlx::query_as("pragma integrity_check(1)").fetch_one(pool).await?;
    if first != "ok" {
        let told: Vec<&str> = first.lines().collect();
        return Err(Failure::new(format!("The file is damaged: {}.", told.join(" "))));
    }
    db::check_kind(pool).await?;
    db::migrate(pool).await?;
    let orphans = sqlx::query("pragma foreign_key_check").fetch_all(pool).await?;
    if !orphans.is_empty() {
        return Err(Failure::new("The file is damaged: it has rows that belong to nothing."));
    }
    verify::verify(pool).await?;
    Ok(())
}

/// Puts the copy in the place of the database, and tells where that one is kept.
async fn exchange(part: &Path, target: &Path) -> Result<Option<PathBuf>, Failure> {
    if !target.exists() {
        put(part, target)?;
        return Ok(None);
    }
    let now = Clock::default().now().format("%Y-%m-%dT%H-%M-%SZ");
    let kept = beside(target, &format!(".{now}"));
    if kept.exists() {
        return Err(taken(&kept));
    }
    let lock = lock(target).await?;
    let failed = |error: io::Error| unwritten(target, &error);
    let old = fs::metadata(target).map_err(failed)?;
    fs::set_permissions(part, old.permissions()).map_err(failed)?;
    if lock.is_none() {
        // Of a file that SQLite cannot read, the log may be what is left.
        match fs::rename(beside(target, LOG), beside(&kept, LOG)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        remove_one(&beside(target, "-shm"));
    }
    // A second name first: so there is a database at every instant.
    fs::hard_link(target, &kept)
        .or_else(|_| fs::rename(target, &kept))
        .and_then(|()| fs::rename(part, target))
        .and_then(|()| sync_folder(target))
        .map_err(failed)?;
    if let Some(lock) = lock {
        // It is of the old file, which nobody serves any more.
        let _ = lock.close().await;
    }
    Ok(Some(kept))
}

/// Locks out everybody else from a database, whose log goes into the file with it; refuses where somebody has it open.
/// `None` where the file is so damaged that SQLite cannot lock it.
async fn lock(target: &Path) -> Result<Option<SqliteConnection>, Failure> {
    const IN_USE: &str = "The database is in use: stop whatever serves it, and try again.";
    const DAMAGED: [&str; 2] = ["11", "26"];
    let options = SqliteConnectOptions::new()
        .filename(target)
        .busy_timeout(Duration::from_secs(1));
    let locked = async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        // Only the last one that has it open can leave the mode with a log.
        let left: String = sqlx::query_scalar("pragma journal_mode = delete")
            .fetch_one(&mut connection)
            .await?;
        connection.execute("begin exclusive").await?;
        let mode: String = sqlx::query_scalar("pragma journal_mode")
            .fetch_one(&mut connection)
            .await?;
        Ok::<_, sqlx::Error>((connection, left == "delete" && mode == "delete"))
    };
    match locked.await {
        Ok((connection, true)) => Ok(Some(connection)),
        Ok((_, false)) => Err(Failure::new(IN_USE)),
        Err(error) if db::is_busy(&error) => Err(Failure::new(IN_USE)),
        Err(sqlx::Error::Database(cause)) if cause.code().is_some_and(|code| DAMAGED.contains(&code.as_ref())) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Gives a whole file its name, unless another has it.
fn put(part: &Path, file: &Path) -> Result<(), Failure> {
    match fs::hard_link(part, file) {
        Ok(()) => remove_one(part),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(file)),
        // Not every file system knows a second name.
        Err(_) => fs::rename(part, file).map_err(|error| unwritten(file, &error))?,
    }
    sync_folder(file).map_err(|error| unwritten(file, &error))
}

/// Makes sure that the names in a file's folder outlive a failure of power.
fn sync_folder(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Removes what was made in vain, with what SQLite may have put beside it.
fn remove(part: &Path) {
    for ending in ["", LOG, "-shm", "-journal"] {
        remove_one(&beside(part, ending));
    }
}

fn remove_one(file: &Path) {
    // Whether it was there or not: it is of no use.
    let _ = fs::remove_file(file);
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = file.into();
    name.push(ending);
    name.into()
}

fn absolute(file: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(file).map_err(|error| Failure::new(format!("{} cannot be used: {error}.", file.display())))
}

/// The file of an SQLite database.
fn database_file(url: &str) -> Result<PathBuf, Failure> {
    if !url.starts_with("sqlite:") {
        return Err(not_sqlite());
    }
    let options = SqliteConnectOptions::from_str(url)?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(Failure::new("A database in memory has no file to restore."));
    }
    absolute(options.get_filename())
}

/// A URL by which SQLite opens a file that is there.
fn database_url(file: &Path) -> Result<String, Failure> {
    let path = file.to_str().ok_or_else(|| unreadable_name(file))?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~');
    let path: String = path
        .bytes()
        .map(|byte| {
            if is_plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    Ok(format!("sqlite://{path}?mode=rw"))
}

fn not_sqlite() -> Failure {
    Failure::new("This is for SQLite: PostgreSQL has pg_dump and pg_restore, of which docs/running.md tells.")
}

fn taken(file: &Path) -> Failure {
    Failure::new(format!(
        "There is a file {} already: nothing is overwritten.",
        file.display()
    ))
}

fn unwritten(file: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}.", file.display()))
}

fn unreadable_name(file: &Path) -> Failure {
    Failure::new(format!("The name {} is not text.", file.display()))
}
