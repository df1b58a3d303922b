use serde_json::{Value, json};

use crate::support::{AMIR, Api, LINH, Visitor, problem};

fn correction(member: &str, points: i64) -> Value {
    json!({"member": member, "points": points, "reason": "The till was down on Friday"})
}

async fn adjust(whoever: &Visitor, member: &str, points: i64) -> Value {
    whoever.done("/counter/adjustments", &correction(member, points)).await
}

async fn refused(whoever: &Visitor, member: &str, points: i64, code: &str) -> Value {
    let answer = whoever
        .post_once("/counter/adjustments", &correction(member, points))
        .await;
    problem(answer, code).await
}

#[tokio::test]
async fn a_correction_has_a_reason_and_is_written_down() {
    let api = Api::start().await;
    let (linh, crm) = (api.member("linh").await, api.crm());
    for (field, wrong) in [
        ("reason", Value::Null),
        ("reason", json!("")),
        ("reason", json!("  ")),
        ("reason", json!("a\0b")),
        ("reason", json!("x".repeat(301))),
        ("points", json!(0)),
        ("points", json!(i64::MIN)),
        ("points", json!(i64::MAX)),
        ("member", json!("\0")),
    ] {
        let mut body = correction(LINH, 10);
        body[field] = wrong;
        let found = problem(crm.post_once("/counter/adjustments", &body).await, "invalid_fields").await;
        assert_eq!(found["errors"][0]["pointer"], format!("/{field}"), "{body}");
    }
    refused(&crm, "000000000000", 10, "not_found").await;
    refused(&api.till(), LINH, 10, "forbidden").await;
    refused(&api.visitor(), LINH, 10, "signed_out").await;
    refused(&linh, LINH, 10, "signed_out").await;
    assert_eq!(linh.balance().await, (1250, 85));

    let found = adjust(&crm, LINH, -150).await;
    assert_eq!(found["points"], -150);
    assert_eq!(found["balance_after"], linh.read("/me/status").await["balance"]);
    assert_eq!(found["balance_after"]["available"], 1100);
    let newest = &linh.read("/me/ledger?limit=1").await["items"][0];
    assert_eq!((&newest["id"], &newest["kind"]), (&found["entry_id"], &json!("adjust")));
    assert_eq!(newest["reason"], "The till was down on Friday");
    let (actor, action, detail): (String, String, String) = sqlx::query_as(
        "select a.actor, a.action, a.detail from audit a join members m on m.id = a.member_id where m.name = 'Linh'",
    )
    .fetch_one(&api.db)
    .await
    .unwrap();
    assert_eq!((actor.as_str(), action.as_str()), ("key:demo-crm", "adjust"));
    assert!(
        detail.contains("-150") && detail.contains(found["entry_id"].as_str().unwrap()),
        "{detail}"
    );
    // It counts neither as earned nor towards a tier.
    let status = linh.read("/me/status").await;
    assert_eq!(status["tier"]["qualifying"], 1215);
    api.verify().await;
}

#[tokio::test]
async fn each_role_has_its_limit_for_a_day_of_the_programme() {
    let api = Api::start().await;
    let clerk = api.staff("101").await;
    adjust(&clerk, LINH, 300).await;
    // What is taken counts as what is given, and a refusal does not count.
    adjust(&clerk, AMIR, 100).await;
    refused(&clerk, LINH, -101, "limit_exceeded").await;
    refused(&clerk, LINH, 501, "limit_exceeded").await;
    adjust(&clerk, LINH, -100).await;
    let one = correction(LINH, 1);
    let answer = clerk.post_keyed("/counter/adjustments", "one", &one).await;
    problem(answer, "limit_exceeded").await;

    let manager = api.staff("900").await;
    adjust(&manager, LINH, 10_000).await;
    refused(&manager, LINH, 1, "limit_exceeded").await;
    refused(&api.crm(), LINH, 10_001, "limit_exceeded").await;
    assert_eq!(api.member("linh").await.balance().await, (11_450, 85));
    api.move_to("2026-11-21T22:59:00Z").await;
    refused(&api.staff("101").await, LINH, 1, "limit_exceeded").await;

    // Midnight in Berlin. A refusal for how much was given that day is no answer for ever.
    api.move_to("2026-11-21T23:00:00Z").await;
    problem(clerk.post_once("/counter/adjustments", &one).await, "signed_out").await;
    let clerk = api.staff("101").await;
    let answer = clerk.post_keyed("/counter/adjustments", "one", &one).await;
    assert_eq!(answer.status(), 201);
    adjust(&clerk, LINH, 499).await;
    refused(&clerk, LINH, 1, "limit_exceeded").await;
    api.verify().await;
}

#[tokio::test]
async fn only_a_manager_takes_more_than_there_is_and_what_is_given_pays_it() {
    let api = Api::start().await;
    let (amir, clerk, manager) = (api.member("amir").await, api.staff("101").await, api.staff("900").await);
    adjust(&manager, AMIR, 30).await;
    let short = refused(&clerk, AMIR, -50, "insufficient_balance").await;
    assert_eq!(
        short["reasons"][0],
        json!({"code": "insufficient_balance", "required": 50, "available": 30, "missing": 20})
    );
    assert_eq!(amir.balance().await, (30, 0));
    adjust(&manager, AMIR, -100).await;
    assert_eq!(amir.balance().await, (-70, 0));
    refused(&clerk, AMIR, -1, "insufficient_balance").await;
    adjust(&clerk, AMIR, 50).await;
    assert_eq!(amir.balance().await, (-20, 0));
    adjust(&clerk, AMIR, 50).await;
    adjust(&clerk, AMIR, -30).await;
    assert_eq!(amir.balance().await, (0, 0));
    api.verify().await;
}

#[tokio::test]
async fn nobody_adjusts_their_own_account() {
    let api = Api::start().await;
    api.execute("update staff set member_id = (select id from members where name = 'Linh') where code = '900'")
        .await;
    refused(&api.staff("900").await, LINH, 10, "forbidden").await;
    adjust(&api.staff("900").await, AMIR, 10).await;
    adjust(&api.staff("101").await, LINH, 10).await;
    api.verify().await;
}
