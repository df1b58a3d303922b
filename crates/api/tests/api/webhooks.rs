use std::collections::{HashMap, HashSet};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use clap::Parser;
use loyalty_api::clock::{Clock, from_millis, millis};
use loyalty_api::config::{Cli, Command as Asked};
use loyalty_api::db::Database;
use loyalty_api::{token, webhooks};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::commands::{check_fails, loyalty_api};
use crate::database::OwnDatabase;
use crate::support::{Api, NOW};

const KEY: &str = "a text that nobody can guess, of some length";

/// How long the convention waits after each attempt, in seconds.
const WAITS: [i64; 9] = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400];

/// What receivers got, and what they answer by the path that they were sent to.
#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
}

#[derive(Clone, Debug)]
struct Request {
    path: String,
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

#[derive(Clone, Copy)]
enum Answer {
    Status(StatusCode),
    RetryAfter(i64),
    Redirect,
    Never,
}

/// A shop with webhooks, its clock, and whoever receives its events.
struct Shop {
    own: OwnDatabase,
    db: Database,
    clock: Clock,
    receiver: Receiver,
    base: String,
}

/// What runs beside a server.
struct Worker {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Receiver {
    async fn listen(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(self);
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        base
    }

    fn at(&self, path: &str) -> Vec<Request> {
        let got = self.got.lock().unwrap();
        got.iter().filter(|request| request.path == path).cloned().collect()
    }

    fn answers(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }
}

async fn receive(State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    receiver.got.lock().unwrap().push(Request {
        path: uri.path().to_owned(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body,
    });
    let answer = receiver.answers.lock().unwrap().get(uri.path()).copied();
    match answer.unwrap_or(Answer::Status(StatusCode::NO_CONTENT)) {
        Answer::Status(status) => (status, "x".repeat(100_000)).into_response(),
        Answer::RetryAfter(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", seconds.to_string())]).into_response()
        }
        Answer::Redirect => Redirect::temporary("/elsewhere").into_response(),
        Answer::Never => std::future::pending().await,
    }
}

impl Shop {
    async fn open() -> Self {
        let own = OwnDatabase::seeded().await;
        let db = Database::connect(&own.url).await.unwrap();
        let receiver = Receiver::default();
        Self {
            own,
            db,
            clock: Clock::starting_at(NOW.parse().unwrap()),
            base: receiver.clone().listen().await,
            receiver,
        }
    }

    fn asked(&self, arguments: &[&str]) -> Output {
        let command = ["--database-url", &self.own.url, "webhook"];
        let output = Command::new(env!("CARGO_BIN_EXE_loyalty-api"))
            .args(command.iter().chain(arguments))
            .env("LOYALTY_SECRET_KEY", KEY)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output
    }

    /// What a command says, with one space where there are more.
    fn run(&self, arguments: &[&str]) -> String {
        let said = String::from_utf8(self.asked(arguments).stdout).unwrap();
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The id and the secret of a new webhook.
    fn subscribe(&self, path: &str, kinds: &str) -> (String, String) {
        let output = self.asked(&["add", &format!("{}{path}", self.base), "--kinds", kinds]);
        let (secret, remark) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        let (_, id) = remark.split_once("webhook ").unwrap();
        (id.split_once(':').unwrap().0.to_owned(), secret.trim().to_owned())
    }

    /// Something happened to a member just now, or rather that long after.
    async fn happens(&self, kind: &str, name: &str, after: TimeDelta) -> String {
        let id = token::id().unwrap();
        let at = self.clock.now() + after;
        let body = json!({"type": kind, "timestamp": at, "data": {"member": name, "said": "Größe, \"سلام\""}});
        sqlx::query(
            "insert into outbox (id, at, kind, member_id, body)
            values ($1, $2, $3, (select id from members where name = $4), $5)",
        )
        .bind(&id)
        .bind(millis(at))
        .bind(kind)
        .bind(name)
        .bind(body.to_string())
        .execute(&self.db.pool)
        .await
        .unwrap();
        id
    }

    async fn work(&self) -> Worker {
        let arguments = ["loyalty-api", "serve", "--secret-key", KEY];
        let key = match Cli::parse_from(arguments).command {
            Asked::Serve(serve) => serve.secret_key,
            other => panic!("{other:?}"),
        };
        let (end, ended) = oneshot::channel();
        // Another process has its own connections.
        let db = Database::connect(&self.own.url).await.unwrap();
        let task = tokio::spawn(webhooks::run(db, self.clock.clone(), key, async {
            let _ = ended.await;
        }));
        Worker { end, task }
    }

    async fn count(&self, what: &str) -> i64 {
        let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(format!("select count(*) from {what}")))
            .fetch_one(&self.db.pool)
            .await
            .unwrap();
        count
    }
}

impl Worker {
    async fn stop(self) {
        self.end.send(()).unwrap();
        self.task.await.unwrap();
    }
}

#[track_caller]
fn until(what: &str, is_so: impl AsyncFn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..500 {
            if is_so().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not within 10 seconds: {what}, at {caller}");
    }
}

/// As the convention says it, from nothing but SHA-256.
fn sign(secret: &str, id: &str, timestamp: &str, body: &str) -> String {
    let mut key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    key.resize(64, 0);
    let pad = |byte: u8| key.iter().map(|part| part ^ byte).collect::<Vec<u8>>();
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(format!("{id}.{timestamp}.{body}"))
        .finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    format!("v1,{}", STANDARD.encode(outer))
}

#[tokio::test]
async fn two_processes_send_each_event_once_and_signed() {
    // The example that the convention publishes.
    assert_eq!(
        sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#
        ),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
    let shop = Shop::open().await;
    let (id, secret) = shop.subscribe("/all", "all");
    let (_, other_secret) = shop.subscribe("/some", "tier.changed,points.spent");
    assert_eq!(shop.run(&["secret", &id]), secret, "derived anew each time");
    assert_ne!(secret, other_secret);

    let workers = [shop.work().await, shop.work().await];
    let (mut all, mut some) = (HashSet::new(), HashSet::new());
    for round in 0..60 {
        let name = ["Linh", "Siti", "Mateo"][round % 3];
        all.insert(shop.happens("points.earned", name, TimeDelta::zero()).await);
        if round % 10 == 0 {
            some.insert(shop.happens("tier.changed", name, TimeDelta::zero()).await);
        }
    }
    all.extend(some.iter().cloned());
    until("all are sent", async || {
        shop.receiver.at("/all").len() >= all.len() && shop.receiver.at("/some").len() >= some.len()
    })
    .await;
    for worker in workers {
        worker.stop().await;
    }
    for (path, expected, secret) in [("/all", &all, &secret), ("/some", &some, &other_secret)] {
        let got = shop.receiver.at(path);
        assert_eq!(got.len(), expected.len(), "{path}: none twice");
        assert_eq!(
            &got.iter().map(|request| request.id.clone()).collect::<HashSet<_>>(),
            expected
        );
        for request in got {
            let Request {
                id,
                timestamp,
                signature,
                body,
                ..
            } = request;
            assert_eq!(signature, sign(secret, &id, &timestamp, &body));
            let sent: i64 = timestamp.parse().unwrap();
            assert!((shop.clock.now().timestamp() - sent).abs() < 60, "{timestamp}");
        }
    }
    assert_eq!(
        shop.count("deliveries where delivered_at is null or next_at is not null")
            .await,
        0
    );
    let listed = shop.run(&["list"]);
    assert!(
        listed.contains("/some tier.changed,points.spent active 0 0 2026-") && listed.contains("Z 204 No Content"),
        "{listed}"
    );
}

#[tokio::test]
async fn one_members_events_come_in_the_order_in_which_they_happened() {
    let shop = Shop::open().await;
    shop.subscribe("/", "all");
    let mut events = vec![];
    for at in (0..30).rev() {
        events.push(
            shop.happens("points.earned", "Linh", TimeDelta::milliseconds(-at))
                .await,
        );
    }
    let worker = shop.work().await;
    until("all are sent", async || shop.receiver.at("/").len() == 30).await;
    worker.stop().await;
    let got: Vec<String> = shop.receiver.at("/").into_iter().map(|request| request.id).collect();
    assert_eq!(got, events);
}

#[tokio::test]
async fn what_fails_is_tried_again_at_the_times_that_are_said_then_given_up_and_can_be_replayed() {
    let shop = Shop::open().await;
    let (webhook, _) = shop.subscribe("/broken", "all");
    let event = shop.happens("points.earned", "Linh", TimeDelta::zero()).await;
    shop.receiver
        .answers("/broken", Answer::Status(StatusCode::INTERNAL_SERVER_ERROR));
    let worker = shop.work().await;
    for (attempt, wait) in (0..).zip(WAITS) {
        until("the result is written down", async || {
            let (attempts, tried_at, next_at): (i64, Option<i64>, i64) =
                sqlx::query_as("select attempts, tried_at, next_at from deliveries")
                    .fetch_optional(&shop.db.pool)
                    .await
                    .unwrap()
                    .unwrap_or_default();
            let waits = next_at - tried_at.unwrap_or(0);
            attempts == attempt + 1 && waits >= wait * 1000 && waits <= wait * 1100
        })
        .await;
        let (next_at,): (i64,) = sqlx::query_as("select next_at from deliveries")
            .fetch_one(&shop.db.pool)
            .await
            .unwrap();
        if attempt == 1 {
            assert!(shop.clock.move_to(from_millis(next_at - 5000)));
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(shop.receiver.at("/broken").len(), 2, "not before its time");
        }
        assert!(shop.clock.move_to(from_millis(next_at)));
    }
    until("it is given up", async || {
        shop.count("deliveries where next_at is null").await == 1
    })
    .await;
    assert_eq!(shop.receiver.at("/broken").len(), 10);
    let listed = shop.run(&["list"]);
    assert!(
        listed.contains("/broken all active 0 1 2026-") && listed.contains("Z 500 Internal Server Error"),
        "{listed}"
    );

    shop.receiver.answers("/broken", Answer::Status(StatusCode::OK));
    assert_eq!(
        shop.run(&[
            "replay",
            &webhook,
            "--since",
            "2026-11-01T00:00:00Z",
            "--until",
            "2026-11-21T10:00:00Z"
        ]),
        "Events to be sent again: 0."
    );
    assert_eq!(
        shop.run(&["replay", &webhook, "--since", NOW, "--until", "2026-11-22T00:00:00Z"]),
        "Events to be sent again: 1."
    );
    until("it is delivered", async || {
        shop.count("deliveries where delivered_at is not null").await == 1
    })
    .await;
    let listed = shop.run(&["list"]);
    assert!(
        listed.contains("/broken all active 0 0 ") && listed.ends_with("200 OK"),
        "{listed}"
    );
    worker.stop().await;
    let got = shop.receiver.at("/broken");
    assert_eq!(got.len(), 11);
    assert!(
        got.iter()
            .all(|request| request.id == event && request.body == got[0].body)
    );
    let timestamps: HashSet<&str> = got.iter().map(|request| request.timestamp.as_str()).collect();
    assert!(timestamps.len() >= 10, "each attempt has its own time");
}

#[tokio::test]
async fn a_receiver_can_ask_to_wait_leads_nowhere_else_and_can_end_it() {
    let shop = Shop::open().await;
    let (gone, _) = shop.subscribe("/gone", "all");
    shop.subscribe("/busy", "points.spent");
    shop.subscribe("/moved", "points.spent");
    shop.receiver.answers("/gone", Answer::Status(StatusCode::GONE));
    shop.receiver.answers("/busy", Answer::RetryAfter(7000));
    shop.receiver.answers("/moved", Answer::Redirect);
    shop.happens("points.spent", "Linh", TimeDelta::zero()).await;
    let worker = shop.work().await;
    let what_came = async |path: &str| -> Option<(Option<i64>, String, Option<i64>)> {
        sqlx::query_as(
            "select d.next_at - d.tried_at, d.last_result, w.removed_at
            from deliveries d join webhooks w on w.id = d.webhook_id where w.url = $1 and d.tried_at is not null",
        )
        .bind(format!("{}{path}", shop.base))
        .fetch_optional(&shop.db.pool)
        .await
        .unwrap()
    };
    until("all were tried", async || {
        shop.count("deliveries where tried_at is not null").await == 3
    })
    .await;
    assert_eq!(
        what_came("/busy").await,
        Some((Some(7_000_000), "503 Service Unavailable".into(), None))
    );
    let (waits, result, _) = what_came("/moved").await.unwrap();
    assert!(
        matches!(waits, Some(5000..=5500)) && result == "307 Temporary Redirect",
        "{waits:?} {result}"
    );
    let (waits, result, removed_at) = what_came("/gone").await.unwrap();
    assert!(waits.is_none() && result == "410 Gone" && removed_at.is_some());
    shop.happens("points.spent", "Linh", TimeDelta::zero()).await;
    until("the others get more", async || shop.receiver.at("/busy").len() == 2).await;
    worker.stop().await;
    assert_eq!(
        (shop.receiver.at("/gone").len(), shop.receiver.at("/elsewhere").len()),
        (1, 0)
    );
    assert!(shop.run(&["list"]).contains("/gone all gone 0 1 2026-"));
    check_fails(
        &["--database-url", &shop.own.url, "webhook", "remove", &gone],
        "There is no webhook",
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other_and_what_was_cut_off_is_sent_again() {
    let shop = Shop::open().await;
    shop.subscribe("/hangs", "all");
    shop.subscribe("/works", "all");
    shop.receiver.answers("/hangs", Answer::Never);
    for name in ["Linh", "Siti"].repeat(30) {
        shop.happens("points.earned", name, TimeDelta::zero()).await;
    }
    let worker = shop.work().await;
    until("the other has all", async || shop.receiver.at("/works").len() == 60).await;
    until("the other's are written down", async || {
        shop.count("deliveries where delivered_at is not null").await == 60
    })
    .await;
    let hanging = shop.receiver.at("/hangs");
    assert_eq!(hanging.len(), 2, "one for each member at once");

    // As if the process were killed: it can neither finish nor write anything down.
    worker.task.abort();
    shop.receiver.answers("/hangs", Answer::Status(StatusCode::OK));
    let worker = shop.work().await;
    until("what nobody had claimed is sent", async || {
        shop.receiver.at("/hangs").len() >= 2 + 60 - 8
    })
    .await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(
        shop.receiver.at("/hangs").len(),
        2 + 60 - 8,
        "what the other had claimed has to wait"
    );
    assert!(shop.clock.move_to(shop.clock.now() + TimeDelta::seconds(150)));
    until("all are sent", async || {
        shop.count("deliveries where delivered_at is not null").await == 120
    })
    .await;
    worker.stop().await;
    let ids: Vec<String> = shop
        .receiver
        .at("/hangs")
        .into_iter()
        .map(|request| request.id)
        .collect();
    assert_eq!((ids.len(), ids.iter().collect::<HashSet<_>>().len()), (62, 60));
    assert!(
        hanging
            .iter()
            .all(|request| ids.iter().filter(|id| **id == request.id).count() == 2),
        "under its id"
    );
}

#[tokio::test]
async fn events_are_kept_for_thirty_days_unless_they_still_wait() {
    let shop = Shop::open().await;
    shop.subscribe("/", "points.spent");
    let day = |days: i64| TimeDelta::days(days) - TimeDelta::minutes(1);
    for kind in ["points.earned", "points.spent"] {
        shop.happens(kind, "Linh", -day(30)).await;
        shop.happens(kind, "Linh", -day(31)).await;
    }
    shop.receiver.answers("/", Answer::Status(StatusCode::BAD_GATEWAY));
    let worker = shop.work().await;
    until("what waits for nobody is forgotten", async || {
        shop.count("outbox").await == 3
    })
    .await;
    shop.receiver.answers("/", Answer::Status(StatusCode::OK));
    until("the others were tried", async || {
        shop.count("deliveries where tried_at is not null").await == 2
    })
    .await;
    assert!(shop.clock.move_to(shop.clock.now() + TimeDelta::hours(2)));
    until("all were delivered", async || {
        shop.count("deliveries where delivered_at is not null").await == 2
    })
    .await;
    assert!(shop.clock.move_to(shop.clock.now() + TimeDelta::hours(2)));
    until("all are forgotten", async || {
        shop.count("outbox").await == 0 && shop.count("deliveries").await == 0
    })
    .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_sends_what_happens_and_needs_the_key_for_it() {
    let api = Api::start_with(&["--secret-key", KEY]).await;
    let receiver = Receiver::default();
    let base = receiver.clone().listen().await;
    let subscribe =
        format!("insert into webhooks (id, url, kinds, created_at) values ('wh_test', '{base}/', 'all', 0)");
    api.execute(&subscribe).await;
    let purchase = json!({
        "external_id": "T1-0042", "store": "main", "occurred_at": NOW, "member": "512102314864",
        "total": {"minor": 1200, "currency": "EUR"},
    });
    for _ in 0..2 {
        let answer = api
            .client
            .post(format!("{}/api/v1/purchases", api.base))
            .header("authorization", "Bearer demo-till-key")
            .header("idempotency-key", "T1-0042")
            .json(&purchase)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
    }
    until("the event is sent", async || !receiver.at("/").is_empty()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let earned: Vec<Value> = receiver
        .at("/")
        .iter()
        .map(|request| serde_json::from_str(&request.body).unwrap())
        .filter(|event: &Value| event["type"] == "points.earned")
        .collect();
    let [event] = &earned[..] else { panic!("{earned:?}") };
    assert!(
        event["timestamp"].as_str().unwrap().starts_with("2026-11-21T10:00"),
        "{event}"
    );
    assert_eq!(event["data"]["member"], "512102314864");
    assert_eq!(event["data"]["points"], 120, "{event}");
    assert_eq!(event["data"]["purchase"]["total"], purchase["total"]);

    let shop = Shop::open().await;
    shop.subscribe("/", "all");
    let url = &shop.own.url;
    let serve = ["--database-url", url, "serve", "--demo", "--port", "0"];
    check_fails(&serve, "signed by LOYALTY_SECRET_KEY");
    let short = "short but secret";
    check_fails(
        &[&serve[..], &["--secret-key", short]].concat(),
        "of 32 characters at least",
    );
    let told = loyalty_api(&[&serve[..], &["--secret-key", short]].concat()).stderr;
    assert!(!String::from_utf8(told).unwrap().contains(short));
}

#[tokio::test]
async fn what_cannot_be_subscribed_is_said_in_a_sentence() {
    let shop = Shop::open().await;
    let add = |url: &str, kinds: &str, expected: &str| {
        let key = ["--secret-key", KEY];
        let arguments = ["--database-url", &shop.own.url, "webhook", "add", url, "--kinds", kinds];
        check_fails(&[&arguments[..], &key[..]].concat(), expected);
    };
    for url in [
        "crm.example",
        "/loyalty",
        "ftp://crm.example",
        "https://me:secret@crm.example",
        "https://crm.example/#a",
    ] {
        add(url, "all", "is not like https://crm.example/loyalty");
    }
    add("https://crm.example", "points.lost", "points.earned");
    check_fails(
        &[
            "--database-url",
            &shop.own.url,
            "webhook",
            "add",
            "https://crm.example",
            "--kinds",
            "all",
        ],
        "--secret-key",
    );
    sqlx::query("delete from meta").execute(&shop.db.pool).await.unwrap();
    add("http://crm.example", "all", "over https only");
    for url in [
        "http://localhost:8080/a",
        "http://[::1]:80",
        "http://127.1.2.3",
        "https://crm.example/loyalty?shop=1",
    ] {
        shop.run(&["add", url, "--kinds", "all"]);
    }
    let empty = OwnDatabase::empty().await;
    check_fails(&["--database-url", &empty.url, "webhook", "list"], "no tables yet");
}
