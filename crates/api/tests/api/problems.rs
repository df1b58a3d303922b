use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Api, problem};

#[tokio::test]
async fn bad_requests_get_clear_answers() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let send = |body: &'static str, content_type: &'static str| {
        linh.request(Method::POST, "/api/v1/quotes")
            .header("content-type", content_type)
            .body(body)
            .send()
    };
    for broken in ["", "{", "\u{feff}{}", "{'spend': 1}", "nonsense"] {
        problem(send(broken, "application/json").await.unwrap(), "malformed_body").await;
    }
    for wrong in [
        "[]",
        "{}",
        "null",
        r#"{"steal": 1}"#,
        r#"{"spend": {"points": 100}, "reward_id": "extra-shot"}"#,
    ] {
        problem(send(wrong, "application/json").await.unwrap(), "invalid_fields").await;
    }
    problem(send("{}", "text/plain").await.unwrap(), "unsupported_media_type").await;

    let field = linh
        .post("/quotes", &json!({"earn": {"minor": 1, "currency": "EUR", "tip": 1}}))
        .await;
    assert_eq!(
        problem(field, "invalid_fields").await["errors"][0]["pointer"],
        "/earn/tip"
    );
    let field = linh
        .post("/auth/challenges", &json!({"address": "a@b.example", "agree": true}))
        .await;
    assert_eq!(problem(field, "invalid_fields").await["errors"][0]["pointer"], "/agree");
    let fraction = linh.post("/quotes", &json!({"spend": {"points": 12.5}})).await;
    assert_eq!(
        problem(fraction, "invalid_fields").await["errors"][0]["pointer"],
        "/spend/points"
    );

    let large = "x".repeat(65 * 1024);
    let answer = linh
        .request(Method::POST, "/api/v1/quotes")
        .header("content-type", "application/json")
        .body(large);
    problem(answer.send().await.unwrap(), "body_too_large").await;

    problem(linh.get("/no/such/path").await, "not_found").await;
    let put = linh.request(Method::PUT, "/api/v1/me/status").send().await.unwrap();
    assert_eq!(put.headers()["allow"], "GET,HEAD");
    problem(put, "method_not_allowed").await;
    for (path, code) in [
        ("/media/nothing.svg", "not_found"),
        ("/media/%ff.svg", "malformed_query"),
        ("/api/v1/rewards/%ff", "malformed_query"),
        ("/api/v1/rewards?q=%ff", "malformed_query"),
    ] {
        let answer = linh.request(Method::GET, path).send().await.unwrap();
        problem(answer, code).await;
    }
}

#[tokio::test]
async fn titles_come_in_five_languages() {
    let api = Api::start().await;
    let mut titles = BTreeSet::new();
    for language in ["en", "vi-VN, en;q=0.5", "ru", "ms", "fa-IR", "xx"] {
        let answer = api.visitor().speaking(language).get("/me/status").await;
        assert_eq!(
            answer.headers()["content-language"],
            if language == "xx" { "en" } else { &language[..2] }
        );
        titles.insert(problem(answer, "signed_out").await["title"].to_string());
    }
    assert_eq!(
        titles.len(),
        5,
        "an unknown language is answered in English: {titles:?}"
    );
}

#[tokio::test]
async fn a_flood_from_one_address_is_told_to_wait() {
    let api = Api::start_with(&["--burst", "200"]).await;
    let visitor = api.visitor();
    for _ in 0..200 {
        assert_eq!(visitor.get("/programme").await.status(), StatusCode::OK);
    }
    let mut last = visitor.get("/programme").await;
    for _ in 0..100 {
        if last.status() == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        last = visitor.get("/programme").await;
    }
    assert!(last.headers().contains_key("retry-after"));
    problem(last, "too_many_requests").await;
    let watched = api.client.get(format!("{}/healthz", api.base)).send().await.unwrap();
    assert_eq!(
        watched.status(),
        StatusCode::OK,
        "whoever watches over it is not limited"
    );
}

#[tokio::test]
async fn every_answer_keeps_a_browser_out_of_trouble() {
    let api = Api::start().await;
    for path in [
        "/healthz",
        "/readyz",
        "/api/v1/programme",
        "/api/v1/nothing",
        "/nothing",
    ] {
        let answer = api.client.get(format!("{}{path}", api.base)).send().await.unwrap();
        let headers = answer.headers();
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'; script-src 'self'")
        );
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert!(
            headers.contains_key("permissions-policy") && headers.contains_key("referrer-policy"),
            "{path}"
        );
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin", "{path}");
    }
}

#[tokio::test]
async fn a_demo_stays_on_this_machine() {
    let api = Api::start().await;
    for (name, value) in [
        ("host", "wallet.example"),
        ("host", "192.168.1.2:8080"),
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
    ] {
        let answer = api
            .client
            .get(format!("{}/api/v1/programme", api.base))
            .header(name, value)
            .send()
            .await
            .unwrap();
        problem(answer, "forbidden").await;
    }
    let public = Api::start_with(&["--demo-in-public"]).await;
    let answer = public
        .client
        .get(format!("{}/api/v1/programme", public.base))
        .header("host", "wallet.example");
    assert_eq!(
        answer
            .header("x-forwarded-for", "10.0.0.1")
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_programme_comes_in_ones_language_and_once() {
    let api = Api::start().await;
    let english = api.visitor().get("/programme").await;
    let etag = english.headers()["etag"].clone();
    assert!(
        english.headers()["cache-control"]
            .to_str()
            .unwrap()
            .starts_with("public")
    );
    let english: serde_json::Value = english.json().await.unwrap();
    let persian = api.visitor().speaking("fa").get("/programme").await;
    assert_eq!(persian.headers()["content-language"], "fa");
    assert_eq!(
        persian.headers()["vary"]
            .to_str()
            .unwrap()
            .to_lowercase()
            .split(", ")
            .next(),
        Some("accept-language")
    );
    assert_ne!(persian.headers()["etag"], etag);
    let persian: serde_json::Value = persian.json().await.unwrap();
    assert_ne!(persian["promise"], english["promise"]);
    assert_eq!(persian["demo"], true);
    let again = api
        .visitor()
        .request(Method::GET, "/api/v1/programme")
        .header("if-none-match", etag);
    assert_eq!(again.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
}
