use std::time::{Duration, Instant};

use loyalty_api::db::is_sqlite;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{AMIR, Api, LINH, Visitor, problem};

/// Long enough for two looks at the database, on a busy machine too.
const SOON: Duration = Duration::from_secs(5);

/// What somebody hears.
struct Stream {
    answer: Response,
    text: String,
}

impl Stream {
    async fn open(visitor: &Visitor, last_event_id: Option<&str>) -> Self {
        let request = visitor.request(reqwest::Method::GET, "/api/v1/me/events");
        let request = request.header("accept-encoding", "gzip");
        let request = match last_event_id {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        Self::of(request.send().await.unwrap()).await
    }

    async fn of(answer: Response) -> Self {
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(
            !answer.headers().contains_key("content-encoding"),
            "nothing keeps it back"
        );
        let text = String::new();
        let mut stream = Self { answer, text };
        assert_eq!(stream.block(SOON).await.as_deref(), Some("retry: 3000"));
        stream
    }

    /// What stands before the next empty line; `None` where nothing comes for so long, or at the end.
    async fn block(&mut self, within: Duration) -> Option<String> {
        let until = Instant::now() + within;
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let left = until.saturating_duration_since(Instant::now());
            let chunk = tokio::time::timeout(left, self.answer.chunk()).await.ok()?.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The names and data of everything until the next id, and that id.
    #[track_caller]
    fn heard(&mut self) -> impl Future<Output = (Vec<(String, Value)>, String)> {
        let caller = std::panic::Location::caller();
        async move {
            let mut events = vec![];
            loop {
                let block = self.block(SOON).await;
                let block = block.unwrap_or_else(|| panic!("at {caller}: nothing was heard after {events:?}"));
                let line = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                };
                let Some(name) = line("event") else { continue };
                events.push((name.to_owned(), serde_json::from_str(line("data").unwrap()).unwrap()));
                if let Some(id) = line("id") {
                    return (events, id.to_owned());
                }
            }
        }
    }

    async fn hears_nothing(&mut self) {
        assert_eq!(self.block(Duration::from_millis(1200)).await, None);
    }
}

/// A server that has nothing to do by itself just now, which would be told as well.
async fn settled() -> Api {
    let api = Api::start().await;
    api.attend().await.unwrap();
    api
}

fn status_changed() -> (String, Value) {
    ("status_changed".to_owned(), json!({}))
}

fn redemption_changed(voucher: &Value) -> (String, Value) {
    ("redemption_changed".to_owned(), json!({"id": voucher["id"]}))
}

#[tokio::test]
async fn what_a_till_does_is_told_to_its_member_alone() {
    let api = settled().await;
    let (linh, siti) = (api.member("linh").await, api.member("siti").await);
    let (mut hers, mut another) = (Stream::open(&linh, None).await, Stream::open(&linh, None).await);
    let mut elses = Stream::open(&siti, None).await;
    let voucher = linh.redeem(100).await;
    let told = vec![redemption_changed(&voucher), status_changed()];
    let (made, first) = hers.heard().await;
    assert_eq!(made, told);
    assert_eq!(another.heard().await, (made, first.clone()));

    let code = voucher["code"].as_str().unwrap();
    let captured = Instant::now();
    api.till()
        .done(&format!("/counter/redemptions/{code}/capture"), &json!({}))
        .await;
    assert_eq!(hers.heard().await.0, told);
    assert!(captured.elapsed() < Duration::from_secs(3), "{:?}", captured.elapsed());

    let refund = format!("/counter/redemptions/{}/refund", voucher["id"].as_str().unwrap());
    api.till().done(&refund, &json!({})).await;
    assert_eq!(hers.heard().await.0, told);
    api.till().sells(&api, LINH, "1", 500).await;
    let (earned, last) = hers.heard().await;
    assert_eq!(earned, [status_changed()]);
    elses.hears_nothing().await;

    // Whoever was away is told what they missed, once; whoever names nonsense, nothing.
    let mut again = Stream::open(&linh, Some(&first)).await;
    assert_eq!(again.heard().await, (told, last.clone()));
    drop((again, another));
    for known in [last.as_str(), "99999999999", "-1", "yesterday"] {
        Stream::open(&linh, Some(known)).await.hears_nothing().await;
    }
}

#[tokio::test]
async fn what_time_brings_and_what_another_process_does_is_told() {
    let api = settled().await;
    let linh = api.member("linh").await;
    let other = api.another_server().await;
    let request = api.client.get(format!("http://{}/api/v1/me/events", other.address));
    let answer = request.header("cookie", linh.cookie()).send().await.unwrap();
    let mut stream = Stream::of(answer).await;
    let voucher = linh.redeem(100).await;
    let (_, made) = stream.heard().await;
    // The voucher lapses.
    api.move_to("2026-11-28T10:00:00Z").await;
    let (lapsed, last) = stream.heard().await;
    assert_eq!(lapsed, [redemption_changed(&voucher), status_changed()]);
    // Eighty-five points become available, without any entry.
    api.move_to("2026-12-01T23:00:00Z").await;
    let (activated, end) = stream.heard().await;
    assert_eq!(activated, [status_changed()]);
    assert!(made != last && last != end);

    let stopping = Instant::now();
    other.stop().await.unwrap();
    assert!(
        stopping.elapsed() < Duration::from_secs(3),
        "a stream keeps no server from its end"
    );
    assert_eq!(stream.block(SOON).await, None);
}

#[tokio::test]
async fn whatever_comes_into_force_late_is_told_then() {
    let api = settled().await;
    let (linh, amir) = (api.member("linh").await, api.member("amir").await);
    let (mut late, mut early) = (Stream::open(&linh, None).await, Stream::open(&amir, None).await);
    // Somebody began before everybody else, and ends after them.
    let mut tx = api.db.begin().await.unwrap();
    sqlx::query("update members set version = version + 1 where number = $1")
        .bind(LINH)
        .execute(&mut *tx)
        .await
        .unwrap();
    // SQLite lets nobody else write meanwhile.
    if !is_sqlite(&api.db) {
        api.till().sells(&api, AMIR, "1", 500).await;
        early.heard().await;
    }
    late.hears_nothing().await;
    tx.commit().await.unwrap();
    assert_eq!(late.heard().await.0, [status_changed()]);
}

#[tokio::test]
async fn a_session_has_five_streams() {
    let api = settled().await;
    let linh = api.member("linh").await;
    let mut streams = vec![];
    for _ in 0..5 {
        streams.push(Stream::open(&linh, None).await);
    }
    let refused = linh.get("/me/events").await;
    assert_eq!(refused.headers()["retry-after"], "15");
    problem(refused, "too_many_requests").await;
    Stream::open(&api.member("linh").await, None).await;
    streams.pop();
    let until = Instant::now() + SOON;
    // The server finds out that somebody is gone when it hears so.
    while linh.get("/me/events").await.status() != StatusCode::OK {
        assert!(Instant::now() < until, "whoever has left still counts");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    problem(api.visitor().get("/me/events").await, "signed_out").await;
}

#[tokio::test]
async fn a_stream_is_alive_as_long_as_its_session() {
    let api = settled().await;
    let linh = api.member("linh").await;
    let mut stream = Stream::open(&linh, None).await;
    let heartbeat = Duration::from_secs(20);
    assert_eq!(stream.block(heartbeat).await.as_deref(), Some(": "));
    let end = linh.request(reqwest::Method::DELETE, "/api/v1/auth/sessions/current");
    assert!(end.send().await.unwrap().status().is_success());
    assert_eq!(stream.block(heartbeat).await, None);
    assert!(stream.answer.chunk().await.unwrap().is_none(), "it is at its end");
}
