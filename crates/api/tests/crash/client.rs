//! Somebody who writes, keeps a record of every answer, and asks again with the same key where there was none.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::dice::Dice;

/// What a client knows.
#[derive(Default)]
pub struct Record {
    /// Everything that was answered with a success, by its name, with the member's number and what it did to their
    /// balance.
    pub answered: BTreeMap<String, (String, i64)>,
    /// What was asked for and not answered yet: it may have happened.
    pub in_doubt: Option<String>,
}

/// How often it had to ask again, and how often what it asked for had happened already.
#[derive(Default)]
pub struct Done {
    pub unanswered: usize,
    pub replayed: usize,
}

pub struct Client {
    pub record: Arc<Mutex<Record>>,
    place: Arc<RwLock<String>>,
    http: reqwest::Client,
    cookie: String,
    name: String,
    /// Its own member's number.
    number: String,
    dice: Dice,
    done: Done,
    requests: usize,
    /// What can still be returned of each purchase, with whose it is.
    purchases: Vec<(String, String, i64)>,
    reserved: Vec<(String, String, i64)>,
    captured: Vec<(String, i64)>,
}

/// Who asks.
#[derive(Clone, Copy)]
enum As {
    Member,
    Till,
    Crm,
}

/// The number of a client's member.
pub fn number(client: usize) -> String {
    (100_000_000_000 + client).to_string()
}

/// A member whom every client writes to.
pub const SHARED: &str = "100000000999";

impl Client {
    pub async fn sign_in(client: usize, base: &str, place: Arc<RwLock<String>>, dice: Dice) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        let name = format!("client-{client}");
        let post = async |path: &str, body: Value| {
            let answer = http
                .post(format!("{base}/api/v1{path}"))
                .json(&body)
                .send()
                .await
                .unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            answer
        };
        let challenge = post(
            "/auth/challenges",
            json!({"address": format!("{name}@brightleaf.example")}),
        )
        .await;
        let challenge: Value = challenge.json().await.unwrap();
        let proof = json!({"challenge_id": challenge["challenge_id"], "code": challenge["demo_code"]});
        let session = post("/auth/sessions", proof).await;
        let cookie = session.headers()["set-cookie"].to_str().unwrap();
        Self {
            record: Arc::default(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
            http,
            place,
            name,
            number: number(client),
            dice,
            done: Done::default(),
            requests: 0,
            purchases: vec![],
            reserved: vec![],
            captured: vec![],
        }
    }

    /// Asks for one thing after the other until the shop closes.
    pub async fn work(mut self, has_closed: Arc<AtomicBool>) -> Done {
        self.adjust(10_000).await;
        while !has_closed.load(Ordering::Relaxed) {
            match self.dice.below(8) {
                0 | 1 => self.buy().await,
                2 => self.bring_goods().await,
                3 => {
                    let points = i64::try_from(self.dice.below(400)).unwrap() - 150;
                    self.adjust(points + i64::from(points == 0)).await;
                }
                4 | 5 => self.redeem().await,
                6 => self.capture_or_release().await,
                _ => self.refund().await,
            }
        }
        self.done
    }

    async fn buy(&mut self) {
        let receipt = self.new_name();
        let member = if self.dice.below(3) == 0 { SHARED } else { &self.number }.to_owned();
        let total = i64::try_from(self.dice.below(9000)).unwrap() + 1000;
        let purchase = json!({
            "external_id": receipt,
            "store": "main",
            "occurred_at": Utc::now(),
            "total": {"minor": total, "currency": "EUR"},
            "member": member,
        });
        let points = |answer: &Value| answer["points"].as_i64().unwrap();
        self.write(
            As::Till,
            "/purchases",
            purchase,
            format!("purchase {receipt}"),
            &member,
            points,
        )
        .await;
        self.purchases.push((receipt, member, total));
    }

    async fn bring_goods(&mut self) {
        let Some((receipt, member, left)) = self.dice.take(&mut self.purchases) else {
            return;
        };
        let name = self.new_name();
        let amount = (left / 2).max(1);
        let path = format!("/purchases/{receipt}/returns");
        let goods = json!({"external_id": name, "amount": {"minor": amount, "currency": "EUR"}});
        let points = |answer: &Value| -answer["points"].as_i64().unwrap();
        self.write(As::Till, &path, goods, format!("return {name}"), &member, points)
            .await;
        if left > amount {
            self.purchases.push((receipt, member, left - amount));
        }
    }

    async fn adjust(&mut self, points: i64) {
        let name = self.new_name();
        let member = if self.dice.below(3) == 0 { SHARED } else { &self.number }.to_owned();
        let correction = json!({"member": member, "points": points, "reason": name});
        let effect = format!("adjust {name}");
        self.write(As::Crm, "/counter/adjustments", correction, effect, &member, |_| points)
            .await;
    }

    async fn redeem(&mut self) {
        let points = i64::try_from(self.dice.below(100)).unwrap() * 2 + 50;
        let wanted = json!({"spend": {"points": points}});
        let (status, quote, _) = self.ask(As::Member, "/quotes", &wanted, None, |_, _| {}).await;
        if quote["code"] == "insufficient_balance" {
            return;
        }
        assert_eq!(status, 201, "{quote}");
        let quote = quote["quote_id"].as_str().unwrap().to_owned();
        let (effect, member) = (format!("redeem {quote}"), self.number.clone());
        let wanted = json!({"quote_id": quote});
        let voucher = self
            .write(As::Member, "/redemptions", wanted, effect, &member, |_| -points)
            .await;
        let text = |field: &str| voucher[field].as_str().unwrap().to_owned();
        self.reserved.push((text("id"), text("code"), points));
    }

    async fn capture_or_release(&mut self) {
        let Some((id, code, points)) = self.dice.take(&mut self.reserved) else {
            return;
        };
        let member = self.number.clone();
        if self.dice.below(3) == 0 {
            let path = format!("/redemptions/{id}/release");
            let effect = format!("release {id}");
            self.write(As::Member, &path, json!({}), effect, &member, |_| points)
                .await;
            return;
        }
        let path = format!("/counter/redemptions/{code}/capture");
        let basket = match self.dice.below(2) {
            0 => json!({}),
            _ => json!({"basket": {"minor": 20, "currency": "EUR"}}),
        };
        let used = |answer: &Value| answer["captured"]["points"].as_i64().unwrap();
        let effect = format!("capture {id}");
        let captured = self
            .write(As::Till, &path, basket, effect, &member, |answer| points - used(answer))
            .await;
        self.captured.push((id, used(&captured)));
    }

    async fn refund(&mut self) {
        let Some((id, points)) = self.dice.take(&mut self.captured) else {
            return;
        };
        let member = self.number.clone();
        let path = format!("/counter/redemptions/{id}/refund");
        self.write(As::Till, &path, json!({}), format!("refund {id}"), &member, |_| points)
            .await;
    }

    fn new_name(&mut self) -> String {
        self.requests += 1;
        format!("{}-{}", self.name, self.requests)
    }

    /// Asks for something that has an effect of that name, until it is there. `change` reads what it did to the
    /// member's balance.
    async fn write(
        &mut self,
        who: As,
        path: &str,
        body: Value,
        effect: String,
        member: &str,
        change: impl Fn(&Value) -> i64,
    ) -> Value {
        let key = format!("key-{}", self.new_name());
        self.record.lock().unwrap().in_doubt = Some(effect.clone());
        let keep = |record: &mut Record, answer: &Value| {
            record.in_doubt = None;
            record
                .answered
                .insert(effect.clone(), (member.to_owned(), change(answer)));
        };
        let (status, answer, is_replayed) = self.ask(who, path, &body, Some(&key), keep).await;
        assert!(matches!(status, 200 | 201), "{effect}: {answer}");
        self.done.replayed += usize::from(is_replayed);
        answer
    }

    /// Asks until there is an answer that lasts, and keeps a success before anybody can look at the books.
    async fn ask(
        &mut self,
        who: As,
        path: &str,
        body: &Value,
        key: Option<&str>,
        keep: impl Fn(&mut Record, &Value),
    ) -> (u16, Value, bool) {
        let mut was_unanswered = false;
        loop {
            let place = self.place.read().await;
            let request = self.http.post(format!("{}/api/v1{path}", *place)).json(body);
            let request = match who {
                As::Member => request
                    .header("cookie", &self.cookie)
                    .header("sec-fetch-site", "same-origin"),
                As::Till => request.bearer_auth("demo-till-key"),
                As::Crm => request.bearer_auth("demo-crm-key"),
            };
            let request = match key {
                Some(key) => request.header("idempotency-key", key),
                None => request,
            };
            let answer = async {
                let answer = request.send().await?;
                let status = answer.status().as_u16();
                let is_replayed = answer.headers().contains_key("idempotency-replayed");
                Ok::<_, reqwest::Error>((status, answer.json::<Value>().await?, is_replayed))
            };
            match answer.await {
                Ok((status, answer, is_replayed)) if is_lasting(status, &answer) => {
                    if status < 300 {
                        keep(&mut self.record.lock().unwrap(), &answer);
                    }
                    self.done.unanswered += usize::from(was_unanswered && key.is_some());
                    return (status, answer, is_replayed);
                }
                Ok(_) => {}
                // The server died, before it read the request or after it did everything.
                Err(_) => was_unanswered = true,
            }
            drop(place);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn is_lasting(status: u16, answer: &Value) -> bool {
    status != 503 && answer["code"] != "idempotency_key_in_use"
}
