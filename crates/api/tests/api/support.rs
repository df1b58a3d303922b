//! A server with the sample, and somebody who talks to it.

use std::collections::BTreeMap;

use clap::Parser;
use loyalty_api::config::{Cli, Command, Serve};
use loyalty_api::db::Database;
use loyalty_api::serve::{Server, start};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{AnyPool, AssertSqlSafe};

use crate::database::OwnDatabase;

/// The contract's example was true then.
pub const NOW: &str = "2026-11-21T10:00:00Z";

/// A server over a database of its own with the sample as of [`NOW`].
pub struct Api {
    pub base: String,
    pub db: AnyPool,
    pub client: Client,
    _server: Server,
    _own: OwnDatabase,
}

/// Somebody with a session, or without.
#[derive(Clone)]
pub struct Visitor {
    base: String,
    client: Client,
    cookie: Option<String>,
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
            _server: server,
            _own: own,
        }
    }

    pub fn visitor(&self) -> Visitor {
        Visitor {
            base: self.base.clone(),
            client: self.client.clone(),
            cookie: None,
            language: "en",
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
}

impl Visitor {
    pub fn speaking(self, language: &'static str) -> Self {
        Self { language, ..self }
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

fn config(arguments: &[&str]) -> Serve {
    let always = ["loyalty-api", "serve", "--port", "0"];
    match Cli::parse_from(always.iter().chain(arguments)).command {
        Command::Serve(serve) => serve,
        other => panic!("{other:?}"),
    }
}
