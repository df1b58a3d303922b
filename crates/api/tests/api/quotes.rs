use loyalty_contract::Points;
use loyalty_contract::programme::{Earning, PointValue};
use loyalty_rules::earning::earned;
use loyalty_rules::worth::{cheapest, points_for, worth};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Api, Visitor, problem};

async fn quote(visitor: &Visitor, request: Value) -> Value {
    let answer = visitor.post("/quotes", &request).await;
    assert_eq!(answer.status(), StatusCode::CREATED, "{request}");
    answer.json().await.unwrap()
}

fn euros(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

#[tokio::test(flavor = "multi_thread")]
async fn agree_with_the_rules() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let programme = linh.read("/programme").await;
    let value: PointValue = serde_json::from_value(programme["point_value"].clone()).unwrap();
    let earning: Earning = serde_json::from_value(programme["earning"].clone()).unwrap();
    let now = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    });
    let run = |request: Value| tokio::task::block_in_place(|| now.block_on(quote(&linh, request)));
    runner
        .run(&(50..=1250i64, 0..10_000_000i64), |(points, minor)| {
            let found = run(json!({"spend": {"points": points}}));
            let charged = cheapest(Points(points), &value).unwrap();
            prop_assert_eq!(found["points"].as_i64(), Some(charged.0));
            prop_assert_eq!(
                found["money"]["minor"].as_i64(),
                Some(worth(charged, &value).unwrap().minor)
            );
            prop_assert_eq!(found["balance_after"]["available"].as_i64(), Some(1250 - charged.0));

            let sum = 25 + points % 600;
            let found = run(json!({"spend": {"money": euros(sum)}}));
            prop_assert_eq!(found["points"].as_i64(), Some(points_for(sum, &value).unwrap().0));
            prop_assert_eq!(found["money"]["minor"].as_i64(), Some(sum));

            let found = run(json!({"earn": euros(minor)}));
            let expected = earned(minor, &earning, 1000).unwrap().0;
            prop_assert_eq!(found["points"].as_i64(), Some(expected));
            prop_assert_eq!(found["balance_after"]["pending"].as_i64(), Some(85 + expected));
            prop_assert_eq!(
                found["tier_after"].as_str(),
                Some(if 1215 + expected < 2000 { "silver" } else { "gold" })
            );
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn a_reward_is_quoted_with_its_conditions() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let reward = linh.read("/rewards/sourdough-loaf").await;
    let found = quote(&linh, json!({"reward_id": "sourdough-loaf"})).await;
    assert_eq!(found["points"], reward["cost_points"]);
    assert_eq!(found["conditions"], reward["conditions"]);
    assert_eq!(found["money"], reward["points_worth"]);
    let (kept,): (i64,) = sqlx::query_as("select points from quotes where id = $1")
        .bind(found["quote_id"].as_str().unwrap())
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!(found["points"], kept);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let refused = async |visitor: &Visitor, request: Value, code: &str| {
        problem(visitor.post("/quotes", &request).await, code).await
    };
    for points in [49, 1, 0, -50, i64::MIN] {
        refused(&linh, json!({"spend": {"points": points}}), "below_minimum").await;
    }
    for minor in [24, 0, -100] {
        refused(&linh, json!({"spend": {"money": euros(minor)}}), "below_minimum").await;
    }
    let short = refused(&linh, json!({"spend": {"points": 1252}}), "insufficient_balance").await;
    assert_eq!(
        short["reasons"][0],
        json!({"code": "insufficient_balance", "required": 1252, "available": 1250, "missing": 2})
    );
    refused(&linh, json!({"spend": {"money": euros(i64::MAX)}}), "invalid_fields").await;
    let siti = api.member("siti").await;
    assert_ne!(
        siti.post("/quotes", &json!({"earn": euros(i64::MAX)})).await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    refused(&linh, json!({"earn": euros(-1)}), "invalid_fields").await;
    let foreign = refused(
        &linh,
        json!({"earn": {"minor": 1, "currency": "USD"}}),
        "invalid_fields",
    )
    .await;
    assert_eq!(foreign["errors"][0]["pointer"], "/earn/currency");
    refused(
        &linh,
        json!({"spend": {"money": {"minor": 100, "currency": "USD"}}}),
        "invalid_fields",
    )
    .await;
    refused(&linh, json!({"reward_id": "no-such-thing"}), "not_found").await;
    let gold = refused(&linh, json!({"reward_id": "long-table-dinner"}), "reward_not_available").await;
    assert!(!gold["reasons"].as_array().unwrap().is_empty());

    let olga = api.member("olga").await;
    let below = refused(&olga, json!({"spend": {"points": 100}}), "insufficient_balance").await;
    assert_eq!(below["reasons"][0]["missing"], 140);
    let pavel = api.member("pavel").await;
    for request in [
        json!({"spend": {"points": 100}}),
        json!({"earn": euros(100)}),
        json!({"reward_id": "extra-shot"}),
    ] {
        refused(&pavel, request, "member_paused").await;
    }
    refused(&api.visitor(), json!({"spend": {"points": 100}}), "signed_out").await;
}

#[tokio::test]
async fn a_spend_never_charges_less_than_the_minimum() {
    let api = Api::start().await;
    // 100 points are worth 7 cents, so that 50 are worth three and a half: three, which 43 give already.
    let (document,): (String,) = sqlx::query_as("select document from programme")
        .fetch_one(&api.db)
        .await
        .unwrap();
    let mut programme: Value = serde_json::from_str(&document).unwrap();
    programme["point_value"] = json!({"points": 100, "money": euros(7)});
    programme["min_spend_points"] = json!(50);
    sqlx::query("update programme set revision = revision + 1, document = $1")
        .bind(programme.to_string())
        .execute(&api.db)
        .await
        .unwrap();
    let linh = api.member("linh").await;
    for below in [json!({"points": 50}), json!({"points": 57}), json!({"money": euros(3)})] {
        let answer = linh.post("/quotes", &json!({"spend": below})).await;
        problem(answer, "below_minimum").await;
    }
    for enough in [json!({"points": 58}), json!({"points": 71}), json!({"money": euros(4)})] {
        let found = quote(&linh, json!({"spend": enough})).await;
        assert_eq!((&found["points"], &found["money"]["minor"]), (&json!(58), &json!(4)));
    }
}

#[tokio::test]
async fn a_counters_session_that_is_over_keeps_no_member_out() {
    let api = Api::start().await;
    let answer = api
        .member("linh")
        .await
        .request(Method::POST, "/api/v1/quotes")
        .header("cookie", "loyalty_counter=over")
        .json(&json!({"spend": {"points": 100}}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
}
