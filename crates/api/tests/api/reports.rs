use serde_json::{Value, json};

use crate::commands::{check_fails, loyalty_api};
use crate::database::OwnDatabase;
use crate::mails::Inbox;
use crate::support::{Api, problem};

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_kept_told_and_closed() {
    let own = OwnDatabase::seeded().await;
    let url = own.url.clone();
    let api = Api::over(own, &["--demo", "--clock", crate::support::NOW]).await;
    let (linh, siti) = (api.member("linh").await, api.member("siti").await);
    let entry = linh.read("/me/ledger?limit=1").await["items"][0]["id"].clone();
    let new = json!({"entry_id": entry, "text": " I paid €18.40.\r\nNot €14.80. "});
    let made = linh.post_keyed("/me/reports", "once", &new).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let reference = made["reference"].as_str().unwrap();
    assert!(reference.len() == 6 && reference.chars().all(|digit| digit.is_ascii_alphanumeric()));
    let again: Value = linh.post_keyed("/me/reports", "once", &new).await.json().await.unwrap();
    assert_eq!(again, made);

    let found = linh.read("/me/reports").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let report = &found["items"][0];
    assert_eq!(
        (&report["text"], &report["entry_id"]),
        (&json!("I paid €18.40.\nNot €14.80."), &entry)
    );
    assert_eq!(
        (&report["reference"], &report["closed_at"]),
        (&made["reference"], &Value::Null)
    );
    assert_eq!(siti.read("/me/reports").await["items"], json!([]));
    let bodies: Vec<String> = sqlx::query_scalar("select body from outbox where kind = 'report.created'")
        .fetch_all(&api.db)
        .await
        .unwrap();
    let body: Value = serde_json::from_str(&bodies[0]).unwrap();
    let expected = json!({"member": crate::support::LINH, "report": made["report_id"], "reference": reference,
        "entry": entry, "redemption": null});
    assert_eq!(
        (bodies.len(), &body["data"]),
        (1, &expected),
        "what they wrote is not told"
    );

    let command = |arguments: &[&str]| {
        let output = loyalty_api(&[&["--database-url", &url, "reports"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(command(&["list"]).contains("I paid €18.40. Not €14.80."));
    let closed = command(&["close", &reference.to_lowercase()]);
    assert_eq!(closed.trim(), format!("The report {reference} is closed."));
    assert!(!command(&["list"]).contains(reference) && command(&["list", "--all"]).contains(reference));
    check_fails(
        &["--database-url", &url, "reports", "close", reference],
        "could still be closed",
    );
    assert!(linh.read("/me/reports").await["items"][0]["closed_at"].is_string());
}

#[tokio::test]
async fn only_what_is_ones_own_is_reported_and_not_without_end() {
    let api = Api::start().await;
    let (linh, siti) = (api.member("linh").await, api.member("siti").await);
    let entry = siti.read("/me/ledger?limit=1").await["items"][0]["id"].clone();
    let voucher = siti.redeem(100).await["id"].clone();
    for (new, pointer) in [
        (json!({"text": " \n "}), "/text"),
        (json!({"text": "a\u{0}b"}), "/text"),
        (json!({"text": "é".repeat(1001)}), "/text"),
        (json!({"text": "?", "entry_id": entry}), "/entry_id"),
        (json!({"text": "?", "entry_id": "a\u{0}b"}), "/entry_id"),
        (json!({"text": "?", "redemption_id": voucher}), "/redemption_id"),
    ] {
        let found = problem(linh.post_once("/me/reports", &new).await, "invalid_fields").await;
        assert_eq!(found["errors"][0]["pointer"], pointer, "{found}");
    }
    siti.done(
        "/me/reports",
        &json!({"text": "?", "entry_id": entry, "redemption_id": voucher}),
    )
    .await;
    let tries: Vec<_> = (0..30)
        .map(|_| {
            let linh = linh.clone();
            tokio::spawn(async move {
                let new = json!({"text": "é".repeat(1000)});
                linh.post_once("/me/reports", &new).await.status().as_u16()
            })
        })
        .collect();
    let mut statuses = vec![];
    for one in tries {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[201; 20].as_slice(), &[429; 10]].concat());
    let refused = linh.post_once("/me/reports", &json!({"text": "?"})).await;
    assert_eq!(refused.headers()["retry-after"].to_str().unwrap().len(), 5);
    problem(refused, "too_many_requests").await;
    problem(
        api.visitor().post_once("/me/reports", &json!({"text": "?"})).await,
        "signed_out",
    )
    .await;
}

#[tokio::test]
async fn the_shop_gets_it_by_mail() {
    let mut inbox = Inbox::open().await;
    let own = OwnDatabase::seeded_as_a_shop().await;
    let from = "Brightleaf <no-reply@brightleaf.example>";
    let api = Api::over(own, &["--smtp-url", &inbox.url, "--mail-from", from]).await;
    let linh = api.visitor();
    let challenge = linh.challenge("linh@brightleaf.example").await;
    let answer = linh.answer(&challenge, &inbox.next().await.code()).await;
    let linh = linh.keeping(&answer);
    let made = linh.done("/me/reports", &json!({"text": "{shop} is wrong"})).await;
    let mail = inbox.next().await;
    assert_eq!(mail.to(), "mail@brightleaf.example");
    let text = mail.text();
    for part in [
        made["reference"].as_str().unwrap(),
        crate::support::LINH,
        "{shop} is wrong",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
