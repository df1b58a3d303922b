//! A server with the sample, and somebody who talks to it.

use std::collections::BTreeMap;

use clap::Parser;
use loyalty_api::clock::{Clock, millis};
use loyalty_api::config::{Cli, Command, Serve};
use loyalty_api::db::Database;
use loyalty_api::serve::{Server, start};
use loyalty_api::token;
use loyalty_api::verify::verify;
use loyalty_contract::Instant;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{AnyPool, AssertSqlSafe};

use crate::database::OwnDatabase;

/// The contract's example was true then.
pub const NOW: &str = "2026-11-21T10:00:00Z";

/// Sample members, by their number: silver with a long history, new and green, paused, managed and gold.
pub const LINH: &str = "512102314864";
pub const AMIR: &str = "730946185207";
pub const PAVEL: &str = "847205936418";
pub const REZA: &str = "391574860223";

/// A server over a database of its own with the sample as of [`NOW`].
pub struct Api {
    pub base: String,
    pub db: AnyPool,
    pub client: Client,
    server: Server,
    own: OwnDatabase,
}

/// Somebody with a session or a key, or with neither.
#[derive(Clone)]
pub struct Visitor {
    base: String,
    client: Client,
    cookie: Option<String>,
    bearer: Option<String>,
    language: &'static str,
}

impl Api {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more arguments for `serve`.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let demo = ["--demo", "--clock", NOW];
        Self::over(OwnDatabase::seeded().await, &[&demo, arguments].concat()).await
    }

    /// Over that database, with these arguments for `serve`.
    pub async fn over(own: OwnDatabase, arguments: &[&str]) -> Self {
        let database = Database::connect(&own.url).await.unwrap();
        let db = database.pool.clone();
        let server = start(database, config(arguments)).await.unwrap();
        let base = format!("http://{}", server.address);
        Self {
            base,
            db,
            client: Client::new(),
            server,
            own,
        }
    }

    /// Another server over the same database, with a clock of its own.
    pub async fn another_server(&self) -> Server {
        let database = Database::connect(&self.own.url).await.unwrap();
        start(database, config(&["--demo", "--clock", NOW])).await.unwrap()
    }

    /// The database's own address, for the command line.
    pub fn url(&self) -> &str {
        &self.own.url
    }

    pub fn clock(&self) -> &Clock {
        self.server.app().clock()
    }

    /// Lets time pass, and everything happen that is due by then.
    pub async fn move_to(&self, instant: &str) {
        let instant: Instant = instant.parse().unwrap();
        assert!(self.clock().move_to(instant), "time does not go back to {instant}");
        self.attend().await.unwrap();
    }

    /// Lets happen what is due by now.
    pub async fn attend(&self) -> loyalty_api::http::Result<()> {
        self.server.app().attend_all().await
    }

    pub fn visitor(&self) -> Visitor {
        Visitor {
            base: self.base.clone(),
            client: self.client.clone(),
            cookie: None,
            bearer: None,
            language: "en",
        }
    }

    /// The sample's till, in the store `main`.
    pub fn till(&self) -> Visitor {
        self.bearing("demo-till-key")
    }

    /// The sample's CRM.
    pub fn crm(&self) -> Visitor {
        self.bearing("demo-crm-key")
    }

    pub fn bearing(&self, secret: &str) -> Visitor {
        Visitor {
            bearer: Some(secret.to_owned()),
            ..self.visitor()
        }
    }

    /// Whoever has a new key, for one store or for every one.
    pub async fn key(&self, scopes: &str, store: Option<&str>) -> Visitor {
        let secret = token::id().unwrap();
        sqlx::query(
            "insert into api_keys (id, name, key_hash, scopes, store, created_at) values ($1, $1, $2, $3, $4, 0)",
        )
        .bind(token::id().unwrap())
        .bind(token::hash(&secret))
        .bind(scopes)
        .bind(store)
        .execute(&self.db)
        .await
        .unwrap();
        self.bearing(&secret)
    }

    /// One of the sample's staff, just signed in: `101` is a clerk, `900` a manager.
    pub async fn staff(&self, code: &str) -> Visitor {
        let secret = token::id().unwrap();
        sqlx::query(
            "insert into staff_sessions (id, token_hash, staff_id, created_at, seen_at)
             select $1, $2, id, $3, $3 from staff where code = $4",
        )
        .bind(token::id().unwrap())
        .bind(token::hash(&secret))
        .bind(millis(self.clock().now()))
        .bind(code)
        .execute(&self.db)
        .await
        .unwrap();
        Visitor {
            cookie: Some(format!("loyalty_counter={secret}")),
            ..self.visitor()
        }
    }

    /// A sample member, signed in as anybody would be.
    pub async fn member(&self, name: &str) -> Visitor {
        let visitor = self.visitor();
        let challenge = visitor.challenge(&format!("{name}@brightleaf.example")).await;
        let answer = visitor
            .answer(&challenge, challenge["demo_code"].as_str().unwrap())
            .await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        visitor.keeping(&answer)
    }

    pub async fn execute(&self, statement: &str) {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&self.db)
            .await
            .unwrap();
    }

    /// The books agree, whatever was done to them.
    #[track_caller]
    pub fn verify(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            if let Err(difference) = verify(&self.db).await {
                panic!("at {caller}: {difference}");
            }
        }
    }
}

impl Visitor {
    pub fn speaking(self, language: &'static str) -> Self {
        Self { language, ..self }
    }

    /// Who asks another server.
    pub fn at(self, address: &str) -> Self {
        Self {
            base: address.to_owned(),
            ..self
        }
    }

    /// With the cookies that came with an answer.
    pub fn keeping(self, answer: &Response) -> Self {
        let set = answer.headers().get_all("set-cookie").iter();
        let new = set.map(|set| set.to_str().unwrap().split(';').next().unwrap());
        let old = self.cookie.iter().flat_map(|cookie| cookie.split("; "));
        // By their names, so that a new one takes the place of an old one.
        let cookies: BTreeMap<_, _> = old.chain(new).map(|cookie| cookie.split_once('=').unwrap()).collect();
        let cookies: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self {
            cookie: Some(cookies.join("; ")),
            ..self
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("accept-language", self.language);
        let request = match &self.bearer {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        };
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie).header("sec-fetch-site", "same-origin"),
            None => request,
        }
    }

    /// The cookie alone, as a page of another site would make the browser send it.
    pub fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, &format!("/api/v1{path}"))
            .send()
            .await
            .unwrap()
    }

    /// The body of a 200.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, &format!("/api/v1{path}"))
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Response {
        self.request(Method::POST, &format!("/api/v1{path}"))
            .header("idempotency-key", key)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// With a key that nobody used.
    pub async fn post_once(&self, path: &str, body: &Value) -> Response {
        self.post_keyed(path, &token::id().unwrap(), body).await
    }

    /// The body of a 200 or 201 to a request with a key that nobody used.
    #[track_caller]
    pub fn done(&self, path: &str, body: &Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.post_once(path, body).await;
            let status = answer.status();
            let found: Value = answer.json().await.unwrap();
            assert!(status.is_success(), "at {caller}: {path} {body}: {found}");
            found
        }
    }

    /// A till tells that a member paid so much just now.
    #[track_caller]
    pub fn sells(&self, api: &Api, member: &str, external_id: &str, minor: i64) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let purchase = purchase(api, external_id, minor);
        let member = member.to_owned();
        async move {
            let mut purchase = purchase;
            purchase["member"] = member.into();
            let answer = self.post_once("/purchases", &purchase).await;
            let status = answer.status();
            let found: Value = answer.json().await.unwrap();
            assert_eq!(status, StatusCode::CREATED, "at {caller}: {found}");
            found
        }
    }

    /// Turns so many points into money off.
    pub async fn redeem(&self, points: i64) -> Value {
        self.redeem_for(&json!({"spend": {"points": points}})).await
    }

    /// Turns points into what is quoted.
    pub async fn redeem_for(&self, intent: &Value) -> Value {
        let quote = self.quote(intent).await;
        self.done("/redemptions", &json!({"quote_id": quote})).await
    }

    /// A quote's id.
    pub async fn quote(&self, intent: &Value) -> Value {
        let answer = self.post("/quotes", intent).await;
        let status = answer.status();
        let found: Value = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{intent}: {found}");
        found["quote_id"].clone()
    }

    /// Available and pending.
    pub async fn balance(&self) -> (i64, i64) {
        let balance = &self.read("/me/status").await["balance"];
        (
            balance["available"].as_i64().unwrap(),
            balance["pending"].as_i64().unwrap(),
        )
    }

    /// Kinds and points of the newest entries, the newest first.
    pub async fn newest(&self, count: usize) -> Vec<(String, i64)> {
        let found = self.read(&format!("/me/ledger?limit={count}")).await;
        let entries = found["items"].as_array().unwrap().iter();
        entries
            .map(|entry| {
                (
                    entry["kind"].as_str().unwrap().to_owned(),
                    entry["points"].as_i64().unwrap(),
                )
            })
            .collect()
    }

    pub async fn challenge(&self, address: &str) -> Value {
        let answer = self.post("/auth/challenges", &json!({"address": address})).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json().await.unwrap()
    }

    pub async fn answer(&self, challenge: &Value, code: &str) -> Response {
        self.post(
            "/auth/sessions",
            &json!({"challenge_id": challenge["challenge_id"], "code": code}),
        )
        .await
    }
}

pub fn euros(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

/// A purchase of nobody's in the store `main`, just now.
pub fn purchase(api: &Api, external_id: &str, minor: i64) -> Value {
    json!({
        "external_id": external_id,
        "store": "main",
        "occurred_at": api.clock().now(),
        "total": euros(minor),
    })
}

/// Asserts that it is a problem document with that code, and gives it.
#[track_caller]
pub fn problem(answer: Response, code: &str) -> impl Future<Output = Value> {
    let caller = std::panic::Location::caller();
    let code = code.to_owned();
    async move {
        let status = answer.status().as_u16();
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "at {caller}"
        );
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code.as_str(), "at {caller}: {problem}");
        assert_eq!(problem["status"], status, "at {caller}: {problem}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "at {caller}");
        problem
    }
}

/// What `serve` is told by these arguments.
pub fn config(arguments: &[&str]) -> Serve {
    let always = ["loyalty-api", "serve", "--port", "0"];
    match Cli::parse_from(always.iter().chain(arguments)).command {
        Command::Serve(serve) => serve,
        other => panic!("{other:?}"),
    }
}
