use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Api, problem};

fn wrong(challenge: &Value) -> String {
    let code: u32 = challenge["demo_code"].as_str().unwrap().parse().unwrap();
    format!("{:06}", (code + 1) % 1_000_000)
}

#[tokio::test]
async fn asking_tells_nobody_who_is_a_member() {
    let api = Api::start().await;
    let visitor = api.visitor();
    let known = visitor.challenge("linh@brightleaf.example").await;
    let unknown = visitor.challenge("nobody@brightleaf.example").await;
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&known), fields(&unknown));
    let answer = visitor.answer(&unknown, unknown["demo_code"].as_str().unwrap()).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert!(answer.headers().get("set-cookie").is_none());
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["state"], "new");
    assert!(answer["enrolment_token"].as_str().unwrap().len() > 40);
}

#[tokio::test]
async fn a_code_signs_in_once_and_signing_out_ends_it() {
    let api = Api::start().await;
    let visitor = api.visitor();
    let challenge = visitor.challenge("  LINH@brightleaf.example").await;
    let code = challenge["demo_code"].as_str().unwrap();
    let answer = visitor
        .answer(&challenge, &format!(" {} {}", &code[..3], &code[3..]))
        .await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in [
        "loyalty_session=",
        "; HttpOnly",
        "; SameSite=Strict",
        "; Path=/",
        "; Max-Age=7776000",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "over http a Secure cookie would be dropped");
    let (secrets,): (i64,) = sqlx::query_as("select count(*) from sessions where token_hash = $1")
        .bind(cookie.split(['=', ';']).nth(1).unwrap())
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!(secrets, 0, "only a hash is kept");
    problem(visitor.answer(&challenge, code).await, "challenge_expired").await;

    let linh = api.member("linh").await;
    let out = linh
        .request(Method::DELETE, "/api/v1/auth/sessions/current")
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    problem(linh.get("/me/status").await, "signed_out").await;
}

#[tokio::test]
async fn over_https_the_cookie_belongs_to_this_host_alone() {
    let api = Api::start_with(&["--public-url", "https://wallet.example", "--demo-in-public"]).await;
    let linh = api.member("linh").await;
    assert!(linh.cookie().starts_with("__Host-loyalty_session="));
    linh.read("/me/status").await;
    let quote = json!({"spend": {"points": 100}});
    let request = |origin: &str| {
        let request = api
            .client
            .post(format!("{}/api/v1/quotes", api.base))
            .header("cookie", linh.cookie());
        request.header("origin", origin.to_owned()).json(&quote).send()
    };
    assert_eq!(
        request("https://wallet.example").await.unwrap().status(),
        StatusCode::CREATED
    );
    problem(request("https://evil.example").await.unwrap(), "forbidden").await;
    let answer = api.client.get(format!("{}/healthz", api.base)).send().await.unwrap();
    assert!(answer.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_write_from_another_site_is_refused() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let quote = json!({"spend": {"points": 100}});
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("x-nothing", "1"),
    ] {
        let request = api
            .client
            .post(format!("{}/api/v1/quotes", api.base))
            .header("cookie", linh.cookie());
        problem(
            request.header(name, value).json(&quote).send().await.unwrap(),
            "forbidden",
        )
        .await;
    }
    let request = api
        .client
        .post(format!("{}/api/v1/quotes", api.base))
        .header("cookie", linh.cookie());
    let same_host = request.header("origin", &api.base).json(&quote).send().await.unwrap();
    assert_eq!(same_host.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn asked_again_too_soon_nothing_new_is_sent() {
    let api = Api::start().await;
    let visitor = api.visitor();
    let first = visitor.challenge("linh@brightleaf.example").await;
    let again = visitor.challenge("linh@brightleaf.example").await;
    assert_eq!(again["challenge_id"], first["challenge_id"]);
    assert_eq!(again["demo_code"], first["demo_code"]);
    assert!((1..=30).contains(&again["resend_after_s"].as_i64().unwrap()));

    api.execute("update challenges set created_at = created_at - 30001")
        .await;
    let later = visitor.challenge("linh@brightleaf.example").await;
    assert_ne!(later["challenge_id"], first["challenge_id"]);
    let old = visitor.answer(&first, first["demo_code"].as_str().unwrap()).await;
    problem(old, "challenge_expired").await;
    assert_eq!(
        visitor
            .answer(&later, later["demo_code"].as_str().unwrap())
            .await
            .status(),
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn wrong_codes_are_counted() {
    let api = Api::start().await;
    let visitor = api.visitor();
    for _ in 0..3 {
        let challenge = visitor.challenge("linh@brightleaf.example").await;
        for _ in 0..5 {
            problem(visitor.answer(&challenge, &wrong(&challenge)).await, "code_wrong").await;
        }
        let right = visitor
            .answer(&challenge, challenge["demo_code"].as_str().unwrap())
            .await;
        problem(right, "challenge_expired").await;
    }
    let challenge = visitor.challenge("linh@brightleaf.example").await;
    let right = visitor
        .answer(&challenge, challenge["demo_code"].as_str().unwrap())
        .await;
    assert!(right.headers().contains_key("retry-after"));
    let locked = problem(right, "too_many_attempts").await;
    assert!(
        (3500..=3600).contains(&locked["retry_after_s"].as_i64().unwrap()),
        "{locked}"
    );
    api.member("olga").await;
    api.execute("update wrong_guesses set at = at - 3600001").await;
    api.member("linh").await;
}

#[tokio::test]
async fn wrong_codes_at_once_are_counted_one_by_one() {
    let api = Api::start().await;
    let visitor = api.visitor();
    let challenge = visitor.challenge("linh@brightleaf.example").await;
    let code = wrong(&challenge);
    let guesses: Vec<_> = (0..20)
        .map(|_| {
            let (visitor, challenge, code) = (visitor.clone(), challenge.clone(), code.clone());
            tokio::spawn(async move { visitor.answer(&challenge, &code).await.json::<Value>().await.unwrap() })
        })
        .collect();
    let mut counted = 0;
    for guess in guesses {
        counted += i32::from(guess.await.unwrap()["code"] == "code_wrong");
    }
    assert_eq!(counted, 5);
}

#[tokio::test]
async fn a_code_ends_and_serves_its_purpose_only() {
    let api = Api::start().await;
    let visitor = api.visitor();
    let challenge = visitor.challenge("linh@brightleaf.example").await;
    api.execute("update challenges set expires_at = 1").await;
    let late = visitor
        .answer(&challenge, challenge["demo_code"].as_str().unwrap())
        .await;
    problem(late, "challenge_expired").await;
    for unknown in ["", "made-up", "made up", "nul\0", "\u{202e}"] {
        let answer = visitor.answer(&json!({"challenge_id": unknown}), "123456").await;
        problem(answer, "challenge_expired").await;
    }

    let body = json!({"address": "linh@brightleaf.example", "purpose": "leave"});
    let leave: Value = visitor.post("/auth/challenges", &body).await.json().await.unwrap();
    let other = visitor.answer(&leave, leave["demo_code"].as_str().unwrap()).await;
    problem(other, "challenge_expired").await;
}

#[tokio::test]
async fn an_address_must_be_one_that_can_be_sent_to() {
    let api = Api::start().await;
    let visitor = api.visitor();
    let refused = visitor.post("/auth/challenges", &json!({"address": "linh"})).await;
    assert_eq!(
        problem(refused, "invalid_fields").await["errors"][0]["pointer"],
        "/address"
    );
    let phone = visitor
        .post("/auth/challenges", &json!({"address": "+493023125000"}))
        .await;
    problem(phone, "channel_unavailable").await;
    let challenge = visitor.challenge("linh@brightleaf.example").await;
    let short = visitor.answer(&challenge, "12345").await;
    assert_eq!(problem(short, "invalid_fields").await["errors"][0]["pointer"], "/code");
}

#[tokio::test]
async fn signing_in_over_a_session_ends_it() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let elsewhere = api.member("olga").await;
    api.execute("update challenges set created_at = created_at - 30001")
        .await;
    let challenge = linh.challenge("olga@brightleaf.example").await;
    let answer = linh.answer(&challenge, challenge["demo_code"].as_str().unwrap()).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    problem(linh.get("/me/status").await, "signed_out").await;
    elsewhere.read("/me/status").await;
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let api = Api::start().await;
    let old = api.member("linh").await;
    let visitor = api.visitor();
    let new = visitor.challenge("nobody@brightleaf.example").await;
    problem(visitor.answer(&new, &wrong(&new)).await, "code_wrong").await;
    visitor.answer(&new, new["demo_code"].as_str().unwrap()).await;
    for ends in [
        "challenges set expires_at",
        "enrolments set expires_at",
        "sessions set expires_at",
        "wrong_guesses set at",
    ] {
        api.execute(&format!("update {ends} = 1")).await;
    }
    api.member("olga").await;
    for (table, left) in [
        ("challenges", 1),
        ("enrolments", 0),
        ("sessions", 1),
        ("wrong_guesses", 0),
    ] {
        let (count,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
            .fetch_one(&api.db)
            .await
            .unwrap();
        assert_eq!(count, left, "{table}");
    }
    problem(old.get("/me/status").await, "signed_out").await;
}
