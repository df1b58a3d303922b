use std::collections::BTreeMap;

use chrono::TimeDelta;
use loyalty_api::clock::{from_millis, millis};
use loyalty_contract::Instant;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::{AMIR, Api, NOW, problem};

async fn numbers(api: &Api, statement: &str) -> Vec<i64> {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned()))
        .fetch_all(&api.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn months_pass_in_a_second() {
    let api = Api::start().await;
    let clock = async |at: &str| api.visitor().post("/demo/clock", &json!({"now": at})).await;
    for (at, available, pending, expired, tier) in [
        // Eighty-five activate at midnight in Berlin.
        ("2026-12-01T22:59:58Z", 1250, 85, 185, "silver"),
        ("2026-12-01T23:00:00Z", 1335, 0, 185, "silver"),
        // A hundred and twenty end with the year.
        ("2026-12-31T22:59:58Z", 1335, 0, 185, "silver"),
        ("2026-12-31T23:00:00Z", 1215, 0, 305, "silver"),
        // The tier is confirmed for what was collected, and a year later it is not.
        ("2027-03-03T23:00:00Z", 1215, 0, 305, "silver"),
        ("2028-03-03T22:59:58Z", 0, 0, 1520, "silver"),
        ("2028-03-03T23:00:00Z", 0, 0, 1520, "green"),
    ] {
        let answer = clock(at).await;
        assert_eq!(answer.status(), 200, "{at}");
        let linh = api.member("linh").await;
        let status = linh.read("/me/status").await;
        let found = json!([
            status["balance"]["available"],
            status["balance"]["pending"],
            status["lifetime"]["expired"],
            status["tier"]["current"]
        ]);
        assert_eq!(found, json!([available, pending, expired, tier]), "{at}");
    }
    for wrong in [NOW, "2400-01-01T00:00:00Z"] {
        let found = problem(clock(wrong).await, "invalid_fields").await;
        assert_eq!(found["errors"][0]["pointer"], "/now");
    }
    api.verify().await;
}

#[tokio::test]
async fn what_ends_is_told_a_month_before_and_written_down_at_its_instant() {
    let api = Api::start().await;
    let mut at: Instant = NOW.parse().unwrap();
    let lots = "select distinct l.expires_at from lots l join members m on m.id = l.member_id
                where m.name = 'Linh' and l.remaining > 0 order by l.expires_at";
    let ends = numbers(&api, lots).await;
    let of_linh = "join members m on m.id = x.member_id where m.name = 'Linh'";
    let notices = format!("select x.id, x.at, body from outbox x {of_linh} and kind = 'points.expiring' order by at");
    // Read as they come, since they are not kept for ever.
    let mut told: BTreeMap<String, i64> = BTreeMap::new();
    for _ in 0..55 {
        at += TimeDelta::days(9);
        api.move_to(&at.to_rfc3339()).await;
        let notices: Vec<(String, i64, String)> = sqlx::query_as(AssertSqlSafe(notices.clone()))
            .fetch_all(&api.db)
            .await
            .unwrap();
        for (id, told_at, body) in notices {
            let body: Value = serde_json::from_str(&body).unwrap();
            let end: Instant = body["data"]["expires_at"].as_str().unwrap().parse().unwrap();
            let before = end - from_millis(told_at);
            assert!((20..=30).contains(&before.num_days()), "{body}");
            told.insert(id, millis(end));
        }
    }
    let mut told: Vec<i64> = told.into_values().collect();
    told.sort_unstable();
    assert_eq!(told, ends);
    let start = millis(NOW.parse().unwrap());
    let entries = format!("select x.at from entries x {of_linh} and kind = 'expire' and x.at > {start} order by x.at");
    assert_eq!(numbers(&api, &entries).await, ends);
    api.verify().await;
}

#[tokio::test]
async fn any_number_of_servers_do_what_is_due_once() {
    let api = Api::start().await;
    let other = api.another_server().await;
    let siti = api.member("siti").await;
    api.till().sells(&api, AMIR, "1", 5000).await;
    let vouchers = [siti.redeem(50).await, siti.redeem(700).await];
    let mut at = api.clock().now();
    for _ in 0..16 {
        at += TimeDelta::days(25);
        assert!(api.clock().move_to(at) && other.app().clock().move_to(at));
        let (one, two) = tokio::join!(api.attend(), other.app().attend_all());
        one.unwrap();
        two.unwrap();
    }
    // One entry for each member and instant at which something ended.
    let most = numbers(
        &api,
        "select count(*) from entries where kind = 'expire' group by member_id, at order by count(*) desc limit 1",
    )
    .await;
    assert_eq!(most, [1]);
    for voucher in &vouchers {
        let id = voucher["id"].as_str().unwrap();
        let releases = format!("select count(*) from entries where kind = 'release' and redemption_id = '{id}'");
        assert_eq!(numbers(&api, &releases).await, [1]);
    }
    api.verify().await;
    other.stop().await.unwrap();
}
