//! The same story told twice: to a server over HTTP, and to the model.

use chrono::TimeDelta;
use loyalty_api::verify::verify;
use loyalty_contract::Instant;
use loyalty_contract::programme::TierWindow;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::books::{Expected, Model};
use crate::programme::{self, REWARDS};
use crate::steps::{By, MEMBERS, Step, What, Wish};
use crate::support::{Api, Visitor};

/// The names and numbers of the members.
const NAMES: [&str; MEMBERS] = ["ana", "bo"];
const NUMBERS: [&str; MEMBERS] = ["100000000001", "100000000002"];
const NOBODY: &str = "100000000009";
const STORES: [&str; 2] = ["main", "harbour"];

/// Steps are made at whole tens of minutes after this, and take far less than the minutes in between: so it is always
/// plain what was over, whatever time the machine takes.
const START: &str = "2026-11-21T10:01:00Z";
const TICK: TimeDelta = TimeDelta::minutes(10);

struct Shop {
    api: Api,
    members: Vec<Visitor>,
    model: Model,
    /// Where the purchases were made, and what the till said of them.
    purchases: Vec<(usize, Value)>,
    quotes: Vec<String>,
    /// The id and the code of each voucher.
    vouchers: Vec<(String, String)>,
    requests: usize,
}

/// Tells a whole story. Panics where the two do not agree.
pub async fn tell(window: TierWindow, steps: Vec<Step>) {
    let mut shop = Shop::open(window).await;
    for step in steps {
        shop.wait(step.wait, step.worker_sleeps).await;
        shop.act(&step).await;
        shop.check(&step).await;
    }
    shop.check_books().await;
}

impl Shop {
    async fn open(window: TierWindow) -> Self {
        let api = Api::start_with(&["--burst", "1000000"]).await;
        programme::put(&api, window).await;
        let mut members = vec![];
        for (name, number) in NAMES.iter().zip(NUMBERS) {
            api.execute(&format!(
                "insert into members (id, version, number, name, email, language, since, state, unread_messages,
                    entry_count, balance, earned, spent, expired)
                 values ('{name}', 1, '{number}', '{name}', '{name}@brightleaf.example', 'en', 20000, 'active', 0,
                    0, 0, 0, 0, 0)"
            ))
            .await;
            members.push(api.member(name).await);
        }
        // A story is of years, and nobody signs in anew in it; seen later than that, a session is not given less.
        api.execute("update sessions set expires_at = expires_at * 2, seen_at = expires_at * 2")
            .await;
        let start: Instant = START.parse().unwrap();
        let mut shop = Self {
            api,
            members,
            model: Model::new(start, window, MEMBERS),
            purchases: vec![],
            quotes: vec![],
            vouchers: vec![],
            requests: 0,
        };
        shop.move_clock(start).await;
        shop
    }

    async fn wait(&mut self, ticks: i64, worker_sleeps: bool) {
        if ticks == 0 {
            return;
        }
        if worker_sleeps {
            // It is woken by vouchers alone, whose lapse is the one thing that a reader does not see by the clock.
            let sleep = "update members set due_at = (select min(valid_until) from redemptions
                where redemptions.member_id = members.id and redemptions.state = 'reserved')";
            self.api.execute(sleep).await;
        }
        let now = self.model.now + TICK * i32::try_from(ticks).unwrap();
        self.move_clock(now).await;
        self.model.pass(now);
    }

    async fn move_clock(&mut self, now: Instant) {
        let answer = self.api.visitor().post("/demo/clock", &json!({"now": now})).await;
        assert_eq!(answer.status(), 200, "the clock is at {now}");
    }

    async fn act(&mut self, step: &Step) {
        let twice = step.twice;
        let latest = |which: usize, count: usize| count.checked_sub(which + 1);
        match &step.what {
            What::Buy {
                by,
                harbour,
                minor,
                hours_ago,
            } => {
                let occurred_at = self.model.now - TimeDelta::hours(*hours_ago);
                let (member, number) = match by {
                    By::Member(member) => (Some(*member), Some(NUMBERS[*member])),
                    By::Anonymous => (None, None),
                    By::Unknown => (None, Some(NOBODY)),
                };
                let store = usize::from(*harbour);
                // Each store counts for itself, so two have the same numbers.
                let number_there = self.purchases.iter().filter(|(at, _)| *at == store).count();
                let mut receipt = json!({
                    "external_id": format!("receipt-{number_there}"),
                    "store": STORES[store],
                    "occurred_at": occurred_at,
                    "total": {"minor": minor, "currency": "EUR"},
                });
                if let Some(number) = number {
                    receipt["member"] = json!(number);
                }
                let expected = self.model.buy(member, number.is_some(), *minor, occurred_at);
                let request = self.till("/purchases");
                self.send(request, Some(&receipt), expected, twice).await;
                self.purchases.push((store, receipt));
            }
            What::BuyAgain { which, in_other_words } => {
                let Some(purchase) = latest(*which, self.purchases.len()) else {
                    return;
                };
                let mut receipt = self.purchases[purchase].1.clone();
                let is_recent = receipt["occurred_at"].as_str().unwrap().parse::<Instant>().unwrap();
                if is_recent + TimeDelta::days(7) < self.model.now {
                    return;
                }
                if *in_other_words {
                    receipt["total"]["minor"] = json!(receipt["total"]["minor"].as_i64().unwrap() + 1);
                }
                let expected = self.model.buy_again(purchase, *in_other_words);
                let request = self.till("/purchases");
                self.send(request, Some(&receipt), expected, twice).await;
            }
            What::Return {
                which,
                permille,
                number,
            } => {
                let Some(purchase) = latest(*which, self.purchases.len()) else {
                    return;
                };
                let amount = (self.model.kept(purchase) * permille / 1000).max(1) + i64::from(*permille > 1000);
                let expected = self.model.bring_goods(purchase, *number, amount);
                let (store, receipt) = &self.purchases[purchase];
                let receipt = receipt["external_id"].as_str().unwrap();
                let request = self.till(&format!("/purchases/{receipt}/returns?store={}", STORES[*store]));
                let goods = json!({"external_id": number.to_string(), "amount": {"minor": amount, "currency": "EUR"}});
                self.send(request, Some(&goods), expected, twice).await;
            }
            What::Quote { member, wish, redeemed } => {
                let (expected, wanted) = match *wish {
                    Wish::Points(points) => {
                        let expected = self.model.quote_spend(*member, Some(points), 0);
                        (expected, json!({"spend": {"points": points}}))
                    }
                    Wish::Minor(minor) => {
                        let expected = self.model.quote_spend(*member, None, minor);
                        (
                            expected,
                            json!({"spend": {"money": {"minor": minor, "currency": "EUR"}}}),
                        )
                    }
                    Wish::Reward(reward) => {
                        let expected = self.model.quote_reward(*member, reward);
                        (expected, json!({"reward_id": REWARDS[reward].id}))
                    }
                };
                let is_made = expected.0 == 201;
                let request = self.members[*member].request(Method::POST, "/api/v1/quotes");
                let answer = self.send(request, Some(&wanted), expected, false).await;
                if is_made {
                    self.quotes.push(answer["quote_id"].as_str().unwrap().to_owned());
                    if *redeemed {
                        self.redeem(self.quotes.len() - 1, twice).await;
                    }
                }
            }
            What::Redeem { which } => {
                let Some(quote) = latest(*which, self.quotes.len()) else {
                    return;
                };
                if self.model.is_forgotten(quote) {
                    return;
                }
                self.redeem(quote, twice).await;
            }
            What::Release { which } => {
                let Some(voucher) = self.model.voucher(*which, "reserved") else {
                    return;
                };
                let expected = self.model.release(voucher);
                let (id, _) = &self.vouchers[voucher];
                let path = format!("/api/v1/redemptions/{id}/release");
                let request = self.members[self.model.voucher_member(voucher)].request(Method::POST, &path);
                self.send(request, None, expected, twice).await;
            }
            What::Capture { which, basket } => {
                let Some(voucher) = self.model.voucher(*which, "reserved") else {
                    return;
                };
                let expected = self.model.capture(voucher, *basket);
                let (_, code) = &self.vouchers[voucher];
                let request = self.till(&format!("/counter/redemptions/{code}/capture?store=main"));
                let basket = basket.map(|minor| json!({"basket": {"minor": minor, "currency": "EUR"}}));
                self.send(request, basket.as_ref(), expected, twice).await;
            }
            What::Refund { which } => {
                let Some(voucher) = self.model.voucher(*which, "captured") else {
                    return;
                };
                let expected = self.model.refund(voucher);
                let (id, _) = &self.vouchers[voucher];
                let request = self.till(&format!("/counter/redemptions/{id}/refund"));
                self.send(request, None, expected, twice).await;
            }
            What::Adjust { member, points } => {
                let expected = self.model.adjust(*member, *points);
                let visitor = self.api.visitor();
                let request = visitor
                    .request(Method::POST, "/api/v1/counter/adjustments")
                    .bearer_auth("demo-crm-key");
                let correction = json!({"member": NUMBERS[*member], "points": points, "reason": "A correction"});
                self.send(request, Some(&correction), expected, twice).await;
            }
            What::Pause { member, paused } => {
                self.model.pause(*member, *paused);
                let state = if *paused { "paused" } else { "active" };
                let member = NAMES[*member];
                self.api
                    .execute(&format!("update members set state = '{state}' where id = '{member}'"))
                    .await;
            }
            What::Rate { points } => {
                self.model.rate = *points;
                programme::put_rate(&self.api, *points).await;
            }
            What::Look => {}
        }
    }

    async fn redeem(&mut self, quote: usize, twice: bool) {
        let expected = self.model.redeem(quote);
        let is_made = expected.0 == 201;
        let request = self.members[self.model.quote_member(quote)].request(Method::POST, "/api/v1/redemptions");
        let answer = self
            .send(request, Some(&json!({"quote_id": self.quotes[quote]})), expected, twice)
            .await;
        if is_made {
            let text = |field: &str| answer[field].as_str().unwrap().to_owned();
            self.vouchers.push((text("id"), text("code")));
        }
    }

    fn till(&self, path: &str) -> RequestBuilder {
        let request = self.api.visitor().request(Method::POST, &format!("/api/v1{path}"));
        request.bearer_auth("demo-till-key")
    }

    /// Sends a request with a key of its own, and once more where that is asked for; gives the answer, which is as
    /// expected.
    async fn send(&mut self, request: RequestBuilder, body: Option<&Value>, expected: Expected, twice: bool) -> Value {
        self.requests += 1;
        let request = request.header("idempotency-key", format!("request-{}", self.requests));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let again = request.try_clone().unwrap();
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let first = answer.text().await.unwrap();
        let mut found: Value = serde_json::from_str(&first).unwrap();
        if let Some(reasons) = found["reasons"].as_array() {
            found["reason_codes"] = reasons.iter().map(|reason| reason["code"].clone()).collect();
        }
        let fields: Value = expected
            .1
            .as_object()
            .unwrap()
            .keys()
            .map(|field| (field.clone(), found[field].clone()))
            .collect();
        assert_eq!((status, &fields), (expected.0, &expected.1), "{body:?}: {first}");
        if twice {
            let answer = again.send().await.unwrap();
            assert_eq!(answer.status(), status);
            // A limit that was reached is not stored, and is asked for anew.
            let is_stored = status != 403;
            assert_eq!(answer.headers().contains_key("idempotency-replayed"), is_stored);
            assert_eq!(answer.text().await.unwrap(), first, "the first answer, byte for byte");
        }
        found
    }

    /// Both say the same of every member, every voucher and every stock.
    async fn check(&self, step: &Step) {
        for (place, member) in self.members.iter().enumerate() {
            let status = member.read("/me/status").await;
            let found = json!({
                "state": status["member"]["state"],
                "balance": status["balance"],
                "next_activation": status["next_activation"],
                "expirations": status["expirations"],
                "tier": status["tier"]["current"],
                "qualifying": status["tier"]["qualifying"],
                "lifetime": status["lifetime"],
                "debt": status["debt"]["points"],
            });
            let now = self.model.now;
            assert_eq!(
                found,
                self.model.status(place),
                "{} at {now}, after {step:?}",
                NAMES[place]
            );
            let page = member.read("/me/redemptions?limit=100").await;
            let mut found: Vec<(&str, &str)> = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|voucher| (voucher["id"].as_str().unwrap(), voucher["state"].as_str().unwrap()))
                .collect();
            let vouchers = self.model.vouchers(place);
            let mut expected: Vec<(&str, &str)> = vouchers
                .map(|(voucher, state)| (self.vouchers[voucher].0.as_str(), state))
                .collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{}'s vouchers at {now}, after {step:?}", NAMES[place]);
        }
        for (place, reward) in REWARDS.iter().enumerate() {
            let found = self.api.visitor().read(&format!("/rewards/{}", reward.id)).await;
            assert_eq!(
                found["stock_left"],
                json!(self.model.stock(place)),
                "{} after {step:?}",
                reward.id
            );
        }
    }

    /// The ledger that members read adds up, and so do all books.
    async fn check_books(&self) {
        for (place, member) in self.members.iter().enumerate() {
            let (mut sum, mut after) = (0, String::new());
            loop {
                let page = member.read(&format!("/me/ledger?limit=100{after}")).await;
                let entries = page["items"].as_array().unwrap();
                sum += entries
                    .iter()
                    .map(|entry| entry["points"].as_i64().unwrap())
                    .sum::<i64>();
                match page["next"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
            // What time has brought is written by whoever comes next: entries may be yet to come, points never.
            let status = member.read("/me/status").await;
            let expired = status["lifetime"]["expired"].as_i64().unwrap();
            let written: Vec<(i64,)> = sqlx::query_as("select expired from members where id = $1")
                .bind(NAMES[place])
                .fetch_all(&self.api.db)
                .await
                .unwrap();
            assert_eq!(
                sum - (expired - written[0].0),
                self.model.balance(place),
                "{}'s ledger",
                NAMES[place]
            );
        }
        verify(&self.api.db).await.unwrap();
    }
}
