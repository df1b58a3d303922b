use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{AMIR, Api, LINH, PAVEL, REZA, Visitor, euros, problem, purchase};

async fn returned(till: &Visitor, of: &str, number: &str, minor: i64) -> Value {
    let body = json!({"external_id": number, "amount": euros(minor)});
    till.done(&format!("/purchases/{of}/returns"), &body).await
}

async fn count(api: &Api, table: &str) -> i64 {
    let statement = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(statement).fetch_one(&api.db).await.unwrap()
}

#[tokio::test]
async fn a_purchase_earns_by_what_was_paid_and_waits_by_the_programmes_days() {
    let api = Api::start().await;
    let (amir, till) = (api.member("amir").await, api.till());
    let of_the_21st = Some("2026-12-05T23:00:00Z");
    for (index, (at, minor, points, available_at)) in [
        ("2026-11-21T09:59:00Z", 999, 99, of_the_21st),
        // Half past midnight in Berlin, and a second before it.
        ("2026-11-20T23:30:00Z", 1001, 100, of_the_21st),
        ("2026-11-20T22:59:59Z", 10, 1, Some("2026-12-04T23:00:00Z")),
        ("2026-11-21T09:58:00Z", 9, 0, None),
        ("2026-11-21T09:58:00Z", 0, 0, None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = purchase(&api, &format!("receipt {index}"), minor);
        body["member"] = AMIR.into();
        body["occurred_at"] = at.into();
        let found = till.done("/purchases", &body).await;
        let expected = json!({"points": points, "available_at": available_at, "member_state": "active"});
        assert_eq!(found, expected, "{body}");
    }
    let status = amir.read("/me/status").await;
    assert_eq!(status["balance"]["pending"], 200);
    assert_eq!(
        status["next_activation"],
        json!({"points": 1, "at": "2026-12-04T23:00:00Z"})
    );
    assert_eq!(
        (&status["lifetime"]["earned"], &status["tier"]["qualifying"]),
        (&json!(200), &json!(200))
    );
    let newest = &amir.read("/me/ledger?limit=1").await["items"][0];
    assert_eq!((&newest["kind"], &newest["points"]), (&json!("earn"), &json!(99)));
    assert_eq!(newest["at"], "2026-11-21T09:59:00Z");
    assert_eq!(newest["expires_at"], "2027-11-21T23:00:00Z");
    assert_eq!(newest["reference"]["external_id"], "receipt 0");
    api.verify().await;
}

#[tokio::test]
async fn whose_it_is_decides_whether_it_earns() {
    let api = Api::start().await;
    let till = api.till();
    let pavels = api.member("pavel").await.balance().await;
    for (member, points, state) in [
        (None, 0, "anonymous"),
        (Some("000000000000"), 0, "unknown"),
        (Some(PAVEL), 0, "paused"),
        (Some(LINH), 100, "active"),
        (Some(REZA), 120, "managed"),
    ] {
        let mut body = purchase(&api, state, 1000);
        if let Some(member) = member {
            body["member"] = member.into();
        }
        let found = till.done("/purchases", &body).await;
        assert_eq!(
            (&found["points"], &found["member_state"]),
            (&json!(points), &json!(state))
        );
        assert_eq!(found["available_at"].is_string(), points > 0);
        // What earned nothing takes nothing when it comes back.
        let back = returned(&till, state, "r", 1000).await;
        assert_eq!(back["points"], points);
        assert_eq!(back["returned"], euros(1000));
    }
    assert_eq!(api.member("pavel").await.balance().await, pavels);
    api.verify().await;
}

#[tokio::test]
async fn a_tier_counts_from_the_purchase_that_reaches_it_until_that_is_returned() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    assert_eq!(till.sells(&api, LINH, "cents", 999).await["points"], 99);
    assert_eq!(till.sells(&api, LINH, "reaches gold", 6860).await["points"], 686);
    assert_eq!(linh.read("/me/status").await["tier"]["current"], "gold");
    // 99.9 × 1.2, rounded down once.
    assert_eq!(till.sells(&api, LINH, "as gold", 999).await["points"], 119);
    returned(&till, "reaches gold", "1", 6860).await;
    let status = linh.read("/me/status").await;
    assert_eq!(
        (&status["tier"]["current"], &status["tier"]["qualifying"]),
        (&json!("silver"), &json!(1433))
    );
    // At the rate that it was bought at.
    assert_eq!(returned(&till, "as gold", "1", 999).await["points"], 119);
    assert_eq!(linh.balance().await, (1250, 85 + 99));
    api.verify().await;
}

#[tokio::test]
async fn the_same_purchase_again_is_the_first_answer_and_anything_else_is_a_conflict() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let mut body = purchase(&api, "4711", 2000);
    body["member"] = LINH.into();
    body["lines"] = json!([{"sku": "bread", "quantity": 1, "total": euros(2000)}]);
    let first = till.post_keyed("/purchases", "one", &body).await;
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let first = first.text().await.unwrap();
    let by_key = till.post_keyed("/purchases", "one", &body).await;
    assert_eq!(by_key.headers()["idempotency-replayed"], "true");
    assert_eq!(by_key.text().await.unwrap(), first);
    let by_number = till.post_keyed("/purchases", "two", &body).await;
    assert_eq!(by_number.status(), StatusCode::CREATED);
    assert_eq!(by_number.text().await.unwrap(), first);
    for (field, other) in [
        ("total", euros(2001)),
        ("member", AMIR.into()),
        ("occurred_at", "2026-11-21T09:00:00Z".into()),
        ("lines", json!([])),
    ] {
        let mut other_body = body.clone();
        other_body[field] = other;
        problem(till.post_once("/purchases", &other_body).await, "purchase_conflict").await;
    }
    let harbour = api.key("purchases number", Some("harbour")).await;
    let mut elsewhere = body.clone();
    elsewhere["store"] = "harbour".into();
    harbour.done("/purchases", &elsewhere).await;
    assert_eq!(linh.balance().await, (1250, 85 + 400));

    // A till that never got the answer may ask for it when the purchase has become too old to be told first.
    api.move_to("2026-11-29T10:00:00Z").await;
    for key in ["one", "three"] {
        let late = till.post_keyed("/purchases", key, &body).await;
        assert_eq!(late.text().await.unwrap(), first);
    }
    assert_eq!(linh.balance().await, (1250, 85 + 400));
    api.verify().await;
}

#[tokio::test]
async fn a_key_speaks_for_its_store_and_within_its_scopes() {
    let api = Api::start().await;
    let anonymous = purchase(&api, "of nobody", 100);
    let mut named = purchase(&api, "of Linh", 100);
    named["member"] = LINH.into();
    let mut elsewhere = anonymous.clone();
    elsewhere["store"] = "harbour".into();
    let before = count(&api, "purchases").await;
    let revoked = api.key("purchases", None).await;
    api.execute("update api_keys set revoked_at = 1 where created_at = 0")
        .await;
    let bare = api.key("purchases", Some("main")).await;
    for (visitor, body, code) in [
        (&api.visitor(), &anonymous, "signed_out"),
        (&api.member("linh").await, &anonymous, "signed_out"),
        (&api.bearing("of nobody"), &anonymous, "signed_out"),
        (&revoked, &anonymous, "signed_out"),
        (&api.crm(), &anonymous, "forbidden"),
        (&api.till(), &elsewhere, "forbidden"),
        (&bare, &named, "forbidden"),
        (&api.staff("101").await, &named, "forbidden"),
    ] {
        problem(visitor.post_once("/purchases", body).await, code).await;
    }
    assert_eq!(count(&api, "purchases").await, before);
    bare.done("/purchases", &anonymous).await;

    let back = json!({"external_id": "1", "amount": euros(1)});
    problem(
        bare.post_once("/purchases/of%20nobody/returns", &back).await,
        "forbidden",
    )
    .await;
    let everywhere = api.key("returns", None).await;
    problem(
        everywhere.post_once("/purchases/of%20nobody/returns", &back).await,
        "invalid_fields",
    )
    .await;
    let harbours = everywhere.post_once("/purchases/of%20nobody/returns?store=harbour", &back);
    problem(harbours.await, "not_found").await;
    problem(
        api.till()
            .post_once("/purchases/of%20nobody/returns?store=harbour", &back)
            .await,
        "forbidden",
    )
    .await;
    everywhere
        .done("/purchases/of%20nobody/returns?store=main", &back)
        .await;
    api.verify().await;
}

#[tokio::test]
async fn what_is_no_purchase_is_refused_by_its_field_and_leaves_nothing() {
    let api = Api::start().await;
    let till = api.till();
    let before = (count(&api, "purchases").await, count(&api, "idempotency").await);
    let now = api.clock().now();
    let line =
        |sku: &str, quantity: i64, minor: i64| json!([{"sku": sku, "quantity": quantity, "total": euros(minor)}]);
    let many: Vec<Value> = (0..1001).map(|_| line("a", 1, 1)[0].clone()).collect();
    for (field, value, pointer) in [
        (
            "occurred_at",
            json!(now - chrono::TimeDelta::days(7) - chrono::TimeDelta::seconds(1)),
            "/occurred_at",
        ),
        (
            "occurred_at",
            json!(now + chrono::TimeDelta::minutes(6)),
            "/occurred_at",
        ),
        ("occurred_at", json!("yesterday"), "/occurred_at"),
        ("total", json!({"minor": 100, "currency": "USD"}), "/total/currency"),
        ("total", euros(-1), "/total/minor"),
        ("total", euros(1_000_000_000_000_001), "/total/minor"),
        ("total", euros(i64::MAX), "/total/minor"),
        ("total", json!({"minor": 1.5, "currency": "EUR"}), "/total/minor"),
        ("external_id", json!(""), "/external_id"),
        ("external_id", json!(" "), "/external_id"),
        ("external_id", json!("a\0b"), "/external_id"),
        ("external_id", json!("a\nb"), "/external_id"),
        ("external_id", json!("x".repeat(101)), "/external_id"),
        ("member", json!(""), "/member"),
        ("member", json!("5121\0"), "/member"),
        ("member", json!("1".repeat(33)), "/member"),
        ("store", json!("nowhere"), "/store"),
        ("lines", json!(many), "/lines"),
        ("lines", line("a", 0, 1), "/lines/0/quantity"),
        ("lines", line("a", -1, 1), "/lines/0/quantity"),
        ("lines", line("a", 1, -1), "/lines/0/total/minor"),
        ("lines", line("\0", 1, 1), "/lines/0/sku"),
        ("points", json!(1_000_000), "/points"),
    ] {
        let mut body = purchase(&api, "refused", 100);
        body[field] = value;
        let found = problem(till.post_once("/purchases", &body).await, "invalid_fields").await;
        assert_eq!(found["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(
        (count(&api, "purchases").await, count(&api, "idempotency").await),
        before
    );

    for (number, at) in [
        ("old", now - chrono::TimeDelta::days(7) + chrono::TimeDelta::minutes(1)),
        ("ahead", now + chrono::TimeDelta::minutes(4)),
    ] {
        let mut body = purchase(&api, number, 1_000_000_000_000_000);
        body["occurred_at"] = json!(at);
        body["member"] = LINH.into();
        till.done("/purchases", &body).await;
    }
    assert_eq!(
        api.member("linh").await.read("/me/status").await["tier"]["current"],
        "gold"
    );
    api.verify().await;
}

#[tokio::test]
async fn returns_in_any_split_leave_nothing_of_the_purchase() {
    let api = Api::start().await;
    let (amir, till) = (api.member("amir").await, api.till());
    for (number, split) in [
        ("whole", &[999][..]),
        ("thirds", &[333, 333, 333]),
        ("crumbs", &[1, 5, 988, 5]),
        ("halves", &[499, 500]),
    ] {
        assert_eq!(till.sells(&api, AMIR, number, 999).await["points"], 99);
        let mut taken = 0;
        for (index, &minor) in split.iter().enumerate() {
            let before = amir.balance().await;
            let too_much = json!({"external_id": "too much", "amount": euros(1000)});
            let answer = till.post_once(&format!("/purchases/{number}/returns"), &too_much).await;
            problem(answer, "return_exceeds_purchase").await;
            assert_eq!(amir.balance().await, before);
            let found = returned(&till, number, &index.to_string(), minor).await;
            taken += found["points"].as_i64().unwrap();
            assert_eq!(found["amount"], euros(minor));
        }
        assert_eq!(taken, 99, "{number}");
        assert_eq!(amir.balance().await, (0, 0), "{number}");
    }
    let status = amir.read("/me/status").await;
    assert_eq!(
        (&status["tier"]["qualifying"], &status["last_purchase"]),
        (&json!(0), &Value::Null)
    );
    api.verify().await;
}

#[tokio::test]
async fn lines_come_back_at_what_was_paid_for_them() {
    let api = Api::start().await;
    let (amir, till) = (api.member("amir").await, api.till());
    let sale = async |number: &str, total: i64| {
        let mut body = purchase(&api, number, total);
        body["member"] = AMIR.into();
        body["lines"] = json!([
            {"sku": "roll", "quantity": 3, "total": euros(1000)},
            {"sku": "honey", "category": "pantry", "quantity": 1, "total": euros(500)},
            {"sku": "roll", "quantity": 1, "total": euros(1)},
            {"sku": "bag", "quantity": 1, "total": euros(0)},
        ]);
        till.done("/purchases", &body).await
    };
    let lines = |number: &str, lines: &[(&str, u32)]| {
        let lines: Vec<Value> = lines
            .iter()
            .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity}))
            .collect();
        json!({"external_id": number, "lines": lines})
    };
    // A voucher took three euros off; one that takes nothing off.
    for (number, total) in [("with a voucher", 1201), ("without", 1501)] {
        let path = format!("/purchases/{number}/returns").replace(' ', "%20");
        let bought = sale(number, total).await;
        let (mut paid, mut points) = (0, 0);
        for (index, back) in [
            &[("roll", 1)][..],
            &[("honey", 1), ("bag", 1)],
            &[("roll", 2), ("roll", 1)],
        ]
        .into_iter()
        .enumerate()
        {
            let found = till.done(&path, &lines(&index.to_string(), back)).await;
            paid += found["amount"]["minor"].as_i64().unwrap();
            points += found["points"].as_i64().unwrap();
            let again = till.post_once(&path, &lines("more", &[("roll", 4)])).await;
            problem(again, "return_exceeds_purchase").await;
        }
        assert_eq!((paid, json!(points)), (total, bought["points"].clone()), "{number}");
        assert_eq!(amir.balance().await, (0, 0));
    }

    sale("mixed", 1501).await;
    let path = "/purchases/mixed/returns";
    for wrong in [
        lines("1", &[("butter", 1)]),
        lines("1", &[("roll", 0)]),
        lines("1", &[("\0", 1)]),
        lines("1", &[]),
        json!({"external_id": "1", "amount": euros(0)}),
        json!({"external_id": "1", "amount": euros(-1)}),
        json!({"external_id": "\0", "amount": euros(1)}),
        json!({"external_id": "1", "amount": euros(1), "lines": [{"sku": "roll", "quantity": 1}]}),
        json!({"external_id": "1", "amount": {"minor": 1, "currency": "USD"}}),
    ] {
        problem(till.post_once(path, &wrong).await, "invalid_fields").await;
    }
    returned(&till, "mixed", "most of it", 1300).await;
    let rest = till.post_once(path, &lines("2", &[("honey", 1)])).await;
    problem(rest, "return_exceeds_purchase").await;
    // What was refused did not mark its pieces as returned.
    returned(&till, "mixed", "the rest", 201).await;
    let pieces: i64 = sqlx::query_scalar(
        "select cast(sum(l.returned) as bigint) from purchase_lines l join purchases p on p.id = l.purchase_id
         where p.external_id = 'mixed'",
    )
    .fetch_one(&api.db)
    .await
    .unwrap();
    assert_eq!(pieces, 0);
    assert_eq!(amir.balance().await, (0, 0));
    api.verify().await;
}

#[tokio::test]
async fn a_return_is_told_once_by_its_number_and_after_the_window_too() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    till.sells(&api, LINH, "1", 2000).await;
    till.sells(&api, LINH, "2", 2000).await;
    let body = json!({"external_id": "back", "amount": euros(500)});
    let first = till.done("/purchases/1/returns", &body).await;
    assert_eq!(
        first,
        json!({"amount": euros(500), "points": 50, "returned": euros(500)})
    );
    assert_eq!(till.done("/purchases/1/returns", &body).await, first);
    let other = json!({"external_id": "back", "amount": euros(501)});
    problem(
        till.post_once("/purchases/1/returns", &other).await,
        "purchase_conflict",
    )
    .await;
    assert_eq!(till.done("/purchases/2/returns", &body).await, first);
    assert_eq!(linh.balance().await, (1250, 85 + 300));
    for unknown in ["3", "%00", "%20"] {
        let answer = till.post_once(&format!("/purchases/{unknown}/returns"), &body).await;
        problem(answer, "not_found").await;
    }
    let newest = &linh.read("/me/ledger?kind=return&limit=1").await["items"][0];
    assert_eq!(newest["reference"]["external_id"], "back");
    assert_eq!(newest["reference"]["purchase"], "2");

    api.move_to("2026-12-20T10:00:00Z").await;
    assert_eq!(linh.balance().await, (1635, 0));
    assert_eq!(returned(&till, "1", "late", 1500).await["points"], 150);
    assert_eq!(linh.balance().await, (1485, 0));
    api.verify().await;
}

#[tokio::test]
async fn a_return_of_what_was_spent_is_owed_and_paid_once() {
    let api = Api::start().await;
    let (amir, till) = (api.member("amir").await, api.till());
    till.sells(&api, AMIR, "spent", 5000).await;
    api.move_to("2026-12-06T10:00:00Z").await;
    assert_eq!(amir.balance().await, (500, 0));
    let voucher = amir.redeem(400).await;
    let capture = format!("/counter/redemptions/{}/capture", voucher["code"].as_str().unwrap());
    till.done(&capture, &json!({})).await;
    till.sells(&api, AMIR, "pending", 1000).await;
    assert_eq!(returned(&till, "spent", "1", 5000).await["points"], 500);
    // The pending points are another purchase's, and stay pending.
    assert_eq!(amir.balance().await, (-400, 100));
    let status = amir.read("/me/status").await;
    assert_eq!(status["balance"]["worth"], euros(0));
    assert_eq!(
        (&status["debt"]["points"], &status["debt"]["cause"]["kind"]),
        (&json!(400), &json!("return"))
    );
    till.sells(&api, AMIR, "pays", 4500).await;
    let entries = amir.read("/me/ledger").await["items"].as_array().unwrap().len();
    api.move_to("2026-12-20T23:00:00Z").await;
    assert_eq!(amir.balance().await, (150, 0));
    let after = amir.read("/me/ledger").await["items"].as_array().unwrap().len();
    assert_eq!(entries, after, "paying a debt is no entry");
    // What paid is gone from its lot, so that its return takes what is left and owes the rest.
    returned(&till, "pays", "1", 4500).await;
    assert_eq!(amir.balance().await, (-300, 0));
    api.verify().await;
}

#[tokio::test]
async fn what_expired_unused_is_not_taken_again() {
    let api = Api::start().await;
    let till = api.till();
    till.sells(&api, AMIR, "1", 1000).await;
    api.move_to("2027-03-01T10:00:00Z").await;
    let voucher = api.member("amir").await.redeem(60).await;
    let capture = format!("/counter/redemptions/{}/capture", voucher["code"].as_str().unwrap());
    till.done(&capture, &json!({})).await;
    api.move_to("2027-11-21T23:00:00Z").await;
    let amir = api.member("amir").await;
    assert_eq!(amir.newest(1).await, [("expire".to_owned(), -40)]);
    let newest = &amir.read("/me/ledger?limit=1").await["items"][0];
    assert_eq!(newest["at"], "2027-11-21T23:00:00Z");
    // Of the hundred that it earned, forty are forgiven; the sixty that were used are owed.
    assert_eq!(returned(&till, "1", "half", 500).await["points"], 50);
    assert_eq!(returned(&till, "1", "the rest", 500).await["points"], 50);
    assert_eq!(amir.balance().await, (-60, 0));
    assert_eq!(amir.read("/me/status").await["lifetime"]["expired"], 40);
    api.verify().await;
}

#[tokio::test]
async fn a_return_is_quoted_as_it_then_happens() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    till.sells(&api, LINH, "1", 7850).await;
    let intent = |minor: i64| json!({"return": {"purchase": "1", "amount": euros(minor)}});
    let at_the_till = |minor: i64| {
        let mut body = intent(minor);
        body["member"] = LINH.into();
        body
    };
    let before = linh.balance().await;
    for (whoever, body) in [(&linh, intent(45)), (&till, at_the_till(45))] {
        let quote: Value = whoever.post("/quotes", &body).await.json().await.unwrap();
        assert_eq!((&quote["points"], &quote["tier_after"]), (&json!(5), &json!("silver")));
        assert_eq!(quote["balance_after"]["pending"], before.1 - 5);
        // It is not redeemed: only a till returns.
        let answer = linh
            .post_once("/redemptions", &json!({"quote_id": quote["quote_id"]}))
            .await;
        problem(answer, "quote_not_redeemable").await;
    }
    assert_eq!(linh.balance().await, before);
    problem(linh.post("/quotes", &intent(7851)).await, "return_exceeds_purchase").await;
    problem(api.member("amir").await.post("/quotes", &intent(45)).await, "not_found").await;
    assert_eq!(returned(&till, "1", "r", 45).await["points"], 5);
    assert_eq!(linh.balance().await, (before.0, before.1 - 5));
    assert_eq!(linh.read("/me/status").await["tier"]["current"], "silver");
    api.verify().await;
}
