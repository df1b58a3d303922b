//! Databases of a test's own, on SQLite or on the PostgreSQL server that `LOYALTY_TEST_DATABASE_URL` names.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs, thread};

use loyalty_api::clock::Clock;
use loyalty_api::config::Seed;
use loyalty_api::{db, seed, token};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::runtime;

use crate::support::NOW;

/// How long a test waits until its database is dropped.
const A_MOMENT: Duration = Duration::from_secs(1);

/// A database that is gone when the test ends.
pub struct OwnDatabase {
    pub url: String,
    _place: Place,
}

/// Where it is kept.
enum Place {
    Folder { _folder: TempDir },
    Server { _dropped: DroppedAtTheEnd },
}

impl OwnDatabase {
    /// With the sample as of [`NOW`]: a copy of one that was seeded once for this build of the tests.
    pub async fn seeded() -> Self {
        match env::var("LOYALTY_TEST_DATABASE_URL") {
            Ok(server) => Self::on_server(&server, Some(&sample_on_server(&server).await)).await,
            Err(_) => {
                let folder = TempDir::new().unwrap();
                let file = folder.path().join("loyalty.db");
                fs::copy(sample_file().await, &file).unwrap();
                Self::in_folder(folder, &file)
            }
        }
    }

    /// The same as a shop's own: not marked as a demo.
    pub async fn seeded_as_a_shop() -> Self {
        let own = Self::seeded().await;
        let db = db::connect(&own.url).await.unwrap();
        let unmark = sqlx::query("delete from meta where name = 'demo'");
        unmark.execute(&db).await.unwrap();
        db.close().await;
        own
    }

    /// Without any tables yet.
    pub async fn empty() -> Self {
        match env::var("LOYALTY_TEST_DATABASE_URL") {
            Ok(server) => Self::on_server(&server, None).await,
            Err(_) => {
                let folder = TempDir::new().unwrap();
                let file = folder.path().join("loyalty.db");
                Self::in_folder(folder, &file)
            }
        }
    }

    fn in_folder(folder: TempDir, file: &Path) -> Self {
        Self {
            url: sqlite(file),
            _place: Place::Folder { _folder: folder },
        }
    }

    async fn on_server(server: &str, template: Option<&str>) -> Self {
        let name = format!("test_{}", short(&token::id().unwrap()));
        let template = template.unwrap_or("template0");
        let mut admin = PgConnection::connect(server).await.unwrap();
        run(&mut admin, &format!("create database {name} template {template}")).await;
        Self {
            url: beside(server, &name),
            _place: Place::Server {
                _dropped: DroppedAtTheEnd {
                    server: server.to_owned(),
                    name,
                },
            },
        }
    }
}

/// A database on a server, whose connections end with it.
struct DroppedAtTheEnd {
    server: String,
    name: String,
}

impl Drop for DroppedAtTheEnd {
    fn drop(&mut self) {
        // On a thread of its own, since the test's runtime cannot be waited for in here.
        let (server, name) = (self.server.clone(), self.name.clone());
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&server).await.unwrap();
                run(&mut admin, &format!("drop database {name} with (force)")).await;
            });
            let _ = tell.send(());
        });
        // The server first waits for whoever is signing in, and that may be a connection of this very test, which goes
        // on only without its runtime: for a minute each would wait for the other.
        let _ = told.recv_timeout(A_MOMENT);
    }
}

/// The sample that others are copies of, as a file.
async fn sample_file() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (program, built) = build();
    let family = format!("sample-{program}-");
    let sample = folder.join(format!("{family}{built}.db"));
    if !sample.exists() {
        let fresh = TempDir::new_in(folder).unwrap();
        let file = fresh.path().join("fresh.db");
        seed_at(&sqlite(&file)).await;
        for left in fs::read_dir(folder).unwrap().flatten() {
            let is_of_this_program = left.file_name().to_string_lossy().starts_with(&family);
            if is_of_this_program && left.path() != sample {
                // What an earlier build left; another test may have been quicker.
                let _ = fs::remove_file(left.path());
            }
        }
        // Renamed when it is whole, since other tests may be waiting for it.
        fs::rename(file, &sample).unwrap();
    }
    sample
}

/// The sample that others are copies of, on a server.
async fn sample_on_server(server: &str) -> String {
    const ANY_NUMBER: i64 = 0x10a1;
    let (program, built) = build();
    let family = format!("sample_{program}");
    let sample = format!("{family}_{built}");
    let mut admin = PgConnection::connect(server).await.unwrap();
    // One test seeds while the others wait, in whatever process they are. Ends with the connection.
    run(&mut admin, &format!("select pg_advisory_lock({ANY_NUMBER})")).await;
    let there: Vec<String> = sqlx::query_scalar("select datname from pg_database where starts_with(datname, $1)")
        .bind(&family)
        .fetch_all(&mut admin)
        .await
        .unwrap();
    if !there.contains(&sample) {
        // What earlier builds left, or a test that was stopped while it seeded.
        for stale in there {
            run(&mut admin, &format!("drop database {stale} with (force)")).await;
        }
        let fresh = format!("{family}_fresh");
        run(&mut admin, &format!("create database {fresh} template template0")).await;
        seed_at(&beside(server, &fresh)).await;
        run(&mut admin, &format!("alter database {fresh} rename to {sample}")).await;
    }
    admin.close().await.unwrap();
    sample
}

/// Which program this is, and when it was built.
fn build() -> (String, u128) {
    let program = env::current_exe().unwrap();
    let built = fs::metadata(&program).unwrap().modified().unwrap();
    let age = built.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    (short(&program.to_string_lossy()), age)
}

async fn run(admin: &mut PgConnection, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    sqlx::raw_sql(statement).execute(admin).await.unwrap();
}

/// A name for a database, out of something longer.
fn short(text: &str) -> String {
    token::hash(text).get(..20).unwrap().to_owned()
}

fn beside(server: &str, name: &str) -> String {
    let (root, _) = server.rsplit_once('/').unwrap();
    format!("{root}/{name}")
}

pub fn sqlite(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

async fn seed_at(url: &str) {
    let db = db::connect(url).await.unwrap();
    db::migrate(&db).await.unwrap();
    let day = Seed {
        sample: None,
        as_of: Some("2026-11-21".parse().unwrap()),
    };
    seed::seed(&db, &day, Clock::starting_at(NOW.parse().unwrap()))
        .await
        .unwrap();
    db.close().await;
}
