//! How fast the ledger is: requests over real HTTP to the real program, beside bare transactions that write the same
//! rows into the same database in the same minute. `cargo xtask bench ledger` runs it on both databases.
//!
//! Arguments: a database's URL, and for PostgreSQL the program `pgbench`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and prints"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loyalty_api::db::Database;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How many ask at once.
const CLIENTS: usize = 8;
/// How many members they ask about.
const MEMBERS: i64 = 64;
/// For how long each figure is taken.
const LASTS: Duration = Duration::from_secs(5);
/// How many vouchers each client makes.
const VOUCHERS_EACH: usize = 200;
/// Every member's number is this and their place among them.
const NUMBERS_FROM: i64 = 900_000_000_000;
/// Somebody who has come every other day for ten years, and somebody who has for a month. Both use what they have at
/// every fifth visit.
const TEN_YEARS: &str = "ten-years@bench.example";
const ONE_MONTH: &str = "one-month@bench.example";
/// Somebody who has come as often for ten years and saves, so that there is a lot for nearly each visit of a year.
const SAVER: &str = "saver@bench.example";

/// What a purchase writes, without anything around it. `$1` is a member, `$2` a number that nothing else has.
const PURCHASE: &[&str] = &[
    "insert into idempotency (scope, key, fingerprint, created_at) values ('bare', cast(cast($2 as bigint) as text), 'f', 0)",
    "update members set version = version + 1 where number = cast(900000000000 + $1 as text)",
    "insert into purchases (id, store, external_id, member_id, occurred_at, total_minor, earning_points, earning_per_minor, multiplier_permille, points, returned_minor, forgiven) select 'p' || cast(cast($2 as bigint) as text), 'main', 'bare-' || cast(cast($2 as bigint) as text), id, 0, 100, 10, 100, 1000, 10, 0, 0 from members where number = cast(900000000000 + $1 as text)",
    "insert into entries (id, member_id, seq, at, kind, points, worth_minor, balance_after, purchase_id) select 'e' || cast(cast($2 as bigint) as text), id, cast($2 as bigint), 0, 'earn', 10, 5, 10, 'p' || cast(cast($2 as bigint) as text) from members where number = cast(900000000000 + $1 as text)",
    "insert into lots (id, member_id, seq, entry_id, purchase_id, points, remaining, expired, available_at) select 'l' || cast(cast($2 as bigint) as text), id, cast($2 as bigint), 'e' || cast(cast($2 as bigint) as text), 'p' || cast(cast($2 as bigint) as text), 10, 0, 0, 0 from members where number = cast(900000000000 + $1 as text)",
    "insert into qualifying (member_id, day, points) select id, 1, 10 from members where number = cast(900000000000 + $1 as text) on conflict (member_id, day) do update set points = qualifying.points + 10",
    "insert into outbox (id, at, kind, body, fanned_out_at) values ('o' || cast(cast($2 as bigint) as text), 0, 'points.earned', '{}', 0)",
    "update members set balance = balance + 10 where number = cast(900000000000 + $1 as text)",
    "update idempotency set status = 201, body = '{}' where scope = 'bare' and key = cast(cast($2 as bigint) as text)",
];

/// What making a voucher writes.
const REDEMPTION: &[&str] = &[
    "insert into idempotency (scope, key, fingerprint, created_at) values ('bare', cast(cast($2 as bigint) as text), 'f', 0)",
    "update members set version = version + 1 where number = cast(900000000000 + $1 as text)",
    "update quotes set used_at = 0 where id = cast(cast($2 as bigint) as text)",
    "insert into redemptions (id, member_id, state, code, points, money_minor, created_at, valid_until) select 'r' || cast(cast($2 as bigint) as text), id, 'captured', 'r' || cast(cast($2 as bigint) as text), 100, 50, 0, 0 from members where number = cast(900000000000 + $1 as text)",
    "insert into entries (id, member_id, seq, at, kind, points, worth_minor, balance_after, redemption_id) select 's' || cast(cast($2 as bigint) as text), id, cast($2 as bigint), 0, 'spend', -100, 50, 10, 'r' || cast(cast($2 as bigint) as text) from members where number = cast(900000000000 + $1 as text)",
    "update lots set remaining = remaining where member_id = (select id from members where number = cast(900000000000 + $1 as text)) and seq = 1",
    "insert into outbox (id, at, kind, body, fanned_out_at) values ('o' || cast(cast($2 as bigint) as text), 0, 'points.spent', '{}', 0)",
    "update members set balance = balance - 100 where number = cast(900000000000 + $1 as text)",
    "insert into redemption_lots (redemption_id, position, lot_id, points, returned) select 'r' || cast(cast($2 as bigint) as text), 0, l.id, 100, 0 from lots l join members m on m.id = l.member_id where m.number = cast(900000000000 + $1 as text) and l.seq = 1",
    "update idempotency set status = 201, body = '{}' where scope = 'bare' and key = cast(cast($2 as bigint) as text)",
];

/// What the status of a member is read from.
const STATUS: &[&str] = &[
    "select number, name, since, state, contact, unread_messages, earned, spent, expired from members where number = cast(900000000000 + $1 as text)",
    "select remaining, available_at, expires_at, entry_id from lots where member_id = (select id from members where number = cast(900000000000 + $1 as text)) and remaining <> 0 order by seq",
    "select day, points from qualifying where member_id = (select id from members where number = cast(900000000000 + $1 as text)) and day >= 0 and cast($2 as bigint) > 0 order by day",
];

#[tokio::main]
async fn main() {
    // Cargo adds an argument of its own.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [url, rest @ ..] = arguments.as_slice() else {
        println!("Name a database's URL: `cargo xtask bench ledger` does.");
        return;
    };
    let folder = TempDir::new().unwrap();
    let server = Server::start(url, &sample(folder.path()));
    let client = Client::new();
    let mut members = vec![];
    for number in 0..MEMBERS {
        members.push(server.sign_in(&client, &format!("member-{number}@bench.example")).await);
    }
    let members = Arc::new(members);
    println!("{CLIENTS} clients, {MEMBERS} members, {} s each", LASTS.as_secs());
    println!(
        "{:12} {:>10} {:>9} {:>9}   bare transactions of the same rows",
        "", "req/s", "p50 ms", "p99 ms"
    );

    let base = server.base.clone();
    let status = measure(CLIENTS, |count| {
        let request = client
            .get(format!("{base}/me/status"))
            .header("cookie", &members[count % members.len()]);
        async move { request.send().await.unwrap().status() == StatusCode::OK }
    })
    .await;
    compare("status", &status, bare(url, rest, STATUS, 0).await);

    let unique = AtomicU64::new(0);
    let purchases = measure(CLIENTS, |count| {
        let number = unique.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "external_id": format!("bench-{number}"), "store": "main", "occurred_at": chrono::Utc::now(),
            "total": {"minor": 1234, "currency": "EUR"},
            "member": (NUMBERS_FROM + i64::try_from(count).unwrap() % MEMBERS).to_string(),
        });
        let request = client
            .post(format!("{base}/purchases"))
            .bearer_auth("demo-till-key")
            .header("idempotency-key", format!("bench-{number}"))
            .json(&body);
        async move { request.send().await.unwrap().status() == StatusCode::CREATED }
    })
    .await;
    compare("purchase", &purchases, bare(url, rest, PURCHASE, 1).await);

    let vouchers = redemptions(&client, &base, &members).await;
    compare("redemption", &vouchers, bare(url, rest, REDEMPTION, 2).await);

    let one_month = server.sign_in(&client, ONE_MONTH).await;
    for (who, address) in [("who spends", TEN_YEARS), ("who saves", SAVER)] {
        let ten_years = server.sign_in(&client, address).await;
        let (mut long, mut short) = (vec![], vec![]);
        for _ in 0..400 {
            for (cookie, times) in [(&ten_years, &mut long), (&one_month, &mut short)] {
                let started = Instant::now();
                let request = client.get(format!("{base}/me/status")).header("cookie", cookie);
                request.send().await.unwrap().bytes().await.unwrap();
                times.push(started.elapsed());
            }
        }
        let (long, short) = (Figures::of(long, LASTS), Figures::of(short, LASTS));
        println!(
            "status of ten years, {who}: {:.2} ms, of one month {:.2} ms (p50): {:.2} times",
            long.p50_ms,
            short.p50_ms,
            long.p50_ms / short.p50_ms
        );
    }
}

/// Every client makes its quotes first, so that what is timed is the vouchers alone.
async fn redemptions(client: &Client, base: &str, members: &[String]) -> Figures {
    let mut quotes: Vec<Vec<String>> = vec![];
    for cookie in members.iter().take(CLIENTS) {
        let mut own = vec![];
        for _ in 0..VOUCHERS_EACH {
            let answer = client
                .post(format!("{base}/quotes"))
                .header("cookie", cookie)
                .header("sec-fetch-site", "same-origin")
                .json(&json!({"spend": {"points": 100}}))
                .send()
                .await
                .unwrap();
            let quote: Value = answer.json().await.unwrap();
            own.push(quote["quote_id"].as_str().unwrap().to_owned());
        }
        quotes.push(own);
    }
    let started = Instant::now();
    let mut tasks = vec![];
    for (number, own) in quotes.into_iter().enumerate() {
        let (client, base, cookie) = (client.clone(), base.to_owned(), members[number].clone());
        tasks.push(tokio::spawn(async move {
            let mut times = vec![];
            for quote in own {
                let begun = Instant::now();
                let answer = client
                    .post(format!("{base}/redemptions"))
                    .header("cookie", &cookie)
                    .header("sec-fetch-site", "same-origin")
                    .header("idempotency-key", &quote)
                    .json(&json!({"quote_id": quote}))
                    .send()
                    .await
                    .unwrap();
                assert_eq!(answer.status(), StatusCode::CREATED);
                answer.bytes().await.unwrap();
                times.push(begun.elapsed());
            }
            times
        }));
    }
    let mut times = vec![];
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    Figures::of(times, started.elapsed())
}

/// What was measured of one kind of request.
struct Figures {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Figures {
    fn of(mut times: Vec<Duration>, elapsed: Duration) -> Self {
        times.sort();
        let at = |permille: usize| times[(times.len() * permille / 1000).min(times.len() - 1)].as_secs_f64() * 1000.0;
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
        let per_second = times.len() as f64 / elapsed.as_secs_f64();
        Self {
            per_second,
            p50_ms: at(500),
            p99_ms: at(990),
        }
    }
}

/// Has so many clients ask, one request after another each, for [`LASTS`].
async fn measure<F: Future<Output = bool> + Send>(clients: usize, ask: impl Fn(usize) -> F + Sync) -> Figures {
    let started = Instant::now();
    let ask = &ask;
    let each = (0..clients).map(|client| async move {
        let mut times = vec![];
        let mut count = client;
        while started.elapsed() < LASTS {
            let begun = Instant::now();
            assert!(ask(count).await, "a request failed");
            times.push(begun.elapsed());
            count += clients;
        }
        times
    });
    let times = futures_util::future::join_all(each).await.concat();
    Figures::of(times, started.elapsed())
}

fn compare(name: &str, figures: &Figures, bare: f64) {
    println!(
        "{name:12} {:10.0} {:9.2} {:9.2}   {bare:.0}/s: {:.2} of it",
        figures.per_second,
        figures.p50_ms,
        figures.p99_ms,
        figures.per_second / bare
    );
}

/// How many transactions a second of these statements the database does by itself, for as many clients.
async fn bare(url: &str, rest: &[String], statements: &'static [&'static str], round: i64) -> f64 {
    match rest {
        [pgbench, ..] => bare_postgres(url, pgbench, statements, round),
        [] => bare_sqlite(url, statements, round).await,
    }
}

async fn bare_sqlite(url: &str, statements: &'static [&'static str], round: i64) -> f64 {
    let db = Database::connect(url).await.unwrap();
    let is_read = statements.iter().all(|statement| statement.starts_with("select"));
    let db = &db;
    let figures = measure(CLIENTS, |count| async move {
        let count = i64::try_from(count).unwrap();
        let mut tx = if is_read {
            db.begin_read().await.unwrap()
        } else {
            db.begin_write().await.unwrap()
        };
        for &statement in statements {
            // SQLite refuses what a statement does not ask for.
            let mut query = sqlx::query(statement);
            if statement.contains("$1") || statement.contains("$2") {
                query = query.bind(count % MEMBERS);
            }
            if statement.contains("$2") {
                query = query.bind((round + 1) * 1_000_000_000 + count);
            }
            if is_read {
                query.fetch_all(&mut *tx).await.unwrap();
            } else {
                query.execute(&mut *tx).await.unwrap();
            }
        }
        tx.commit().await.is_ok()
    })
    .await;
    figures.per_second
}

fn bare_postgres(url: &str, pgbench: &str, statements: &[&str], round: i64) -> f64 {
    let script = TempDir::new().unwrap();
    let file = script.path().join("bare.sql");
    let mut text = format!("\\set m random(0, {})\n", MEMBERS - 1);
    text += &format!(
        "\\set r random({0}000000000000000, {0}999999999999999)\nbegin;\n",
        round + 1
    );
    for statement in statements {
        text += &format!("{};\n", statement.replace("$1", ":m").replace("$2", ":r"));
    }
    text += "commit;\n";
    fs::write(&file, text).unwrap();
    let output = Command::new(pgbench)
        .args([
            "--no-vacuum",
            "--protocol",
            "prepared",
            "--client",
            &CLIENTS.to_string(),
            "--jobs",
            "2",
        ])
        .args(["--time", &LASTS.as_secs().to_string(), "--file"])
        .arg(file)
        .arg(url)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let line = told.lines().find(|line| line.starts_with("tps = "));
    let line = line.unwrap_or_else(|| panic!("pgbench: {}", String::from_utf8_lossy(&output.stderr)));
    line.split_whitespace().nth(2).unwrap().parse().unwrap()
}

/// The program, serving.
struct Server {
    child: Child,
    base: String,
}

impl Server {
    fn start(url: &str, sample: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_loyalty-api"))
            .args([
                "--database-url",
                url,
                "serve",
                "--demo",
                "--port",
                "0",
                "--burst",
                "100000000",
                "--sample",
            ])
            .arg(sample)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line.strip_prefix("listening on ").unwrap();
        Self {
            base: format!("{address}/api/v1"),
            child,
        }
    }

    /// The cookie of a session.
    async fn sign_in(&self, client: &Client, address: &str) -> String {
        let post = |path: &str, body: Value| client.post(format!("{}{path}", self.base)).json(&body).send();
        let challenge = post("/auth/challenges", json!({"address": address})).await.unwrap();
        let challenge: Value = challenge.json().await.unwrap();
        let answer = json!({"challenge_id": challenge["challenge_id"], "code": challenge["demo_code"]});
        let session = post("/auth/sessions", answer).await.unwrap();
        let cookie = session.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sample programme with members of our own: many with points enough, and two with histories to compare.
fn sample(folder: &Path) -> std::path::PathBuf {
    let own = folder.join("sample");
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    fs::create_dir_all(own.join("media")).unwrap();
    fs::copy(built_in.join("programme.json"), own.join("programme.json")).unwrap();
    for picture in fs::read_dir(built_in.join("media")).unwrap() {
        let picture = picture.unwrap();
        fs::copy(picture.path(), own.join("media").join(picture.file_name())).unwrap();
    }
    let member = |number: i64, email: String, since: i64, habits: Value| {
        json!({
            "number": (NUMBERS_FROM + number).to_string(), "name": "Bench", "email": email, "language": "en",
            "since": {"days": since}, "state": "active", "habits": habits,
            "history": [{"day": {"days": since}, "what": "bonus", "points": 1_000_000, "reason": {"en": "To begin with"}}],
        })
    };
    let visits = |days: i64, spend_points: i64| {
        json!([{
            "from": {"days": -days}, "until": {"days": -1}, "every_days": 2, "stores": ["main"],
            "totals_minor": [1240, 680, 1815], "spend_every": 5, "spend_points": spend_points,
        }])
    };
    let mut members: Vec<Value> = (0..MEMBERS)
        .map(|number| member(number, format!("member-{number}@bench.example"), -1, json!([])))
        .collect();
    members.push(member(MEMBERS, TEN_YEARS.into(), -3650, visits(3650, 100_000)));
    members.push(member(MEMBERS + 1, ONE_MONTH.into(), -30, visits(30, 100_000)));
    members.push(member(MEMBERS + 2, SAVER.into(), -3650, visits(3650, 400)));
    fs::write(own.join("members.json"), json!({"members": members}).to_string()).unwrap();
    own
}
