use std::collections::BTreeSet;

use loyalty_api::verify;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::database::OwnDatabase;
use crate::mails::Inbox;
use crate::support::{Api, Visitor, problem};

/// Proves an address nobody has, and gives what joins with it.
async fn form(api: &Api, address: &str) -> Value {
    let visitor = api.visitor();
    let challenge = visitor.challenge(address).await;
    let answer = visitor
        .answer(&challenge, challenge["demo_code"].as_str().unwrap())
        .await;
    filled(&answer.json().await.unwrap())
}

fn filled(proved: &Value) -> Value {
    json!({
        "enrolment_token": proved["enrolment_token"], "name": "  Zoë Nguyễn ", "language": "vi-VN",
        "accepted_terms_version": 2, "consents": {"offers": ["push", "email", "push"], "surveys": []},
        "birthday": "1990-02-28", "store": "main", "referral_code": "FRIEND-7",
    })
}

async fn join(visitor: &Visitor, form: &Value) -> Response {
    visitor.post("/members", form).await
}

#[tokio::test]
async fn whoever_joins_is_signed_in_with_nothing_yet() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let form = form(&api, "zoe@brightleaf.example").await;
    let answer = join(&linh, &form).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    problem(linh.get("/me/status").await, "signed_out").await;
    let zoe = linh.keeping(&answer);
    let member: Value = answer.json().await.unwrap();
    let number = member["number"].as_str().unwrap();
    assert!(number.len() == 12 && !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(
        member,
        json!({"number": number, "name": "Zoë Nguyễn", "since": "2026-11-21", "state": "active", "contact": null,
            "accepted_terms_version": 2})
    );

    let status = zoe.read("/me/status").await;
    assert_eq!(status["member"], member);
    assert_eq!(
        status["balance"],
        json!({"available": 0, "pending": 0, "worth": {"minor": 0, "currency": "EUR"}})
    );
    assert_eq!(
        (&status["tier"]["current"], &status["tier"]["remaining"]),
        (&json!("green"), &json!(800))
    );
    assert_eq!(status["lifetime"]["earned"], 0);
    assert_eq!(zoe.read("/me/ledger").await, json!({"items": [], "next": null}));
    let rewards = zoe.read("/rewards").await;
    assert_eq!(rewards["items"][0]["availability"]["status"], "not_yet");
    verify::verify(&api.db).await.unwrap();

    let (kind, body): (String, String) = sqlx::query_as("select kind, body from outbox")
        .fetch_one(&api.db)
        .await
        .unwrap();
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (kind.as_str(), &event["type"]),
        ("member.joined", &json!("member.joined"))
    );
    let told = json!({"member": number, "since": "2026-11-21", "store": "main", "referral_code": "FRIEND-7",
        "referred_by": null});
    assert_eq!(event["data"], told);
    let kept: (String, String, i64) =
        sqlx::query_as("select language, consents, terms_version from members where email = 'zoe@brightleaf.example'")
            .fetch_one(&api.db)
            .await
            .unwrap();
    assert_eq!(
        kept,
        (
            "vi-VN".to_owned(),
            r#"{"offers":["email","push"],"reminders":[],"surveys":[]}"#.to_owned(),
            2
        )
    );

    problem(join(&api.visitor(), &form).await, "enrolment_expired").await;

    // Whose code it was is told, and the code is read as people type it.
    let code = zoe.read("/me/profile").await["referral_code"]
        .as_str()
        .unwrap()
        .to_lowercase();
    let mut friend = self::form(&api, "max@brightleaf.example").await;
    friend["referral_code"] = format!("{}-{}", &code[..4], &code[4..]).into();
    assert_eq!(join(&api.visitor(), &friend).await.status(), StatusCode::CREATED);
    let bodies: Vec<String> = sqlx::query_scalar("select body from outbox")
        .fetch_all(&api.db)
        .await
        .unwrap();
    let told = bodies.iter().map(|body| serde_json::from_str::<Value>(body).unwrap());
    assert!(told.into_iter().any(|event| event["data"]["referred_by"] == number));
    api.member("zoe").await.read("/me/status").await;
}

#[tokio::test]
async fn every_wrong_field_is_named_and_costs_nothing() {
    let api = Api::start().await;
    let form = form(&api, "zoe@brightleaf.example").await;
    let with = |fields: Value| {
        let mut form = form.clone();
        form.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        form
    };
    let wrong = with(json!({
        "name": " ", "language": "en_GB", "accepted_terms_version": 1, "birthday": "2026-11-22", "store": "moon",
        "referral_code": "",
    }));
    let refused = problem(join(&api.visitor(), &wrong).await, "invalid_fields").await;
    let pointers: BTreeSet<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str())
        .collect();
    let expected = [
        "/name",
        "/language",
        "/accepted_terms_version",
        "/birthday",
        "/store",
        "/referral_code",
    ];
    assert_eq!(pointers, expected.map(Some).into());
    for (pointer, fields) in [
        ("/name", json!({"name": "x".repeat(81)})),
        ("/name", json!({"name": "Zo\u{0}e"})),
        ("/birthday", json!({"birthday": "1899-12-31"})),
        ("/birthday", json!({"birthday": "1990-02-30"})),
        ("/referral_code", json!({"referral_code": "my friend"})),
        ("/consents/telepathy", json!({"consents": {"telepathy": []}})),
        ("/consents/offers/0", json!({"consents": {"offers": ["pigeon"]}})),
        ("/points", json!({"points": 1_000_000})),
    ] {
        let refused = problem(join(&api.visitor(), &with(fields)).await, "invalid_fields").await;
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    let least = json!({
        "enrolment_token": form["enrolment_token"], "name": "x".repeat(80), "language": "en",
        "accepted_terms_version": 2, "consents": {},
    });
    assert_eq!(join(&api.visitor(), &least).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn of_two_at_once_one_joins() {
    let api = Api::start().await;
    let joins: Vec<_> = {
        let form = form(&api, "zoe@brightleaf.example").await;
        (0..8)
            .map(|_| {
                let (visitor, form) = (api.visitor(), form.clone());
                tokio::spawn(async move { join(&visitor, &form).await.status() })
            })
            .collect()
    };
    let mut joined = 0;
    for join in joins {
        joined += i32::from(join.await.unwrap() == StatusCode::CREATED);
    }
    assert_eq!(joined, 1);

    let first = form(&api, "max@brightleaf.example").await;
    api.execute("update challenges set created_at = created_at - 30001")
        .await;
    let second = form(&api, "max@brightleaf.example").await;
    assert_eq!(join(&api.visitor(), &first).await.status(), StatusCode::CREATED);
    problem(join(&api.visitor(), &second).await, "already_member").await;

    let late = form(&api, "late@brightleaf.example").await;
    api.execute("update enrolments set expires_at = 1").await;
    problem(join(&api.visitor(), &late).await, "enrolment_expired").await;
    let (members,): (i64,) = sqlx::query_as("select count(*) from outbox")
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!(members, 2, "each is told once");
}

#[tokio::test]
async fn a_code_comes_by_e_mail_and_lets_anybody_join() {
    let mut inbox = Inbox::open().await;
    let from = "Brightleaf <no-reply@brightleaf.example>";
    let own = OwnDatabase::seeded_as_a_shop().await;
    let api = Api::over(own, &["--smtp-url", &inbox.url, "--mail-from", from]).await;

    let visitor = api.visitor().speaking("fa-IR");
    let challenge = visitor.challenge("zoe@brightleaf.example").await;
    assert!(challenge.get("demo_code").is_none());
    let mail = inbox.next().await;
    assert_eq!(mail.lines[0], "MAIL FROM:<no-reply@brightleaf.example>");
    assert_eq!(mail.lines[1], "RCPT TO:<zoe@brightleaf.example>");
    let text = mail.text();
    assert!(text.contains("Brightleaf") && text.contains("کد شما"), "{text}");

    let proved: Value = visitor.answer(&challenge, &mail.code()).await.json().await.unwrap();
    let joined = join(&visitor, &filled(&proved)).await;
    assert_eq!(joined.status(), StatusCode::CREATED);
    let zoe = visitor.keeping(&joined);
    zoe.read("/me/status").await;

    // A member gets the same mail, and asked again too soon nobody gets any.
    let linh = api.visitor();
    for _ in 0..2 {
        let challenge = linh.challenge("linh@brightleaf.example").await;
        assert!(challenge.get("demo_code").is_none());
    }
    api.visitor().challenge("olga@brightleaf.example").await;
    let mut recipients = [inbox.next().await, inbox.next().await].map(|mail| mail.to().to_owned());
    recipients.sort();
    assert_eq!(
        recipients,
        ["linh", "olga"].map(|name| format!("{name}@brightleaf.example"))
    );
    problem(
        linh.post("/auth/challenges", &json!({"address": "+4930231250"})).await,
        "channel_unavailable",
    )
    .await;
}

#[tokio::test]
async fn callers_behind_a_trusted_proxy_are_limited_one_by_one() {
    let arguments = [
        "--demo-in-public",
        "--burst",
        "8",
        "--trusted-proxies",
        "10.0.0.0/8,127.0.0.1",
    ];
    let api = Api::start_with(&arguments).await;
    let ask = async |forwarded: &'static str| {
        let request = api.visitor().request(Method::GET, "/api/v1/programme");
        request.header("x-forwarded-for", forwarded).send().await.unwrap()
    };
    let mut last = ask("1.1.1.1, 203.0.113.9, 10.0.0.2").await;
    for _ in 0..20 {
        // What a caller writes there themselves changes nothing.
        last = ask("2.2.2.2, 203.0.113.9, 10.0.0.2").await;
    }
    problem(last, "too_many_requests").await;
    assert_eq!(ask("203.0.113.9, 203.0.113.10").await.status(), StatusCode::OK);

    let api = Api::start_with(&["--demo-in-public", "--burst", "8"]).await;
    let mut refused = 0;
    for caller in 0..20 {
        let request = api.visitor().request(Method::GET, "/api/v1/programme");
        let answer = request
            .header("x-forwarded-for", format!("203.0.113.{caller}"))
            .send()
            .await
            .unwrap();
        refused += i32::from(answer.status() == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0, "from anybody else the header is ignored");
}
