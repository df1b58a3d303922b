//! Sixty-four clients who want the same thing at the same time, each asking twice: exactly as many get it as should.
//!
//! On PostgreSQL two servers stand over one database, and the two copies of a request go to different ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crowd;
#[path = "../api/database.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod database;
#[path = "../api/support.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod support;

use loyalty_api::verify::verify;
use serde_json::{Value, json};

use crate::crowd::{Crowd, Outcome, Request};

const CLIENTS: usize = 64;

/// How many got what they asked for.
fn successes(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.status < 300).count()
}

/// How many were refused, and why.
fn refusals(outcomes: &[Outcome], status: u16, code: &str) -> usize {
    let is_so = |outcome: &&Outcome| outcome.status == status && outcome.body["code"] == code;
    outcomes.iter().filter(is_so).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_balance_is_spent_once() {
    const COST: usize = 100;
    const COVERED: usize = 20;
    let crowd = Crowd::gather().await;
    let amir = crowd.sign_in("amir").await;
    crowd.give("730946185207", COVERED * COST + COST / 2).await;
    let mut requests = vec![];
    for _ in 0..CLIENTS {
        let quote = crowd.quote(&amir, &json!({"spend": {"points": COST}})).await;
        requests.push(Request::of_member(&amir, "/redemptions", json!({"quote_id": quote})));
    }
    let outcomes = crowd.send_each_twice(requests).await;
    assert_eq!(successes(&outcomes), COVERED);
    assert_eq!(refusals(&outcomes, 409, "insufficient_balance"), CLIENTS - COVERED);
    let status = crowd.status(&amir).await;
    assert_eq!(status["balance"]["available"], COST / 2);
    assert_eq!(status["lifetime"]["spent"], COVERED * COST);
    assert_eq!(
        crowd
            .count("select count(*) from redemptions where state = 'reserved'")
            .await,
        COVERED
    );
    verify(&crowd.api.db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_redeemed_once() {
    let crowd = Crowd::gather().await;
    let linh = crowd.sign_in("linh").await;
    // The balance would cover all of them.
    let quote = crowd.quote(&linh, &json!({"reward_id": "extra-shot"})).await;
    crowd.give("512102314864", CLIENTS * 50).await;
    let request = Request::of_member(&linh, "/redemptions", json!({"quote_id": quote}));
    let outcomes = crowd.send_each_twice(vec![request; CLIENTS]).await;
    assert_eq!(successes(&outcomes), 1);
    assert_eq!(refusals(&outcomes, 409, "quote_used"), CLIENTS - 1);
    let status = crowd.status(&linh).await;
    assert_eq!(status["balance"]["available"], 1250 + CLIENTS * 50 - 50);
    verify(&crowd.api.db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_piece_has_one_taker() {
    let crowd = Crowd::gather().await;
    let mut requests = vec![];
    for place in 0..CLIENTS {
        let member = crowd.join(place).await;
        crowd.give(&Crowd::number(place), 60).await;
        let quote = crowd.quote(&member, &json!({"reward_id": "extra-shot"})).await;
        requests.push(Request::of_member(&member, "/redemptions", json!({"quote_id": quote})));
    }
    crowd
        .api
        .execute("update rewards set stock = 1 where id = 'extra-shot'")
        .await;
    let outcomes = crowd.send_each_twice(requests).await;
    assert_eq!(successes(&outcomes), 1);
    assert_eq!(refusals(&outcomes, 409, "reward_not_available"), CLIENTS - 1);
    assert_eq!(
        crowd.count("select stock from rewards where id = 'extra-shot'").await,
        0
    );
    let poorer = "select count(*) from members where id like 'client-%' and balance = 60 - 50";
    assert_eq!(crowd.count(poorer).await, 1);
    let as_before = "select count(*) from members where id like 'client-%' and balance = 60";
    assert_eq!(crowd.count(as_before).await, CLIENTS - 1);
    verify(&crowd.api.db).await.unwrap();
}

/// A voucher of 200 points, by its id and code.
async fn voucher(crowd: &Crowd, member: &str) -> (String, String) {
    let quote = crowd.quote(member, &json!({"spend": {"points": 200}})).await;
    let request = Request::of_member(member, "/redemptions", json!({"quote_id": quote}));
    let made = crowd.send_each_twice(vec![request]).await.remove(0);
    assert_eq!(made.status, 201, "{}", made.body);
    let text = |field: &str| made.body[field].as_str().unwrap().to_owned();
    (text("id"), text("code"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_is_used_once() {
    let crowd = Crowd::gather().await;
    let linh = crowd.sign_in("linh").await;
    let (_, code) = voucher(&crowd, &linh).await;
    let capture = format!("/counter/redemptions/{code}/capture");
    // Half of it, so that what comes back would show a second use.
    let basket = json!({"basket": {"minor": 50, "currency": "EUR"}});
    let captures = vec![Request::of_till(&capture, basket); CLIENTS];
    let outcomes = crowd.send_each_twice(captures).await;
    assert_eq!(successes(&outcomes), 1);
    assert_eq!(refusals(&outcomes, 409, "redemption_not_reserved"), CLIENTS - 1);
    assert_eq!(crowd.status(&linh).await["balance"]["available"], 1250 - 100);

    // Used at the till while it is given back at home: one of the two.
    let (id, code) = voucher(&crowd, &linh).await;
    let capture = Request::of_till(&format!("/counter/redemptions/{code}/capture"), json!({}));
    let release = Request::of_member(&linh, &format!("/redemptions/{id}/release"), json!({}));
    let both = [capture, release].iter().cycle().take(CLIENTS).cloned().collect();
    let outcomes = crowd.send_each_twice(both).await;
    assert_eq!(successes(&outcomes), 1);
    let is_released = outcomes.iter().any(|outcome| outcome.body["state"] == "released");
    let left = if is_released { 1250 - 100 } else { 1250 - 100 - 200 };
    assert_eq!(crowd.status(&linh).await["balance"]["available"], left);
    verify(&crowd.api.db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_earned_once_and_returned_once() {
    const PARTS: usize = 8;
    let crowd = Crowd::gather().await;
    let amir = crowd.sign_in("amir").await;
    let euros = |minor: i64| json!({"minor": minor, "currency": "EUR"});
    let receipt = json!({
        "external_id": "kettle",
        "store": "main",
        "occurred_at": support::NOW,
        "total": euros(4000),
        "member": "730946185207",
    });
    let outcomes = crowd
        .send_each_twice(vec![Request::of_till("/purchases", receipt); CLIENTS])
        .await;
    assert_eq!(successes(&outcomes), CLIENTS);
    let first: &Value = &outcomes[0].body;
    assert_eq!(first["points"], 400);
    assert!(
        outcomes.iter().all(|outcome| outcome.body == *first),
        "the first answer for everybody"
    );
    assert_eq!(
        crowd
            .count("select count(*) from purchases where external_id = 'kettle'")
            .await,
        1
    );
    assert_eq!(crowd.status(&amir).await["balance"]["pending"], 400);

    // It comes back in parts, of which there are eight times as many as it has.
    let part = |number: usize| json!({"external_id": number.to_string(), "amount": euros(4000 / 8)});
    let returns = (0..CLIENTS).map(|number| Request::of_till("/purchases/kettle/returns", part(number)));
    let outcomes = crowd.send_each_twice(returns.collect()).await;
    assert_eq!(successes(&outcomes), PARTS);
    assert_eq!(refusals(&outcomes, 422, "return_exceeds_purchase"), CLIENTS - PARTS);
    let status = crowd.status(&amir).await;
    assert_eq!(
        (&status["balance"]["pending"], &status["balance"]["available"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(status["tier"]["qualifying"], 0);
    verify(&crowd.api.db).await.unwrap();
}
