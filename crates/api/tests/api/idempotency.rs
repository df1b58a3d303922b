use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::{AMIR, Api, LINH, Visitor, euros, problem, purchase};

/// Status, language and body, and whether it is said to have been given before.
async fn whole(answer: Response) -> (StatusCode, Option<String>, String, bool) {
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let (status, language) = (answer.status(), header("content-language"));
    let is_replayed = header("idempotency-replayed").as_deref() == Some("true");
    (status, language, answer.text().await.unwrap(), is_replayed)
}

#[tokio::test]
async fn what_moves_points_needs_a_key_of_visible_ascii() {
    let api = Api::start().await;
    let (linh, till, crm) = (api.member("linh").await, api.till(), api.crm());
    let bare = async |whoever: &Visitor, path: &str, key: Option<&[u8]>| {
        let request = whoever
            .request(Method::POST, &format!("/api/v1{path}"))
            .json(&json!({}));
        let request = match key {
            Some(key) => request.header(
                "idempotency-key",
                reqwest::header::HeaderValue::from_bytes(key).unwrap(),
            ),
            None => request,
        };
        request.send().await.unwrap()
    };
    for (whoever, path) in [
        (&till, "/purchases"),
        (&till, "/purchases/1/returns"),
        (&linh, "/redemptions"),
        (&linh, "/redemptions/1/release"),
        (&till, "/counter/redemptions/1/capture"),
        (&till, "/counter/redemptions/1/refund"),
        (&crm, "/counter/adjustments"),
    ] {
        problem(bare(whoever, path, None).await, "idempotency_key_missing").await;
    }
    let longest = "k".repeat(255);
    for key in ["", "a b", "a\tb", "ключ", &format!("{longest}k")] {
        problem(
            bare(&till, "/purchases", Some(key.as_bytes())).await,
            "idempotency_key_missing",
        )
        .await;
    }
    let body = purchase(&api, "1", 100);
    for key in ["!", &longest] {
        assert_eq!(
            till.post_keyed("/purchases", key, &body).await.status(),
            StatusCode::CREATED
        );
    }
}

#[tokio::test]
async fn the_first_answer_comes_again_byte_for_byte() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let persian = linh.clone().speaking("fa");
    let quote = linh.quote(&json!({"reward_id": "small-coffee"})).await;
    let body = json!({"quote_id": quote});
    let mut first = whole(persian.post_keyed("/redemptions", "voucher", &body).await).await;
    assert_eq!(
        (first.0, first.1.as_deref(), first.3),
        (StatusCode::CREATED, Some("fa"), false)
    );
    let voucher: Value = serde_json::from_str(&first.2).unwrap();
    let mut refusal = whole(persian.post_keyed("/redemptions", "used", &body).await).await;
    assert_eq!(
        (refusal.0, refusal.1.as_deref(), refusal.3),
        (StatusCode::CONFLICT, Some("fa"), false)
    );

    // Whatever became of it meanwhile, on whichever device, in whichever language, a day later.
    let path = format!("/redemptions/{}/release", voucher["id"].as_str().unwrap());
    let mut released = whole(linh.post_keyed(&path, "release", &json!({})).await).await;
    api.move_to("2026-11-22T10:00:00Z").await;
    (first.3, refusal.3, released.3) = (true, true, true);
    let elsewhere = api.member("linh").await;
    assert_eq!(
        whole(elsewhere.post_keyed("/redemptions", "voucher", &body).await).await,
        first
    );
    assert_eq!(
        whole(elsewhere.post_keyed("/redemptions", "used", &body).await).await,
        refusal
    );
    assert_eq!(
        whole(elsewhere.post_keyed(&path, "release", &json!({})).await).await,
        released
    );
    assert_eq!(linh.balance().await, (1250, 85));

    // A refusal stays one when the request could be done by now.
    let unknown = json!({"external_id": "r", "amount": euros(1)});
    let mut missing = whole(till.post_keyed("/purchases/later/returns", "r", &unknown).await).await;
    assert_eq!(missing.0, StatusCode::NOT_FOUND);
    till.done("/purchases", &purchase(&api, "later", 100)).await;
    missing.3 = true;
    assert_eq!(
        whole(till.post_keyed("/purchases/later/returns", "r", &unknown).await).await,
        missing
    );
    till.done("/purchases/later/returns", &unknown).await;
    api.verify().await;
}

#[tokio::test]
async fn a_key_is_of_one_request_of_one_caller() {
    let api = Api::start().await;
    let (linh, siti, till) = (api.member("linh").await, api.member("siti").await, api.till());
    let body = purchase(&api, "1", 100);
    assert_eq!(till.post_keyed("/purchases", "k", &body).await.status(), 201);
    let other = purchase(&api, "2", 100);
    problem(
        till.post_keyed("/purchases", "k", &other).await,
        "idempotency_key_reused",
    )
    .await;
    let back = json!({"external_id": "r", "amount": euros(1)});
    problem(
        till.post_keyed("/purchases/1/returns", "k", &back).await,
        "idempotency_key_reused",
    )
    .await;
    assert_eq!(till.post_keyed("/purchases/1/returns", "r", &back).await.status(), 201);
    let query = till.post_keyed("/purchases/1/returns?store=main", "r", &back).await;
    problem(query, "idempotency_key_reused").await;

    for member in [&linh, &siti] {
        let quote = member.quote(&json!({"spend": {"points": 50}})).await;
        let answer = member
            .post_keyed("/redemptions", "k", &json!({"quote_id": quote}))
            .await;
        assert_eq!(answer.status(), 201);
    }
    let given = json!({"member": LINH, "points": 1, "reason": "Sorry"});
    for whoever in [&api.crm(), &api.staff("101").await, &api.staff("900").await] {
        assert_eq!(
            whoever.post_keyed("/counter/adjustments", "k", &given).await.status(),
            201
        );
    }
    // A key is the clerk's own, not their session's.
    let again = api
        .staff("101")
        .await
        .post_keyed("/counter/adjustments", "k", &given)
        .await;
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(linh.balance().await, (1203, 85));
    api.verify().await;
}

#[tokio::test]
async fn what_is_not_an_answer_to_the_request_is_not_kept() {
    let api = Api::start().await;
    let till = api.till();
    let good = purchase(&api, "1", 100);
    let path = "/api/v1/purchases";
    let keyed = |whoever: &Visitor| whoever.request(Method::POST, path).header("idempotency-key", "k");
    let mut elsewhere = good.clone();
    elsewhere["store"] = "harbour".into();
    let mut unknown = good.clone();
    unknown["points"] = 1.into();
    let mut late = good.clone();
    late["occurred_at"] = "2026-11-01T10:00:00Z".into();
    for (request, code) in [
        (
            keyed(&till).header("content-type", "application/json").body("{"),
            "malformed_body",
        ),
        (keyed(&api.visitor()).json(&good), "signed_out"),
        (keyed(&api.crm()).json(&good), "forbidden"),
        (keyed(&till).json(&elsewhere), "forbidden"),
        (keyed(&till).json(&"x".repeat(70_000)), "body_too_large"),
        (keyed(&till).body("external_id=1"), "unsupported_media_type"),
        (keyed(&till).json(&unknown), "invalid_fields"),
        (keyed(&till).json(&late), "invalid_fields"),
        (keyed(&till), "invalid_fields"),
    ] {
        problem(request.send().await.unwrap(), code).await;
    }
    let answer = till.post_keyed("/purchases", "k", &good).await;
    assert_eq!(answer.status(), 201);
    assert!(!answer.headers().contains_key("idempotency-replayed"));
}

#[tokio::test]
async fn of_two_at_once_the_second_is_told_so() {
    let api = Api::start().await;
    let till = api.till();
    let mut body = purchase(&api, "1", 100);
    body["member"] = AMIR.into();
    let is_sqlite = api.db.acquire().await.unwrap().backend_name() == "SQLite";
    let mut held = if is_sqlite {
        api.db.begin_with("begin immediate").await.unwrap()
    } else {
        api.db.begin().await.unwrap()
    };
    let lock = "update members set version = version where name = 'Amir'";
    sqlx::query(AssertSqlSafe(lock)).execute(&mut *held).await.unwrap();
    let (first, second) = tokio::join!(till.post_keyed("/purchases", "k", &body), async {
        // The first one is given time to come to the lock, on which it then waits.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let second = till.post_keyed("/purchases", "k", &body).await;
        held.rollback().await.unwrap();
        second
    });
    assert_eq!(first.status(), 201);
    assert_eq!(second.headers()["retry-after"], "1");
    problem(second, "idempotency_key_in_use").await;
    let again = till.post_keyed("/purchases", "k", &body).await;
    assert_eq!(again.text().await.unwrap(), first.text().await.unwrap());
    assert_eq!(api.member("amir").await.balance().await, (0, 10));
    api.verify().await;
}
