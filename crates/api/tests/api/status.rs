use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::Api;

#[tokio::test]
async fn linh_is_the_contracts_example() {
    let api = Api::start().await;
    let mut status = api.member("linh").await.read("/me/status").await;
    assert!(status["as_of"].as_str().unwrap().starts_with("2026-11-21T10:00:"));
    let fields = status.as_object_mut().unwrap();
    fields.remove("as_of");
    fields.remove("last_purchase");
    fields.remove("debt");
    let expected = json!({
        "member": {"number": "512102314864", "name": "Linh", "since": "2023-04-02", "state": "active", "contact": null,
            "accepted_terms_version": 2},
        "balance": {"available": 1250, "pending": 85, "worth": {"minor": 625, "currency": "EUR"}},
        "next_activation": {"points": 85, "at": "2026-12-01T23:00:00Z"},
        "expirations": [{"points": 120, "worth": {"minor": 60, "currency": "EUR"}, "at": "2026-12-31T23:00:00Z"}],
        "tier": {"current": "silver", "valid_until": "2027-03-03T23:00:00Z", "next": "gold", "qualifying": 1215,
                 "threshold": 2000, "remaining": 785,
                 "keep": {"needed": 800, "collected": 1215, "by": "2027-03-03T23:00:00Z", "at_risk": false}},
        "lifetime": {"earned": 4620, "spent": 3100, "expired": 185, "saved": {"minor": 1550, "currency": "EUR"}},
        "unread_messages": 2
    });
    assert_eq!(status, expected);
}

#[tokio::test]
async fn each_sample_member_is_what_they_stand_for() {
    let api = Api::start().await;
    let at_least = |value: &Value, least: i64| assert!(value.as_i64().unwrap() >= least, "{value} < {least}");

    let amir = api.member("amir").await.read("/me/status").await;
    assert_eq!(amir["member"]["since"], "2026-11-21");
    assert_eq!(amir["lifetime"]["earned"], 0);
    assert_eq!(amir["last_purchase"], Value::Null);

    let olga = api.member("olga").await.read("/me/status").await;
    assert_eq!(olga["balance"]["available"], -40);
    assert_eq!(olga["balance"]["worth"]["minor"], 0);
    assert_eq!(olga["debt"]["points"], 40);
    assert_eq!(olga["debt"]["cause"]["kind"], "return");
    assert_eq!(olga["debt"]["cause"]["reference"]["type"], "return");
    assert!(olga["debt"]["cause"]["reason"].is_string());
    let persian = api.member("olga").await.speaking("fa").read("/me/status").await;
    assert_ne!(persian["debt"]["cause"]["reason"], olga["debt"]["cause"]["reason"]);

    let siti = api.member("siti").await.read("/me/status").await;
    assert_eq!(siti["tier"]["current"], "gold");
    assert_eq!(siti["tier"]["next"], Value::Null);
    at_least(&siti["balance"]["available"], 5000);
    assert!(siti["member"]["since"].as_str().unwrap() <= "2020-11-21");
    let (entries,): (i64,) = sqlx::query_as("select entry_count from members where name = 'Siti'")
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert!(entries > 1000, "{entries}");

    let pavel = api.member("pavel").await.read("/me/status").await;
    assert_eq!(pavel["member"]["state"], "paused");
    at_least(&pavel["balance"]["available"], 1);

    let reza = api.member("reza").await.read("/me/status").await;
    assert_eq!(reza["member"]["state"], "managed");
    assert!(reza["member"]["contact"]["name"].is_string());
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let first = linh.get("/me/status").await;
    assert_eq!(first.headers()["cache-control"], "private, no-cache");
    assert_eq!(first.headers()["content-language"], "en");
    let vary: Vec<&str> = first
        .headers()
        .get_all("vary")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert!(vary.join(", ").contains("Cookie, Accept-Language"), "{vary:?}");
    let etag = first.headers()["etag"].clone();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let again = linh
        .request(Method::GET, "/api/v1/me/status")
        .header("if-none-match", &etag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    api.execute("update members set unread_messages = 9 where name = 'Linh'")
        .await;
    let changed = linh
        .request(Method::GET, "/api/v1/me/status")
        .header("if-none-match", &etag)
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
}

#[tokio::test]
async fn points_that_ended_count_no_more_whether_or_not_anything_ran() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    api.execute("update lots set expires_at = 1 where remaining = 120 and member_id = (select id from members where name = 'Linh')").await;
    let status = linh.read("/me/status").await;
    assert_eq!(status["balance"]["available"], 1130);
    assert_eq!(status["lifetime"]["expired"], 305);
}
