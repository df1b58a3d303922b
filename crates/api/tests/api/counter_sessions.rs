use loyalty_api::token;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::database::OwnDatabase;
use crate::support::{Api, Visitor, problem};

const CLERK: (&str, &str) = ("101", "2468");
const MANAGER: (&str, &str) = ("900", "1357");

async fn sign_in(visitor: &Visitor, (staff_code, pin): (&str, &str)) -> Response {
    let body = json!({"store": "main", "staff_code": staff_code, "pin": pin});
    visitor.post("/counter/sessions", &body).await
}

async fn signed_in(visitor: Visitor, who: (&str, &str)) -> Visitor {
    let answer = sign_in(&visitor, who).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    visitor.keeping(&answer)
}

async fn delete(visitor: &Visitor, path: &str) -> Response {
    let request = visitor.request(Method::DELETE, &format!("/api/v1{path}"));
    request.send().await.unwrap()
}

async fn pair(visitor: &Visitor, code: &str) -> Response {
    let body = json!({"pairing_code": code, "name": " Till 1 "});
    visitor.post("/counter/devices", &body).await
}

/// As `loyalty-api staff pair` does for the first device.
async fn allow_pairing(api: &Api, code: &str) {
    let hash = token::hash(code);
    let statement = format!("insert into pairings values ('{hash}', 'main', 9999999999999)");
    api.execute(&statement).await;
}

/// The sample, and not marked as a demo.
async fn shop(arguments: &[&str]) -> Api {
    let api = Api::over(OwnDatabase::seeded_as_a_shop().await, arguments).await;
    allow_pairing(&api, "7K20119X").await;
    api
}

#[tokio::test]
async fn staff_sign_in_work_and_sign_out() {
    let api = Api::start().await;
    let answer = sign_in(&api.visitor(), CLERK).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("loyalty_counter="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "it ends with the browser: {cookie}"
    );
    let clerk = api.visitor().keeping(&answer);
    let session: Value = answer.json().await.unwrap();
    assert_eq!(session["name"], "Nadia");
    assert_eq!((&session["role"], &session["store"]), (&json!("clerk"), &json!("main")));
    assert!(
        session["idle_until"]
            .as_str()
            .unwrap()
            .starts_with("2026-11-21T10:15:0"),
        "{session}"
    );
    assert_eq!(clerk.read("/counter/sessions/current").await["name"], "Nadia");

    problem(clerk.post("/counter/pairings", &json!({})).await, "forbidden").await;
    problem(clerk.get("/counter/devices").await, "forbidden").await;
    let from_elsewhere = api
        .client
        .delete(format!("{}/api/v1/counter/sessions/current", api.base));
    let from_elsewhere = from_elsewhere.header("cookie", clerk.cookie()).send().await.unwrap();
    problem(from_elsewhere, "forbidden").await;

    let out = delete(&clerk, "/counter/sessions/current").await;
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    problem(clerk.get("/counter/sessions/current").await, "signed_out").await;

    let clerk = signed_in(api.visitor(), CLERK).await;
    api.execute("update staff_sessions set seen_at = seen_at - 600000")
        .await;
    clerk.read("/counter/sessions/current").await;
    api.execute("update staff_sessions set seen_at = seen_at - 600000")
        .await;
    clerk.read("/counter/sessions/current").await;
    api.execute("update staff_sessions set seen_at = seen_at - 900000")
        .await;
    problem(clerk.get("/counter/sessions/current").await, "signed_out").await;

    let clerk = signed_in(api.visitor(), CLERK).await;
    api.execute("update staff set disabled_at = 1 where code = '101'").await;
    problem(clerk.get("/counter/sessions/current").await, "signed_out").await;
    problem(sign_in(&api.visitor(), CLERK).await, "pin_wrong").await;
}

#[tokio::test]
async fn wrong_pins_have_to_wait_longer_and_longer() {
    let api = Api::start().await;
    let visitor = api.visitor();
    for code in ["101", "nobody"] {
        for _ in 0..4 {
            problem(sign_in(&visitor, (code, "1111")).await, "pin_wrong").await;
        }
        for wait in [30, 60] {
            let locked = sign_in(&visitor, (code, "1111")).await;
            assert_eq!(locked.headers()["retry-after"], wait.to_string().as_str());
            problem(locked, "too_many_attempts").await;
            let right = problem(sign_in(&visitor, (code, CLERK.1)).await, "too_many_attempts").await;
            let left = right["retry_after_s"].as_i64().unwrap();
            assert!((wait - 5..=wait).contains(&left), "{right}");
            api.execute(&format!("update pin_guesses set at = at - {wait}001"))
                .await;
        }
    }
    signed_in(api.visitor(), MANAGER).await;
    signed_in(api.visitor(), CLERK).await;
    problem(sign_in(&visitor, ("101", "1111")).await, "pin_wrong").await;

    for (field, body) in [
        ("/pin", json!({"store": "main", "staff_code": "101", "pin": "12"})),
        (
            "/pin",
            json!({"store": "main", "staff_code": "101", "pin": "x".repeat(4000)}),
        ),
        ("/store", json!({"store": "main\0", "staff_code": "101", "pin": "1111"})),
        ("/staff_code", json!({"store": "main", "staff_code": "", "pin": "1111"})),
    ] {
        let refused = problem(visitor.post("/counter/sessions", &body).await, "invalid_fields").await;
        assert_eq!(refused["errors"][0]["pointer"], field);
    }
}

#[tokio::test]
async fn wrong_pins_at_once_are_counted_one_by_one() {
    let api = Api::start().await;
    let guesses: Vec<_> = (0..20)
        .map(|_| {
            let visitor = api.visitor();
            tokio::spawn(async move { sign_in(&visitor, ("101", "1111")).await.json::<Value>().await.unwrap() })
        })
        .collect();
    let mut looked_at = 0;
    for guess in guesses {
        looked_at += i32::from(guess.await.unwrap()["code"] == "pin_wrong");
    }
    assert_eq!(looked_at, 4);
}

#[tokio::test]
async fn staff_sign_in_on_paired_devices_only() {
    let api = shop(&[]).await;
    problem(sign_in(&api.visitor(), MANAGER).await, "device_not_paired").await;

    let paired = pair(&api.visitor(), " 7k2o-il9x ").await;
    assert_eq!(paired.status(), StatusCode::CREATED);
    let cookie = paired.headers()["set-cookie"].to_str().unwrap();
    for part in [
        "loyalty_device=",
        "; Max-Age=34560000",
        "; HttpOnly",
        "; SameSite=Strict",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let first = api.visitor().keeping(&paired);
    let device: Value = paired.json().await.unwrap();
    assert_eq!((&device["name"], &device["store"]), (&json!("Till 1"), &json!("main")));
    problem(pair(&api.visitor(), "7K20119X").await, "pairing_expired").await;

    let elsewhere = json!({"store": "harbour", "staff_code": "900", "pin": "1357"});
    problem(first.post("/counter/sessions", &elsewhere).await, "device_not_paired").await;
    let from_elsewhere = api.client.post(format!("{}/api/v1/counter/sessions", api.base));
    let from_elsewhere = from_elsewhere.header("cookie", first.cookie()).json(&elsewhere);
    problem(from_elsewhere.send().await.unwrap(), "forbidden").await;

    let manager = signed_in(first, MANAGER).await;
    assert!(manager.cookie().contains("loyalty_device="), "{}", manager.cookie());
    let pairing: Value = manager
        .post("/counter/pairings", &json!({}))
        .await
        .json()
        .await
        .unwrap();
    let code = pairing["pairing_code"].as_str().unwrap().to_lowercase();
    let paired = pair(&api.visitor(), &code).await;
    let clerk = signed_in(api.visitor().keeping(&paired), CLERK).await;
    clerk.read("/counter/sessions/current").await;

    let page = manager.read("/counter/devices?limit=1").await;
    let rest = manager
        .read(&format!("/counter/devices?after={}", page["next"].as_str().unwrap()))
        .await;
    let ids: Vec<_> = [&page, &rest]
        .map(|page| page["items"][0]["id"].as_str().unwrap())
        .into();
    assert_eq!((ids[0], &rest["next"]), (device["id"].as_str().unwrap(), &Value::Null));
    assert_ne!(ids[0], ids[1]);
    problem(manager.get("/counter/devices?after=%00").await, "invalid_fields").await;

    api.execute("insert into devices values ('d1', 'harbour', 'Till', 'none', 1, null)")
        .await;
    for id in ["d1", "unknown", "%00"] {
        problem(delete(&manager, &format!("/counter/devices/{id}")).await, "not_found").await;
    }
    problem(
        delete(&clerk, &format!("/counter/devices/{}", ids[1])).await,
        "forbidden",
    )
    .await;
    let gone = delete(&manager, &format!("/counter/devices/{}", ids[1])).await;
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    problem(clerk.get("/counter/sessions/current").await, "signed_out").await;
    problem(sign_in(&clerk, CLERK).await, "device_not_paired").await;
    manager.read("/counter/sessions/current").await;
}

#[tokio::test]
async fn pairing_codes_end_and_cannot_be_guessed() {
    // One proxy in front, so that each of its callers has tries of their own.
    let api = shop(&["--trusted-proxies", "127.0.0.1"]).await;
    let try_from = |address: &'static str, code: &str| {
        let request = api.visitor().request(Method::POST, "/api/v1/counter/devices");
        let request = request.header("x-forwarded-for", address);
        request.json(&json!({"pairing_code": code, "name": "Till"})).send()
    };
    for _ in 0..20 {
        problem(try_from("203.0.113.9", "00000000").await.unwrap(), "pairing_expired").await;
    }
    let locked = problem(try_from("203.0.113.9", "7K20119X").await.unwrap(), "too_many_attempts").await;
    assert!(
        (590..=600).contains(&locked["retry_after_s"].as_i64().unwrap()),
        "{locked}"
    );
    assert_eq!(
        try_from("203.0.113.10", "7K20119X").await.unwrap().status(),
        StatusCode::CREATED
    );

    allow_pairing(&api, "00000001").await;
    api.execute("update pairings set expires_at = 1").await;
    problem(try_from("203.0.113.10", "00000001").await.unwrap(), "pairing_expired").await;
    let refused = problem(pair(&api.visitor(), "short").await, "invalid_fields").await;
    assert_eq!(refused["errors"][0]["pointer"], "/pairing_code");
}
