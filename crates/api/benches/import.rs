//! How fast a history is imported, and in how much memory, beside the same rows inserted barely into the same database in
//! the same minute. `cargo xtask bench import` gets the history and runs it on both databases.
//!
//! Arguments: a database's URL, and a folder with `programme.json`, `members.csv`, `purchases.csv` and `tenth.csv`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and prints"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use loyalty_api::db::{self, Database};
use sqlx::AssertSqlSafe;

/// How many rows are inserted barely in one transaction.
const BARE_ROWS_AT_ONCE: usize = 500;

#[tokio::main]
async fn main() {
    // Cargo adds an argument of its own.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [url, folder] = arguments.as_slice() else {
        panic!("a database's URL and a folder are needed");
    };
    let folder = Path::new(folder);
    let mut peaks = vec![];
    for (what, file) in [("a tenth", "tenth.csv"), ("the whole", "purchases.csv")] {
        println!("      {what}:");
        let url = fresh(url, file).await;
        let program = |arguments: &[&str]| run(&url, arguments);
        program(&["migrate"]);
        program(&["programme", "apply", path(&folder.join("programme.json"))]);
        tell(
            "members",
            &program(&["import", "members", path(&folder.join("members.csv"))]),
        );
        let done = program(&["import", "purchases", path(&folder.join(file))]);
        tell("purchases", &done);
        println!("        verify: {}", program(&["verify"]).said.last().unwrap());
        let bare = bare(&url, &folder.join(file)).await;
        println!(
            "        bare: {bare:.0} rows a second, one insert each, in transactions of {BARE_ROWS_AT_ONCE}; the import as a whole is {:.2} of it",
            done.rate() / bare
        );
        peaks.push(done.peak_kib);
    }
    if let [Some(tenth), Some(whole)] = peaks[..] {
        println!(
            "      peak memory: {} MiB for a tenth, {} MiB for the whole",
            tenth / 1024,
            whole / 1024
        );
    }
}

/// What the program said and took.
struct Done {
    said: Vec<String>,
    peak_kib: Option<u64>,
}

impl Done {
    /// Rows a second over both parts of an import.
    fn rate(&self) -> f64 {
        let parts: Vec<(f64, f64)> = self.said.iter().filter_map(|line| rows_and_seconds(line)).collect();
        let rows = parts.first().unwrap().0;
        rows / parts.iter().map(|(_, seconds)| seconds).sum::<f64>()
    }
}

/// Reads `Read 155848 rows in 3.1 s, 50273 a second.`
fn rows_and_seconds(line: &str) -> Option<(f64, f64)> {
    let (_, rest) = line.split_once(' ')?;
    let (rows, rest) = rest.split_once(" rows in ")?;
    let (seconds, _) = rest.split_once(" s, ")?;
    Some((rows.parse().ok()?, seconds.parse().ok()?))
}

fn tell(what: &str, done: &Done) {
    let peak = done
        .peak_kib
        .map_or_else(|| "unknown".into(), |peak| format!("{} MiB", peak / 1024));
    println!("        {what}: {} Peak memory {peak}.", done.said.join(" "));
}

/// Runs the program to its end, and looks now and then at the most memory that it has taken.
fn run(url: &str, arguments: &[&str]) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_loyalty-api"))
        .args(["--database-url", url])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let reading = thread::spawn(move || BufReader::new(stdout).lines().map(Result::unwrap).collect());
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = None;
    let ended = loop {
        let peak = fs::read_to_string(&status).ok().and_then(|text| peak_of(&text));
        peak_kib = peak_kib.max(peak);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert!(ended.success(), "{arguments:?}: {ended}");
    let said = reading.join().unwrap();
    Done { said, peak_kib }
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// A database of its own for one run.
async fn fresh(url: &str, file: &str) -> String {
    let name = file.trim_end_matches(".csv");
    if let Some(path) = url.strip_prefix("sqlite://") {
        let (path, mode) = path.split_once('?').unwrap();
        return format!("sqlite://{path}.{name}?{mode}");
    }
    let admin = db::connect(url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("create database {name}")))
        .execute(&admin)
        .await
        .unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// Inserts the same rows into a table of nothing else, and gives how many a second.
async fn bare(url: &str, file: &PathBuf) -> f64 {
    let db = Database::connect(url).await.unwrap();
    let table = "create table bare (store text not null, external_id text not null, occurred_at bigint not null,
        total text not null, member text not null, primary key (store, external_id))";
    sqlx::query(table).execute(&db.pool).await.unwrap();
    let mut rows = csv::Reader::from_path(file).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let begun = Instant::now();
    for chunk in rows.chunks(BARE_ROWS_AT_ONCE) {
        let mut tx = db.begin_write().await.unwrap();
        for row in chunk {
            let at: chrono::DateTime<chrono::Utc> = row[2].parse().unwrap();
            sqlx::query(
                "insert into bare (external_id, store, occurred_at, total, member) values ($1, $2, $3, $4, $5)",
            )
            .bind(&row[0])
            .bind(&row[1])
            .bind(at.timestamp_millis())
            .bind(&row[3])
            .bind(&row[4])
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "it is told in whole rows a second")]
    let count = rows.len() as f64;
    let rate = count / begun.elapsed().as_secs_f64();
    db.close().await;
    rate
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
