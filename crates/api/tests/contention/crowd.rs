//! Many clients at once, and what they are answered.

use std::env;
use std::time::Duration;

use clap::Parser;
use loyalty_api::config::{Cli, Command};
use loyalty_api::db::Database;
use loyalty_api::serve::{Server, start};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

use crate::support::{Api, NOW};

const SERVE: [&str; 8] = [
    "loyalty-api",
    "serve",
    "--demo",
    "--port",
    "0",
    "--burst",
    "1000000",
    "--clock",
];

/// Servers over one database, and those who ask them.
pub struct Crowd {
    pub api: Api,
    bases: Vec<String>,
    client: Client,
    _second: Option<Server>,
}

/// What somebody asks for, with a key of its own.
#[derive(Clone)]
pub struct Request {
    path: String,
    body: Value,
    /// A member's session; without one it is the sample's till that asks.
    cookie: Option<String>,
}

/// What came of it in the end.
pub struct Outcome {
    pub status: u16,
    pub body: Value,
    text: String,
    is_replayed: bool,
}

impl Request {
    pub fn of_member(cookie: &str, path: &str, body: Value) -> Self {
        Self {
            path: path.to_owned(),
            body,
            cookie: Some(cookie.to_owned()),
        }
    }

    pub fn of_till(path: &str, body: Value) -> Self {
        Self {
            path: path.to_owned(),
            body,
            cookie: None,
        }
    }
}

impl Crowd {
    pub async fn gather() -> Self {
        let api = Api::start_with(&["--burst", "1000000"]).await;
        let mut bases = vec![api.base.clone()];
        let mut second = None;
        if env::var_os("LOYALTY_TEST_DATABASE_URL").is_some() {
            let url = api.db.connect_options().database_url.to_string();
            let Command::Serve(config) = Cli::parse_from(SERVE.iter().chain([&NOW])).command else {
                panic!("it serves");
            };
            let server = start(Database::connect(&url).await.unwrap(), config).await.unwrap();
            bases.push(format!("http://{}", server.address));
            second = Some(server);
        }
        Self {
            api,
            bases,
            client: Client::new(),
            _second: second,
        }
    }

    /// The cookie of a member of the sample.
    pub async fn sign_in(&self, name: &str) -> String {
        self.api.member(name).await.cookie().to_owned()
    }

    /// The cookie of a new member without a history.
    pub async fn join(&self, place: usize) -> String {
        let (name, number) = (format!("client-{place}"), Self::number(place));
        self.api
            .execute(&format!(
                "insert into members (id, version, number, name, email, language, since, state, unread_messages,
                    entry_count, balance, earned, spent, expired)
                 values ('{name}', 1, '{number}', '{name}', '{name}@brightleaf.example', 'en', 20000, 'active', 0,
                    0, 0, 0, 0, 0)"
            ))
            .await;
        self.sign_in(&name).await
    }

    pub fn number(place: usize) -> String {
        (100_000_000_000 + place).to_string()
    }

    pub async fn give(&self, number: &str, points: usize) {
        let answer = self
            .client
            .post(format!("{}/api/v1/counter/adjustments", self.api.base))
            .bearer_auth("demo-crm-key")
            .header("idempotency-key", format!("give-{number}"))
            .json(&json!({"member": number, "points": points, "reason": "For the test"}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }

    /// The id of a new quote.
    pub async fn quote(&self, cookie: &str, wanted: &Value) -> String {
        let request = self.of_member(self.client.post(format!("{}/api/v1/quotes", self.api.base)), cookie);
        let quote: Value = request.json(wanted).send().await.unwrap().json().await.unwrap();
        quote["quote_id"]
            .as_str()
            .unwrap_or_else(|| panic!("{quote}"))
            .to_owned()
    }

    pub async fn status(&self, cookie: &str) -> Value {
        let request = self.of_member(self.client.get(format!("{}/api/v1/me/status", self.api.base)), cookie);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// A number out of the database.
    pub async fn count(&self, statement: &str) -> usize {
        let (found,): (i64,) = sqlx::query_as(AssertSqlSafe(statement.to_owned()))
            .fetch_one(&self.api.db)
            .await
            .unwrap();
        usize::try_from(found).unwrap()
    }

    /// Sends every request at once, each by two clients with one key, until each has its answer. The two are answered
    /// the same, one of them by what was stored.
    pub async fn send_each_twice(&self, requests: Vec<Request>) -> Vec<Outcome> {
        let mut all = JoinSet::new();
        for (place, request) in requests.iter().enumerate() {
            let key = loyalty_api::token::id().unwrap();
            for copy in 0..2 {
                let base = &self.bases[(place + copy) % self.bases.len()];
                let post = self.client.post(format!("{base}/api/v1{}", request.path));
                let post = match &request.cookie {
                    Some(cookie) => self.of_member(post, cookie),
                    None => post.bearer_auth("demo-till-key"),
                };
                let post = post.header("idempotency-key", &key).json(&request.body);
                all.spawn(async move { (place, settle(post).await) });
            }
        }
        let mut found: Vec<Option<Outcome>> = requests.iter().map(|_| None).collect();
        while let Some(done) = all.join_next().await {
            let (place, outcome) = done.unwrap();
            if let Some(other) = found[place].replace(outcome) {
                let outcome = found[place].as_ref().unwrap();
                assert_eq!((outcome.status, &outcome.text), (other.status, &other.text));
                assert_ne!(outcome.is_replayed, other.is_replayed, "{}", outcome.text);
            }
        }
        found.into_iter().flatten().collect()
    }

    fn of_member(&self, request: RequestBuilder, cookie: &str) -> RequestBuilder {
        request.header("cookie", cookie).header("sec-fetch-site", "same-origin")
    }
}

/// Sends a request until its answer is one that lasts.
async fn settle(request: RequestBuilder) -> Outcome {
    loop {
        let answer = request.try_clone().unwrap().send().await.unwrap();
        let status = answer.status().as_u16();
        let is_replayed = answer.headers().contains_key("idempotency-replayed");
        let text = answer.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        let is_for_now = status == 503 || body["code"] == "idempotency_key_in_use";
        if !is_for_now {
            return Outcome {
                status,
                body,
                text,
                is_replayed,
            };
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
