use std::collections::BTreeSet;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{AMIR, Api, LINH, Visitor, euros, problem};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn capture(till: &Visitor, code: &str, body: &Value) -> Response {
    till.post_once(&format!("/counter/redemptions/{code}/capture"), body)
        .await
}

async fn captured(till: &Visitor, voucher: &Value) -> Value {
    let path = format!("/counter/redemptions/{}/capture", text(&voucher["code"]));
    till.done(&path, &json!({})).await
}

async fn give(api: &Api, member: &str, points: i64) {
    let body = json!({"member": member, "points": points, "reason": "For a test"});
    api.crm().done("/counter/adjustments", &body).await;
}

/// Everything that is left in a member's lots.
async fn lots(api: &Api, name: &str) -> Vec<(String, i64, i64)> {
    let statement = "select l.id, l.remaining, l.expired from lots l join members m on m.id = l.member_id
                     where m.name = $1 order by l.seq";
    sqlx::query_as(statement).bind(name).fetch_all(&api.db).await.unwrap()
}

#[tokio::test]
async fn points_become_a_voucher_and_leave_the_balance() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let before = linh.read("/me/status").await;
    let quote = linh.quote(&json!({"spend": {"points": 500}})).await;
    let voucher = linh.done("/redemptions", &json!({"quote_id": quote})).await;
    assert_eq!(
        (&voucher["state"], &voucher["points"]),
        (&json!("reserved"), &json!(500))
    );
    assert_eq!((&voucher["money"], &voucher["reward"]), (&euros(250), &Value::Null));
    assert_eq!(voucher["conditions"].as_array().unwrap().len(), 4);
    let instant = |field: &str| text(&voucher[field]).parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!((instant("valid_until") - instant("created_at")).num_minutes(), 720);
    let code = text(&voucher["code"]);
    assert!(
        code.len() == 8
            && code
                .chars()
                .all(|digit| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(digit))
    );
    let status = linh.read("/me/status").await;
    assert_eq!(status["balance"]["available"], 750);
    assert_eq!(
        status["lifetime"]["spent"].as_i64(),
        before["lifetime"]["spent"].as_i64().map(|spent| spent + 500)
    );
    assert_eq!(
        status["lifetime"]["saved"], before["lifetime"]["saved"],
        "nothing was used yet"
    );
    assert_eq!(linh.newest(1).await, [("spend".to_owned(), -500)]);
    assert_eq!(
        linh.read(&format!("/redemptions/{}", text(&voucher["id"]))).await,
        voucher
    );

    let reward = linh
        .speaking("fa")
        .redeem_for(&json!({"reward_id": "small-coffee"}))
        .await;
    assert_eq!(reward["reward"]["id"], "small-coffee");
    assert_eq!(reward["reward"]["kind"], "free_product");
    assert_eq!(reward["reward"]["title"], "قهوهٔ کوچک");
    api.verify().await;
}

#[tokio::test]
async fn a_quote_is_redeemed_once_in_its_five_minutes_by_whoever_asked() {
    let api = Api::start().await;
    let (linh, siti) = (api.member("linh").await, api.member("siti").await);
    let spend = |points: i64| json!({"spend": {"points": points}});
    let refused = async |member: &Visitor, quote: &Value, code: &str| {
        let answer = member.post_once("/redemptions", &json!({"quote_id": quote})).await;
        problem(answer, code).await
    };
    let used = linh.quote(&spend(50)).await;
    let voucher = linh.done("/redemptions", &json!({"quote_id": used})).await;
    refused(&linh, &used, "quote_used").await;
    let hers = siti.quote(&spend(50)).await;
    refused(&linh, &hers, "not_found").await;
    siti.done("/redemptions", &json!({"quote_id": hers})).await;
    for unknown in ["", "\0", "nothing like it", "0123456789abcdef0123456789abcdef"] {
        refused(&linh, &json!(unknown), "not_found").await;
    }
    let earn = linh.quote(&json!({"earn": euros(100)})).await;
    refused(&linh, &earn, "quote_not_redeemable").await;

    // The balance is what it is when the points are taken, not when they were quoted.
    let (all, some) = (linh.quote(&spend(1200)).await, linh.quote(&spend(100)).await);
    let other = linh.done("/redemptions", &json!({"quote_id": some})).await;
    let short = refused(&linh, &all, "insufficient_balance").await;
    assert_eq!(
        short["reasons"][0],
        json!({"code": "insufficient_balance", "required": 1200, "available": 1100, "missing": 100})
    );
    linh.done(&format!("/redemptions/{}/release", text(&other["id"])), &json!({}))
        .await;
    linh.done("/redemptions", &json!({"quote_id": all})).await;
    assert_eq!(linh.balance().await, (0, 85));

    let paused = siti.quote(&spend(50)).await;
    api.execute("update members set state = 'paused' where name = 'Siti'")
        .await;
    refused(&siti, &paused, "member_paused").await;
    api.execute("update members set state = 'active' where name = 'Siti'")
        .await;
    let late = siti.quote(&spend(50)).await;
    api.move_to("2026-11-21T10:06:00Z").await;
    refused(&siti, &late, "quote_expired").await;
    refused(&api.visitor(), &late, "signed_out").await;
    assert_eq!(voucher["state"], "reserved");
    api.verify().await;
}

#[tokio::test]
async fn the_last_piece_goes_to_one_and_comes_back_with_the_voucher() {
    let api = Api::start().await;
    let (linh, siti, till) = (api.member("linh").await, api.member("siti").await, api.till());
    api.execute("update rewards set stock = 1 where id = 'extra-shot'")
        .await;
    let wanted = json!({"reward_id": "extra-shot"});
    let (hers, his) = (linh.quote(&wanted).await, siti.quote(&wanted).await);
    let voucher = linh.done("/redemptions", &json!({"quote_id": hers})).await;
    let answer = siti.post_once("/redemptions", &json!({"quote_id": his})).await;
    let gone = problem(answer, "reward_not_available").await;
    assert_eq!(gone["reasons"], json!([{"code": "out_of_stock"}]));
    linh.done(&format!("/redemptions/{}/release", text(&voucher["id"])), &json!({}))
        .await;
    let second = siti.done("/redemptions", &json!({"quote_id": his})).await;
    captured(&till, &second).await;
    assert_eq!(linh.read("/rewards/extra-shot").await["stock_left"], 0);
    till.done(
        &format!("/counter/redemptions/{}/refund", text(&second["id"])),
        &json!({}),
    )
    .await;
    assert_eq!(linh.read("/rewards/extra-shot").await["stock_left"], 1);

    give(&api, LINH, 2000).await;
    let wanted = json!({"reward_id": "breakfast-for-two"});
    let (first, second) = (linh.quote(&wanted).await, linh.quote(&wanted).await);
    let voucher = linh.done("/redemptions", &json!({"quote_id": first})).await;
    let answer = linh.post_once("/redemptions", &json!({"quote_id": second})).await;
    let had = problem(answer, "reward_not_available").await;
    assert_eq!(had["reasons"][0]["code"], "limit_reached");
    linh.done(&format!("/redemptions/{}/release", text(&voucher["id"])), &json!({}))
        .await;
    linh.done("/redemptions", &json!({"quote_id": second})).await;
    api.verify().await;
}

#[tokio::test]
async fn every_operation_in_every_state() {
    let api = Api::start().await;
    let (siti, till) = (api.member("siti").await, api.till());
    let release = async |voucher: &Value| {
        let path = format!("/redemptions/{}/release", text(&voucher["id"]));
        siti.post_once(&path, &json!({})).await
    };
    let refund = async |voucher: &Value| {
        let path = format!("/counter/redemptions/{}/refund", text(&voucher["id"]));
        till.post_once(&path, &json!({})).await
    };
    let before = siti.balance().await;
    let (yes, not_reserved, not_captured) = ("", "redemption_not_reserved", "redemption_not_captured");
    let mut used = 0;
    for (state, expected) in [
        (
            "reserved",
            [("release", yes), ("capture", yes), ("refund", not_captured)],
        ),
        (
            "captured",
            [("release", not_reserved), ("capture", not_reserved), ("refund", yes)],
        ),
        (
            "released",
            [
                ("release", not_reserved),
                ("capture", not_reserved),
                ("refund", not_captured),
            ],
        ),
        (
            "refunded",
            [
                ("release", not_reserved),
                ("capture", not_reserved),
                ("refund", not_captured),
            ],
        ),
        (
            "expired",
            [
                ("release", not_reserved),
                ("capture", not_reserved),
                ("refund", not_captured),
            ],
        ),
    ] {
        for (operation, code) in expected {
            let voucher = siti.redeem(50).await;
            match state {
                "captured" => drop(captured(&till, &voucher).await),
                "released" => assert_eq!(release(&voucher).await.status(), StatusCode::OK),
                "refunded" => {
                    captured(&till, &voucher).await;
                    assert_eq!(refund(&voucher).await.status(), StatusCode::OK);
                }
                "expired" => {
                    let end = text(&voucher["valid_until"]).parse().unwrap();
                    assert!(api.clock().move_to(end));
                }
                _ => {}
            }
            let answer = match operation {
                "release" => release(&voucher).await,
                "capture" => capture(&till, text(&voucher["code"]), &json!({})).await,
                _ => refund(&voucher).await,
            };
            let after = if code == yes {
                let found: Value = answer.json().await.unwrap();
                found["state"].clone()
            } else {
                problem(answer, code).await;
                json!(state)
            };
            let expected = match (code == yes, operation) {
                (false, _) => state,
                (true, "release") => "released",
                (true, "capture") => "captured",
                (true, _) => "refunded",
            };
            assert_eq!(after, expected, "{operation} of one that is {state}");
            let kept = siti.read(&format!("/redemptions/{}", text(&voucher["id"]))).await;
            assert_eq!(kept["state"], expected, "{operation} of one that is {state}");
            // What is still reserved lapses with those that do so last.
            used += i64::from(expected == "captured");
        }
    }
    assert_eq!(siti.balance().await.0, before.0 - 50 * used);
    api.verify().await;
}

#[tokio::test]
async fn what_comes_back_goes_to_the_lots_that_it_came_from() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let (before, status) = (lots(&api, "Linh").await, linh.read("/me/status").await);
    let unchanged = async |kind: &str| {
        let now = linh.read("/me/status").await;
        for field in ["balance", "expirations", "lifetime", "tier"] {
            assert_eq!(now[field], status[field], "{kind}");
        }
        assert_eq!(lots(&api, "Linh").await, before, "{kind}");
        assert_eq!(
            linh.newest(2).await,
            [(kind.to_owned(), 1250), ("spend".to_owned(), -1250)]
        );
    };
    let released = linh.redeem(1250).await;
    assert_ne!(lots(&api, "Linh").await, before);
    linh.done(&format!("/redemptions/{}/release", text(&released["id"])), &json!({}))
        .await;
    unchanged("release").await;

    let refunded = linh.redeem(1250).await;
    captured(&till, &refunded).await;
    till.done(
        &format!("/counter/redemptions/{}/refund", text(&refunded["id"])),
        &json!({}),
    )
    .await;
    unchanged("refund").await;

    // Whoever reads first lets it lapse, at the very instant.
    let lapsed = linh.redeem(1250).await;
    let end = text(&lapsed["valid_until"]);
    let millisecond = chrono::TimeDelta::milliseconds(1);
    assert!(api.clock().move_to(end.parse().unwrap()));
    let found = linh.read(&format!("/redemptions/{}", text(&lapsed["id"]))).await;
    assert_eq!((&found["state"], text(&found["ended_at"])), (&json!("expired"), end));
    unchanged("release").await;
    assert_eq!(linh.read("/me/ledger?limit=1").await["items"][0]["at"], end);

    // A till does too, and it is then too late.
    let late = linh.redeem(1250).await;
    let end: chrono::DateTime<chrono::Utc> = text(&late["valid_until"]).parse().unwrap();
    assert!(api.clock().move_to(end + millisecond));
    problem(
        capture(&till, text(&late["code"]), &json!({})).await,
        "redemption_not_reserved",
    )
    .await;
    unchanged("release").await;
    api.verify().await;
}

#[tokio::test]
async fn a_smaller_basket_takes_the_fewest_points_and_the_rest_comes_back() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let before = linh.read("/me/status").await;
    let saved = async || {
        let now = linh.read("/me/status").await;
        let minor = |status: &Value| status["lifetime"]["saved"]["minor"].as_i64().unwrap();
        minor(&now) - minor(&before)
    };
    for (basket, points, money) in [
        (None, 500, 250),
        (Some(250), 500, 250),
        (Some(1_000_000), 500, 250),
        (Some(101), 202, 101),
        (Some(1), 2, 1),
    ] {
        let voucher = linh.redeem(500).await;
        let body = basket.map_or(json!({}), |minor| json!({"basket": euros(minor)}));
        for wrong in [euros(0), euros(-1), json!({"minor": 1, "currency": "USD"})] {
            let answer = capture(&till, text(&voucher["code"]), &json!({"basket": wrong})).await;
            problem(answer, "invalid_fields").await;
        }
        let path = format!("/counter/redemptions/{}/capture", text(&voucher["code"]));
        let found = till.done(&path, &body).await;
        assert_eq!(found["captured"]["points"], points);
        assert_eq!(found["captured"]["money"], euros(money));
        assert_eq!(found["captured"]["store"], "main");
        assert_eq!(linh.balance().await, (1250 - points, 85));
        assert_eq!(saved().await, money);
        if points < 500 {
            assert_eq!(linh.newest(1).await, [("release".to_owned(), 500 - points)]);
        }
        till.done(
            &format!("/counter/redemptions/{}/refund", text(&voucher["id"])),
            &json!({}),
        )
        .await;
        assert_eq!(linh.newest(1).await, [("refund".to_owned(), points)]);
        assert_eq!((linh.balance().await, saved().await), ((1250, 85), 0));
    }
    // A reward is one thing, whatever else is in the basket.
    let voucher = linh.redeem_for(&json!({"reward_id": "three-euros-off"})).await;
    let path = format!("/counter/redemptions/{}/capture", text(&voucher["code"]));
    let found = till.done(&path, &json!({"basket": euros(1)})).await;
    assert_eq!(found["captured"]["points"], 560);
    api.verify().await;
}

#[tokio::test]
async fn points_that_expired_in_a_voucher_come_back_for_a_week_and_no_second_time() {
    let api = Api::start().await;
    give(&api, AMIR, 160).await;
    let till = api.till();
    let step = async |at: &str| {
        api.move_to(at).await;
        api.member("amir").await
    };
    // They end at 23:00, while they are in a voucher until 08:00.
    step("2027-11-21T20:00:00Z").await.redeem(160).await;
    assert_eq!(step("2027-11-22T07:00:00Z").await.balance().await, (0, 0));
    let amir = step("2027-11-22T08:01:00Z").await;
    let status = amir.read("/me/status").await;
    assert_eq!(status["balance"]["available"], 160);
    // Seven days after the day on which they came back.
    let end = "2027-11-29T23:00:00Z";
    assert_eq!(
        status["expirations"],
        json!([{"points": 160, "worth": euros(80), "at": end}])
    );
    assert_eq!(status["lifetime"]["expired"], 0);

    // The week ends while some are used, and the others in a voucher again.
    let used = amir.redeem(60).await;
    captured(&till, &used).await;
    step("2027-11-29T20:00:00Z").await.redeem(100).await;
    let amir = step("2027-11-30T08:01:00Z").await;
    assert_eq!(
        amir.newest(2).await,
        [("expire".to_owned(), -100), ("release".to_owned(), 100)]
    );
    till.done(
        &format!("/counter/redemptions/{}/refund", text(&used["id"])),
        &json!({}),
    )
    .await;
    assert_eq!(
        amir.newest(2).await,
        [("expire".to_owned(), -60), ("refund".to_owned(), 60)]
    );
    let status = amir.read("/me/status").await;
    assert_eq!(
        (&status["balance"]["available"], &status["lifetime"]["expired"]),
        (&json!(0), &json!(160))
    );
    assert_eq!(status["lifetime"]["saved"], euros(0));
    api.verify().await;
}

#[tokio::test]
async fn a_code_is_read_as_people_type_it_and_guessing_ends() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let other_till = api.key("capture", Some("main")).await;
    let voucher = linh.redeem(50).await;
    let second = linh.redeem(50).await;
    for (code, voucher) in [("0A1B1C0D", &voucher), ("ZZZZZZZ0", &second)] {
        let id = text(&voucher["id"]);
        api.execute(&format!("update redemptions set code = '{code}' where id = '{id}'"))
            .await;
    }
    assert_eq!(
        capture(&till, "oaLb-%20ic0d", &json!({})).await.status(),
        StatusCode::OK
    );
    // Codes that somebody has are no misses, whatever became of them.
    for _ in 0..3 {
        problem(capture(&till, "0A1B1C0D", &json!({})).await, "redemption_not_reserved").await;
    }
    for index in 0..20 {
        let code = if index % 2 == 0 { "00000000" } else { "no%20code" };
        problem(capture(&till, code, &json!({})).await, "not_found").await;
    }
    let path = "/counter/redemptions/ZZZZZZZ0/capture";
    let locked = till.post_keyed(path, "locked", &json!({})).await;
    let seconds: u32 = text(&json!(locked.headers()["retry-after"].to_str().unwrap()))
        .parse()
        .unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");
    let told = problem(locked, "too_many_attempts").await;
    assert_eq!(told["retry_after_s"], seconds);
    problem(capture(&other_till, "00000000", &json!({})).await, "not_found").await;
    api.move_to("2026-11-21T10:11:00Z").await;
    // What was refused for how often it was asked was not the answer to the request.
    let found = till.post_keyed(path, "locked", &json!({})).await;
    assert_eq!(found.status(), StatusCode::OK);
    api.verify().await;
}

#[tokio::test]
async fn a_member_sees_their_own_vouchers_page_by_page() {
    let api = Api::start().await;
    let (siti, linh) = (api.member("siti").await, api.member("linh").await);
    let before: i64 = sqlx::query_scalar(
        "select count(*) from redemptions r join members m on m.id = r.member_id where m.name = 'Siti'",
    )
    .fetch_one(&api.db)
    .await
    .unwrap();
    let before = usize::try_from(before).unwrap();
    let mut made = vec![];
    for _ in 0..3 {
        made.push(siti.redeem(50).await);
    }
    // Two of the same millisecond are told apart too.
    api.execute("update redemptions set created_at = created_at / 60000 * 60000 where state = 'reserved'")
        .await;
    siti.done(&format!("/redemptions/{}/release", text(&made[0]["id"])), &json!({}))
        .await;
    let mut seen: Vec<Value> = vec![];
    let mut after = String::new();
    loop {
        let page = siti.read(&format!("/me/redemptions?limit=41{after}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
        if seen.len() == 41 {
            siti.redeem(50).await;
        }
    }
    let ids: BTreeSet<&str> = seen.iter().map(|voucher| text(&voucher["id"])).collect();
    assert_eq!((ids.len(), seen.len()), (before + 3, before + 3));
    assert!(seen.is_sorted_by(|newer, older| text(&newer["created_at"]) >= text(&older["created_at"])));
    for (state, count) in [("reserved", 3), ("released", 1), ("refunded", 0)] {
        let page = siti.read(&format!("/me/redemptions?limit=100&state={state}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|voucher| voucher["state"] == state));
        assert_eq!(items.len(), count, "{state}");
    }
    for query in [
        "state=lost",
        "state=unknown",
        "limit=0",
        "limit=101",
        "after=x",
        "after=e30",
        "page=2",
    ] {
        problem(siti.get(&format!("/me/redemptions?{query}")).await, "invalid_fields").await;
    }
    let hers = format!("/redemptions/{}", text(&made[1]["id"]));
    problem(linh.get(&hers).await, "not_found").await;
    problem(
        linh.post_once(&format!("{hers}/release"), &json!({})).await,
        "not_found",
    )
    .await;
    problem(linh.get("/redemptions/%00").await, "not_found").await;
    problem(
        api.till()
            .post_once("/counter/redemptions/%00/refund", &json!({}))
            .await,
        "not_found",
    )
    .await;
    for (visitor, code) in [
        (api.visitor(), "signed_out"),
        (linh, "signed_out"),
        (api.crm(), "forbidden"),
    ] {
        problem(
            visitor.post_once(&format!("/counter{hers}/refund"), &json!({})).await,
            code,
        )
        .await;
        problem(capture(&visitor, text(&made[1]["code"]), &json!({})).await, code).await;
    }
    problem(api.visitor().get("/me/redemptions").await, "signed_out").await;
    api.verify().await;
}

#[tokio::test]
async fn a_voucher_outlives_its_reward() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let wanted = json!({"reward_id": "extra-shot"});
    let voucher = linh.redeem_for(&wanted).await;
    let other = linh.redeem_for(&wanted).await;
    let quote = linh.quote(&wanted).await;
    api.execute("update rewards set removed_at = 1 where id = 'extra-shot'")
        .await;
    api.execute("update programme set revision = revision + 1").await;
    problem(linh.get("/rewards/extra-shot").await, "not_found").await;
    problem(linh.post("/quotes", &wanted).await, "not_found").await;
    let answer = linh.post_once("/redemptions", &json!({"quote_id": quote})).await;
    let gone = problem(answer, "reward_not_available").await;
    assert_eq!(gone["reasons"], json!([{"code": "ended"}]));
    assert_eq!(captured(&till, &voucher).await["reward"]["title"], "An extra shot");
    linh.done(&format!("/redemptions/{}/release", text(&other["id"])), &json!({}))
        .await;
    till.done(
        &format!("/counter/redemptions/{}/refund", text(&voucher["id"])),
        &json!({}),
    )
    .await;
    assert_eq!(linh.balance().await, (1250, 85));
    api.verify().await;
}
