//! What a member decides about themselves: profile, address, sessions, terms, a card, taking everything along, leaving.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use loyalty_api::db::is_sqlite;
use loyalty_api::token;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Column, Row};
use tempfile::TempDir;

use crate::commands::loyalty_api;
use crate::database::OwnDatabase;
use crate::mails::Inbox;
use crate::support::{Api, LINH, Visitor, euros, problem, purchase};

impl Visitor {
    async fn send(&self, method: Method, path: &str, body: &Value) -> Response {
        let request = self.request(method, &format!("/api/v1{path}"));
        request.json(body).send().await.unwrap()
    }

    async fn delete(&self, path: &str) -> Response {
        let request = self.request(Method::DELETE, &format!("/api/v1{path}"));
        request.send().await.unwrap()
    }

    async fn change(&self, etag: &str, body: &Value) -> Response {
        let request = self.request(Method::PATCH, "/api/v1/me/profile");
        request.header("if-match", etag).json(body).send().await.unwrap()
    }

    /// A challenge, and the code that a demo shows.
    async fn challenge_for(&self, purpose: &str, address: &str) -> Value {
        let body = json!({"address": address, "purpose": purpose});
        let answer = self.post("/auth/challenges", &body).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json().await.unwrap()
    }
}

fn etag(answer: &Response) -> String {
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

fn proof(challenge: &Value) -> Value {
    json!({"challenge_id": challenge["challenge_id"], "code": challenge["demo_code"]})
}

#[track_caller]
fn is_done(answer: &Response) {
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_profile_is_changed_only_as_it_was_seen() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let answer = linh.get("/me/profile").await;
    let seen = etag(&answer);
    assert!(seen.starts_with('"'), "{seen} is strong");
    assert_eq!(answer.headers()["cache-control"], "private, no-cache");
    let profile: Value = answer.json().await.unwrap();
    let code = profile["referral_code"].as_str().unwrap();
    assert_eq!(code.len(), 8);
    let expected = json!({
        "number": LINH, "name": "Linh", "address": "linh@brightleaf.example", "language": "en", "birthday": null,
        "phone": "+493023125014", "store": null, "referral_code": code, "accepted_terms_version": 2,
        "consents": {"offers": [], "reminders": [], "surveys": []}, "since": "2023-04-02",
    });
    assert_eq!(profile, expected);
    assert_eq!(linh.read("/me/profile").await["referral_code"], code, "it stays");

    let nameless = linh
        .send(Method::PATCH, "/me/profile", &json!({"name": "Linh N."}))
        .await;
    assert_eq!(
        problem(nameless, "precondition_required").await["status"],
        StatusCode::PRECONDITION_REQUIRED.as_u16()
    );
    let other = linh.change("\"another\"", &json!({"name": "Linh N."})).await;
    assert_eq!(
        problem(other, "profile_changed").await["status"],
        StatusCode::PRECONDITION_FAILED.as_u16()
    );
    // A proxy that compresses makes a strong tag a weak one.
    let change =
        json!({"name": " Linh N. ", "birthday": "1990-02-28", "consents": {"offers": ["push", "email", "push"]}});
    let answer = linh.change(&format!("W/{seen}"), &change).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let next = etag(&answer);
    let changed: Value = answer.json().await.unwrap();
    assert_eq!(changed["name"], "Linh N.");
    assert_eq!(changed["birthday"], "1990-02-28");
    assert_eq!(changed["consents"]["offers"], json!(["email", "push"]));
    assert_eq!(linh.read("/me/profile").await, changed);
    assert_eq!(linh.read("/me/status").await["member"]["name"], "Linh N.");

    // What moves points is no change of a profile.
    linh.redeem(100).await;
    assert_eq!(etag(&linh.get("/me/profile").await), next);
    let changes: Vec<_> = (0..8)
        .map(|number| {
            let (linh, next) = (linh.clone(), next.clone());
            tokio::spawn(async move {
                linh.change(&next, &json!({"name": format!("Linh {number}")}))
                    .await
                    .status()
            })
        })
        .collect();
    let mut done = 0;
    for change in changes {
        done += i32::from(change.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(done, 1, "of eight who saw the same, one");

    let taken_back = linh.change("*", &json!({"birthday": null, "language": "fa-IR"})).await;
    let taken_back: Value = taken_back.json().await.unwrap();
    assert_eq!(
        (&taken_back["birthday"], &taken_back["language"]),
        (&Value::Null, &json!("fa-IR"))
    );
    let wrong = json!({"name": " ", "language": "en_GB", "birthday": "2026-11-22"});
    let refused = problem(linh.change("*", &wrong).await, "invalid_fields").await;
    let pointers: Vec<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["pointer"])
        .collect();
    assert_eq!(pointers, ["/name", "/language", "/birthday"]);
    for (pointer, body) in [
        ("/number", json!({"number": "1"})),
        ("/consents/offers/0", json!({"consents": {"offers": ["pigeon"]}})),
    ] {
        let refused = problem(linh.change("*", &body).await, "invalid_fields").await;
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    problem(api.visitor().get("/me/profile").await, "signed_out").await;
}

#[tokio::test]
async fn another_address_takes_the_place_of_the_old_one_which_is_told() {
    let mut inbox = Inbox::open().await;
    let own = OwnDatabase::seeded_as_a_shop().await;
    let api = Api::over(
        own,
        &["--smtp-url", &inbox.url, "--mail-from", "no-reply@brightleaf.example"],
    )
    .await;
    let (old, new) = ("linh@brightleaf.example", "linh@nguyen.example");
    let sign_in = async |inbox: &mut Inbox, address: &str| {
        let visitor = api.visitor();
        let challenge = visitor.challenge(address).await;
        let mail = inbox.next().await;
        assert_eq!(mail.to(), address);
        let answer = visitor.answer(&challenge, &mail.code()).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        match answer.headers().contains_key("set-cookie") {
            true => Some(visitor.keeping(&answer)),
            false => None,
        }
    };
    let linh = sign_in(&mut inbox, old).await.unwrap().speaking("fa");
    let elsewhere = sign_in(&mut inbox, old).await.unwrap();
    let olga = sign_in(&mut inbox, "olga@brightleaf.example").await.unwrap();

    let asked = json!({"address": new, "purpose": "change_address"});
    problem(api.visitor().post("/auth/challenges", &asked).await, "signed_out").await;
    let challenge = linh.challenge_for("change_address", new).await;
    let mail = inbox.next().await;
    assert_eq!(mail.to(), new);
    let code = mail.code();
    // The code serves nothing else, and no other serves this.
    problem(linh.answer(&challenge, &code).await, "challenge_expired").await;
    let sent = linh.challenge("max@nguyen.example").await;
    let other = json!({"challenge_id": sent["challenge_id"], "code": inbox.next().await.code()});
    problem(linh.send(Method::PUT, "/me/address", &other).await, "challenge_expired").await;
    let answered = json!({"challenge_id": challenge["challenge_id"], "code": code});
    let wrong =
        json!({"challenge_id": challenge["challenge_id"], "code": if code == "000000" { "000001" } else { "000000" }});
    problem(linh.send(Method::PUT, "/me/address", &wrong).await, "code_wrong").await;
    let answer = linh.send(Method::PUT, "/me/address", &answered).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.json::<Value>().await.unwrap()["address"], new);
    problem(
        linh.send(Method::PUT, "/me/address", &answered).await,
        "challenge_expired",
    )
    .await;

    let notice = inbox.next().await;
    assert_eq!(notice.to(), old);
    let text = notice.text();
    assert!(
        text.contains("has another e-mail address") && text.contains("+49 30 23125 100"),
        "{text}"
    );
    assert!(!text.contains(new), "the old address is not told the new one");
    linh.read("/me/status").await;
    problem(elsewhere.get("/me/status").await, "signed_out").await;
    assert!(sign_in(&mut inbox, old).await.is_none(), "the old address is nobody's");
    let again = sign_in(&mut inbox, new).await.unwrap();
    assert_eq!(again.read("/me/profile").await["number"], LINH);

    // Whoever has no access to it learns nothing of an address, and whoever has cannot take it.
    let free = olga.challenge_for("change_address", "nobody@nguyen.example").await;
    let taken = olga.challenge_for("change_address", new).await;
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&free), fields(&taken));
    let mails = [inbox.next().await, inbox.next().await];
    let code = mails.iter().find(|mail| mail.to() == new).unwrap().code();
    let answered = json!({"challenge_id": taken["challenge_id"], "code": code});
    problem(olga.send(Method::PUT, "/me/address", &answered).await, "address_taken").await;
    assert_eq!(olga.read("/me/profile").await["address"], "olga@brightleaf.example");
    api.verify().await;
}

#[tokio::test]
async fn a_session_lasts_on_ones_own_phone_and_not_on_a_borrowed_one() {
    let api = Api::start().await;
    let wait = |time: TimeDelta| assert!(api.clock().move_to(api.clock().now() + time));
    let sign_in = async |remember: Option<bool>| {
        let visitor = api.visitor();
        let challenge = visitor.challenge("linh@brightleaf.example").await;
        let mut body = proof(&challenge);
        if let Some(remember) = remember {
            body["remember"] = remember.into();
        }
        let phone = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36";
        let request = visitor.request(Method::POST, "/api/v1/auth/sessions");
        let answer = request.header("user-agent", phone).json(&body).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        (visitor.keeping(&answer), cookie)
    };
    let (own, cookie) = sign_in(None).await;
    assert!(cookie.contains("; Max-Age=7776000;"), "{cookie}");
    let (borrowed, cookie) = sign_in(Some(false)).await;
    assert!(!cookie.contains("Max-Age"), "{cookie}");

    let found = own.read("/me/sessions").await;
    let sessions = found["items"].as_array().unwrap();
    assert_eq!((sessions.len(), &found["next"]), (2, &Value::Null));
    let (mine, other) = if sessions[0]["is_current"] == true {
        (0, 1)
    } else {
        (1, 0)
    };
    let now = serde_json::to_value(api.clock().now()).unwrap();
    assert_eq!(sessions[mine]["device"], "Chrome · Android");
    assert_eq!(
        (&sessions[mine]["is_current"], &sessions[mine]["is_remembered"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        (&sessions[other]["is_current"], &sessions[other]["is_remembered"]),
        (&json!(false), &json!(false))
    );
    assert!(sessions[mine]["last_seen_at"].as_str() <= now.as_str());

    // A borrowed phone ends by itself, so long after its last use.
    for _ in 0..3 {
        wait(TimeDelta::minutes(29));
        let used = borrowed.get("/me/profile").await;
        assert_eq!(used.status(), StatusCode::OK);
        assert!(!used.headers().contains_key("set-cookie"));
    }
    wait(TimeDelta::minutes(30));
    problem(borrowed.get("/me/profile").await, "signed_out").await;
    assert_eq!(own.read("/me/sessions").await["items"].as_array().unwrap().len(), 1);

    // One's own goes on as long as it is used, and its cookie is sent anew once a day.
    wait(TimeDelta::hours(23));
    let next_day = own.get("/me/profile").await;
    let cookie = next_day.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains(own.cookie()) && cookie.contains("; Max-Age=7776000;"),
        "{cookie}"
    );
    assert!(
        !own.get("/me/profile").await.headers().contains_key("set-cookie"),
        "once"
    );
    for _ in 0..3 {
        wait(TimeDelta::days(89));
        own.read("/me/profile").await;
    }
    wait(TimeDelta::days(90));
    problem(own.get("/me/profile").await, "signed_out").await;
}

#[tokio::test]
async fn a_member_ends_their_own_sessions_and_nobody_elses() {
    let api = Api::start().await;
    let (linh, second, third) = (
        api.member("linh").await,
        api.member("linh").await,
        api.member("linh").await,
    );
    let olga = api.member("olga").await;
    let id_of = async |visitor: &Visitor| {
        let found = visitor.read("/me/sessions").await;
        let sessions = found["items"].as_array().unwrap();
        let current = sessions.iter().find(|session| session["is_current"] == true).unwrap();
        current["id"].as_str().unwrap().to_owned()
    };
    let of_olga = id_of(&olga).await;
    problem(linh.delete(&format!("/me/sessions/{of_olga}")).await, "not_found").await;
    problem(linh.delete("/me/sessions/made%00up").await, "not_found").await;
    let of_second = id_of(&second).await;
    is_done(&linh.delete(&format!("/me/sessions/{of_second}")).await);
    problem(second.get("/me/status").await, "signed_out").await;
    problem(linh.delete(&format!("/me/sessions/{of_second}")).await, "not_found").await;
    third.read("/me/status").await;
    is_done(&linh.delete("/me/sessions").await);
    problem(third.get("/me/status").await, "signed_out").await;
    linh.read("/me/status").await;
    olga.read("/me/status").await;
    let of_linh = id_of(&linh).await;
    let out = linh.delete(&format!("/me/sessions/{of_linh}")).await;
    is_done(&out);
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    problem(linh.get("/me/status").await, "signed_out").await;
}

#[tokio::test]
async fn terms_are_agreed_to_by_their_version_and_move_nothing() {
    let api = Api::start().await;
    let siti = api.member("siti").await;
    assert_eq!(siti.read("/me/status").await["member"]["accepted_terms_version"], 1);
    let answer = siti.get("/programme/terms").await;
    let known = etag(&answer);
    let terms: Value = answer.json().await.unwrap();
    let versions: Vec<_> = terms["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|terms| &terms["version"])
        .collect();
    assert_eq!(versions, [2, 1], "newest first");
    let programme = siti.read("/programme").await;
    assert_eq!(terms["items"][0], programme["terms"]);
    let change = &programme["announced_changes"][0];
    assert_eq!(change["point_value"], json!({"points": 100, "money": euros(60)}));
    assert!(change.get("earning").is_none(), "what stays is not said");
    let request = siti.request(Method::GET, "/api/v1/programme/terms");
    let again = request.header("if-none-match", known).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);

    let (balance, entries) = (siti.balance().await, siti.newest(3).await);
    problem(siti.post("/me/terms", &json!({"version": 3})).await, "terms_unknown").await;
    problem(siti.post("/me/terms", &json!({"version": 0})).await, "terms_unknown").await;
    for version in [2, 2, 1] {
        is_done(&siti.post("/me/terms", &json!({"version": version})).await);
        assert_eq!(siti.read("/me/profile").await["accepted_terms_version"], 2);
    }
    assert_eq!((siti.balance().await, siti.newest(3).await), (balance, entries));
    let agreements = &siti.read("/me/export").await["agreements"];
    assert_eq!(agreements.as_array().unwrap().len(), 2, "each once: {agreements}");
    problem(
        api.visitor().post("/me/terms", &json!({"version": 2})).await,
        "signed_out",
    )
    .await;
    api.verify().await;
}

#[tokio::test]
async fn a_printed_card_is_shown_once_and_takes_the_place_of_the_old() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    assert_eq!(linh.read("/me/cards").await["items"], json!([]));
    let make = async || {
        let answer = linh.post("/me/cards", &json!({})).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json::<Value>().await.unwrap()
    };
    let (first, second) = (make().await, make().await);
    let digits = second["digits"].as_str().unwrap();
    assert!(digits.len() == 28 && digits.starts_with(LINH) && digits.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(second["text"], format!("LWC1.{LINH}.{}", &digits[12..]));
    assert_ne!(first["digits"], second["digits"]);
    let cards = linh.read("/me/cards").await;
    assert_eq!(
        cards["items"],
        json!([{"card_id": second["card_id"], "created_at": second["created_at"]}])
    );
    let (kept,): (String,) = sqlx::query_as("select digits_hash from cards")
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!(kept, token::hash(digits), "only a hash is kept");

    let path = format!("/me/cards/{}", second["card_id"].as_str().unwrap());
    problem(api.member("olga").await.delete(&path).await, "not_found").await;
    is_done(&linh.delete(&path).await);
    problem(linh.delete(&path).await, "not_found").await;
    assert_eq!(linh.read("/me/cards").await["items"], json!([]));
}

/// The tables that say whose a row is, and all of them, as the migrations make them.
fn tables() -> (BTreeSet<String>, BTreeSet<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let (mut of_members, mut all) = (BTreeSet::new(), BTreeSet::new());
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for statement in text.split(';') {
            let Some((_, table)) = statement.split_once("create table ") else {
                continue;
            };
            let (name, columns) = table.split_once(' ').unwrap();
            all.insert(name.to_owned());
            if columns.contains("member_id text") {
                of_members.insert(name.to_owned());
            }
        }
    }
    assert!(all.len() > 20 && of_members.contains("sessions"), "{all:?}");
    (of_members, all)
}

/// Every text in a table, with the column it stands in.
async fn texts(api: &Api, table: &str) -> Vec<(String, String)> {
    let rows = sqlx::query(AssertSqlSafe(format!("select * from {table}")))
        .fetch_all(&api.db)
        .await
        .unwrap();
    let text = |row: &sqlx::any::AnyRow, at: usize| {
        let value = row.try_get::<Option<String>, _>(at).ok().flatten()?;
        Some((row.column(at).name().to_owned(), value))
    };
    rows.iter()
        .flat_map(|row| {
            (0..row.columns().len())
                .filter_map(|at| text(row, at))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test]
async fn an_export_holds_everything() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let mut bought = purchase(&api, "t-1", 4000);
    bought["member"] = LINH.into();
    bought["lines"] = json!([{"sku": "KETTLE", "category": "kitchen", "quantity": 1, "total": euros(4000)}]);
    till.done("/purchases", &bought).await;
    let voucher = linh.redeem(100).await;
    linh.change("*", &json!({"consents": {"reminders": ["email"]}})).await;
    let card: Value = linh.post("/me/cards", &json!({})).await.json().await.unwrap();
    let device = json!({"device_name": "Linh's phone"});
    let key: Value = linh.post("/me/code-keys", &device).await.json().await.unwrap();
    let adjusted = json!({"member": LINH, "points": 10, "reason": "A cold coffee"});
    api.staff("900").await.done("/counter/adjustments", &adjusted).await;

    let answer = linh.get("/me/export").await;
    assert_eq!(
        answer.headers()["content-disposition"],
        format!("attachment; filename=\"brightleaf-{LINH}.json\"")
    );
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let export: Value = answer.json().await.unwrap();
    assert_eq!(export["profile"], linh.read("/me/profile").await);
    let count = async |what: &str| {
        let statement =
            format!("select count(*) from {what} t join members m on m.id = t.member_id where m.number = '{LINH}'");
        let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(statement))
            .fetch_one(&api.db)
            .await
            .unwrap();
        usize::try_from(count).unwrap()
    };
    // Whoever adds a table of what members have says here where it stands in what they take along.
    let held = [
        ("agreements", Some("agreements")),
        ("audit", Some("audit")),
        ("cards", Some("cards")),
        ("claims", Some("claims")),
        ("code_keys", Some("code_keys")),
        ("consent_changes", Some("consents")),
        ("entries", Some("ledger")),
        ("purchases", Some("purchases")),
        ("redemptions", Some("redemptions")),
        ("reports", Some("reports")),
        ("sessions", Some("sessions")),
        // What the status sums up, questions about what would happen, and what others are told of the rest.
        ("lots", None),
        ("outbox", None),
        ("qualifying", None),
        ("quotes", None),
        // Over within minutes.
        ("visits", None),
        // A member of the staff, who is somebody else here.
        ("staff", None),
    ];
    let named: BTreeSet<_> = held.iter().map(|(table, _)| (*table).to_owned()).collect();
    let (mut of_members, _) = tables();
    of_members.insert("staff".to_owned());
    assert_eq!(named, of_members);
    for (table, field) in held {
        let Some(field) = field else { continue };
        let items = export[field].as_array().unwrap_or_else(|| panic!("{field}"));
        assert_eq!(items.len(), count(table).await, "{table}");
    }
    let points: i64 = export["ledger"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["points"].as_i64().unwrap())
        .sum();
    let balance = &export["status"]["balance"];
    assert_eq!(
        points,
        balance["available"].as_i64().unwrap() + balance["pending"].as_i64().unwrap()
    );
    let kettle = export["purchases"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&kettle["external_id"], &kettle["lines"][0]["sku"]),
        (&json!("t-1"), &json!("KETTLE"))
    );
    assert_eq!(
        export["redemptions"].as_array().unwrap().last().unwrap()["id"],
        voucher["id"]
    );
    assert_eq!(export["consents"][0]["consents"]["reminders"], json!(["email"]));
    assert_eq!(export["cards"][0]["card_id"], card["card_id"]);
    assert_eq!(export["audit"][0]["action"], "adjust");
    let text = export.to_string();
    assert_eq!(export["code_keys"][0]["device_name"], "Linh's phone");
    let secrets = ["digits", "secret"].map(|name| card[name].as_str().or(key[name].as_str()).unwrap());
    for secret in [&["token", "hash"][..], &secrets].concat() {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_is_forgotten_and_the_books_still_agree() {
    let api = Api::start().await;
    api.execute("update rewards set stock = 3 where id = 'small-coffee'")
        .await;
    let (linh, till) = (api.member("linh").await, api.till());
    till.sells(&api, LINH, "t-1", 4000).await;
    let used = linh.redeem(200).await;
    let capture = format!("/counter/redemptions/{}/capture", used["code"].as_str().unwrap());
    till.done(&capture, &json!({})).await;
    linh.redeem(100).await;
    linh.redeem_for(&json!({"reward_id": "small-coffee"})).await;
    let card: Value = linh.post("/me/cards", &json!({})).await.json().await.unwrap();
    let change = json!({"birthday": "1990-02-28", "phone": "+49 30 23125-015", "consents": {"offers": ["email"]}});
    let profile: Value = linh.change("*", &change).await.json().await.unwrap();
    assert_eq!(profile["phone"], "+493023125015");
    let device = json!({"device_name": "Linh's phone"});
    assert_eq!(linh.post("/me/code-keys", &device).await.status(), StatusCode::CREATED);
    till.post("/counter/identify", &json!({"phone": "+493023125015"})).await;
    let adjusted = json!({"member": LINH, "points": 10, "reason": "Sorry, Linh"});
    api.staff("900").await.done("/counter/adjustments", &adjusted).await;
    let elsewhere = api.member("linh").await;
    let (member_id,): (String,) = sqlx::query_as("select id from members where number = $1")
        .bind(LINH)
        .fetch_one(&api.db)
        .await
        .unwrap();

    // Only with a code that was sent to their own address for this.
    let others = linh.challenge_for("leave", "olga@brightleaf.example").await;
    problem(
        linh.send(Method::DELETE, "/me", &proof(&others)).await,
        "challenge_expired",
    )
    .await;
    let for_signing_in = linh.challenge("linh@brightleaf.example").await;
    problem(
        linh.send(Method::DELETE, "/me", &proof(&for_signing_in)).await,
        "challenge_expired",
    )
    .await;
    let challenge = linh.challenge_for("leave", "linh@brightleaf.example").await;
    problem(
        api.visitor().send(Method::DELETE, "/me", &proof(&challenge)).await,
        "signed_out",
    )
    .await;
    let left = linh.send(Method::DELETE, "/me", &proof(&challenge)).await;
    is_done(&left);
    assert!(left.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    for session in [&linh, &elsewhere] {
        problem(session.get("/me/status").await, "signed_out").await;
    }
    api.verify().await;

    // Nothing says who it was, but the number that nobody gets again and the word to whoever else knows it.
    let (of_members, all) = tables();
    let personal = [
        "linh@",
        "Linh",
        LINH,
        card["digits"].as_str().unwrap(),
        profile["referral_code"].as_str().unwrap(),
        "+493023125015",
    ];
    for table in &all {
        for (column, text) in texts(&api, table).await {
            let found = personal.iter().find(|word| text.contains(**word));
            let is_told = matches!(table.as_str(), "former_numbers" | "outbox");
            assert!(found.is_none() || is_told, "{table}.{column}: {text}");
        }
    }
    let kept = ["audit", "entries", "lots", "purchases", "qualifying", "redemptions"];
    for table in of_members {
        let statement = format!("select count(*) from {table} where member_id = $1");
        let (rows,): (i64,) = sqlx::query_as(AssertSqlSafe(statement))
            .bind(&member_id)
            .fetch_one(&api.db)
            .await
            .unwrap();
        assert!(rows == 0 || kept.contains(&table.as_str()), "{table}");
    }
    let (told, of_member): (String, Option<String>) =
        sqlx::query_as("select body, member_id from outbox where kind = 'member.left'")
            .fetch_one(&api.db)
            .await
            .unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["data"], of_member), (&json!({"member": LINH}), None));
    let (stock,): (i64,) = sqlx::query_as("select stock from rewards where id = 'small-coffee'")
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!(stock, 3, "what was reserved is there for others");
    let newest = async || {
        let statement = "select kind, points, balance_after, reason from entries where member_id = $1
            order by seq desc limit 1";
        let entry: (String, i64, i64, Option<String>) = sqlx::query_as(statement)
            .bind(&member_id)
            .fetch_one(&api.db)
            .await
            .unwrap();
        entry
    };
    let (kind, points, balance_after, reason) = newest().await;
    assert_eq!(
        (kind.as_str(), points, balance_after),
        ("expire", -(1250 - 200 + 85 + 400 + 10), 0)
    );
    assert!(reason.unwrap().contains("The membership ended."));

    // What tills still have to say is recorded, and nothing is left of it.
    let late = till.sells(&api, LINH, "t-2", 1000).await;
    assert_eq!((&late["member_state"], &late["points"]), (&json!("unknown"), &json!(0)));
    let back = json!({"external_id": "r-1", "amount": euros(4000)});
    till.done("/purchases/t-1/returns", &back).await;
    api.verify().await;
    assert_eq!(newest().await.2, 0, "what is over is not owed");
    let refund = format!("/counter/redemptions/{}/refund", used["id"].as_str().unwrap());
    till.done(&refund, &json!({})).await;
    let (kind, points, balance_after, _) = newest().await;
    assert_eq!(
        (kind.as_str(), points, balance_after),
        ("expire", -200, 0),
        "what comes back is over at once"
    );
    let numbers: Vec<String> = texts(&api, "purchases")
        .await
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert!(!numbers.iter().any(|text| text.contains(LINH)));
    let again = api
        .staff("900")
        .await
        .post_once("/counter/adjustments", &adjusted)
        .await;
    problem(again, "not_found").await;
    let (events,): (i64,) = sqlx::query_as("select count(*) from outbox where member_id = $1")
        .bind(&member_id)
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!(events, 0, "nobody is told of somebody who left");
    api.verify().await;

    // Neither a file nor the address brings them back; whoever joins anew begins anew.
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("members.csv");
    fs::write(
        &file,
        format!("number,name,email,language,since\n{LINH},Linh,linh@brightleaf.example,en,2023-04-02\n"),
    )
    .unwrap();
    loyalty_api(&["--database-url", api.url(), "import", "members", file.to_str().unwrap()]);
    let rejected = fs::read_to_string(folder.path().join("members.csv.rejected.csv")).unwrap();
    assert!(rejected.contains("whoever had this number has left"), "{rejected}");
    let exported = loyalty_api(&["--database-url", api.url(), "export", "members"]);
    assert_eq!(
        String::from_utf8_lossy(&exported.stdout).lines().count(),
        6,
        "a head, and the five who are left"
    );
    let visitor = api.visitor();
    let challenge = visitor.challenge("linh@brightleaf.example").await;
    let proved: Value = visitor
        .answer(&challenge, challenge["demo_code"].as_str().unwrap())
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(proved["state"], "new");
    let form = json!({
        "enrolment_token": proved["enrolment_token"], "name": "Linh", "language": "en", "accepted_terms_version": 2,
        "consents": {},
    });
    let joined = visitor.post("/members", &form).await;
    let linh = visitor.keeping(&joined);
    assert_ne!(joined.json::<Value>().await.unwrap()["number"], LINH);
    assert_eq!(linh.balance().await, (0, 0));
    api.verify().await;
}

#[tokio::test]
async fn what_somebody_owed_when_they_left_stays_in_the_books() {
    let api = Api::start().await;
    let olga = api.member("olga").await;
    let (available, _) = olga.balance().await;
    assert!(available < 0);
    let challenge = olga.challenge_for("leave", "olga@brightleaf.example").await;
    is_done(&olga.send(Method::DELETE, "/me", &proof(&challenge)).await);
    let (balance, due): (i64, Option<i64>) = sqlx::query_as("select balance, due_at from members where state = 'left'")
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!((balance, due), (available, None));
    api.move_to("2029-01-01T00:00:00Z").await;
    api.verify().await;
}

#[tokio::test]
async fn whoever_leaves_while_tills_sell_has_nothing_afterwards() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let challenge = linh.challenge_for("leave", "linh@brightleaf.example").await;
    let sales: Vec<_> = (0..8)
        .map(|number| {
            let mut sale = purchase(&api, &format!("t-{number}"), 1000);
            sale["member"] = LINH.into();
            let till = till.clone();
            tokio::spawn(async move { till.post_once("/purchases", &sale).await.status() })
        })
        .collect();
    let answers: Vec<_> = (0..2)
        .map(|_| {
            let (linh, proof) = (linh.clone(), proof(&challenge));
            tokio::spawn(async move { linh.send(Method::DELETE, "/me", &proof).await.status() })
        })
        .collect();
    for sale in sales {
        assert_eq!(sale.await.unwrap(), StatusCode::CREATED);
    }
    let mut left = 0;
    for answer in answers {
        left += i32::from(answer.await.unwrap() == StatusCode::NO_CONTENT);
    }
    assert_eq!(left, 1);
    let (balance,): (i64,) = sqlx::query_as("select balance from members where state = 'left'")
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!(balance, 0);
    assert!(!texts(&api, "purchases").await.iter().any(|(_, text)| text == LINH));
    api.verify().await;
}

#[tokio::test]
async fn what_is_under_way_when_somebody_leaves_leaves_nothing_of_them() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let (member_id,): (String,) = sqlx::query_as("select id from members where number = $1")
        .bind(LINH)
        .fetch_one(&api.db)
        .await
        .unwrap();
    let leaving = linh.challenge_for("leave", "linh@brightleaf.example").await;
    let moving = linh.challenge_for("change_address", "linh@nguyen.example").await;
    api.attend().await.unwrap();
    // Each is let in as a member, and then waits for its turn.
    let mut held = if is_sqlite(&api.db) {
        api.db.begin_with("begin immediate").await.unwrap()
    } else {
        api.db.begin().await.unwrap()
    };
    sqlx::query("update members set version = version where number = $1")
        .bind(LINH)
        .execute(&mut *held)
        .await
        .unwrap();
    let mut answers = vec![];
    for (method, path, body) in [
        (Method::DELETE, "/me", proof(&leaving)),
        (
            Method::PATCH,
            "/me/profile",
            json!({"name": "Linh", "birthday": "1990-02-28"}),
        ),
        (Method::PUT, "/me/address", proof(&moving)),
        (Method::POST, "/me/cards", json!({})),
        (Method::POST, "/me/terms", json!({"version": 2})),
        (Method::POST, "/me/reports", json!({"text": "It is me, Linh."})),
    ] {
        let request = linh.request(method, &format!("/api/v1{path}"));
        let request = request
            .header("if-match", "*")
            .header("idempotency-key", "1")
            .json(&body);
        answers.push(tokio::spawn(async move { request.send().await.unwrap() }));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    held.rollback().await.unwrap();
    let mut answers = answers.into_iter();
    is_done(&answers.next().unwrap().await.unwrap());
    for answer in answers {
        problem(answer.await.unwrap(), "signed_out").await;
    }

    // Nor does a device stay that was signing in just then.
    let secret = "a-device-that-was-signing-in";
    sqlx::query("insert into sessions (id, token_hash, member_id, created_at, expires_at) values ('s', $1, $2, 0, $3)")
        .bind(token::hash(secret))
        .bind(&member_id)
        .bind(i64::MAX)
        .execute(&api.db)
        .await
        .unwrap();
    let device = api.visitor().request(Method::GET, "/api/v1/me/profile");
    let answer = device
        .header("cookie", format!("loyalty_session={secret}"))
        .send()
        .await;
    problem(answer.unwrap(), "signed_out").await;
    api.execute("delete from sessions").await;

    let (name, kept): (String, i64) = sqlx::query_as(
        "select name, (case when email is null and birthday is null and consents is null and terms_version is null
            and own_referral_code is null then 0 else 1 end) from members where id = $1",
    )
    .bind(&member_id)
    .fetch_one(&api.db)
    .await
    .unwrap();
    assert_eq!((name.as_str(), kept), ("", 0));
    for table in ["cards", "agreements", "reports"] {
        let statement = format!("select count(*) from {table} where member_id = $1");
        let (rows,): (i64,) = sqlx::query_as(AssertSqlSafe(statement))
            .bind(&member_id)
            .fetch_one(&api.db)
            .await
            .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    api.verify().await;
}

#[tokio::test]
async fn whoever_signs_in_by_an_address_that_is_just_given_up_is_nobody() {
    let api = Api::start().await;
    let visitor = api.visitor();
    let challenge = visitor.challenge("linh@brightleaf.example").await;
    let mut held = if is_sqlite(&api.db) {
        api.db.begin_with("begin immediate").await.unwrap()
    } else {
        api.db.begin().await.unwrap()
    };
    sqlx::query("update members set email = 'linh@nguyen.example' where number = $1")
        .bind(LINH)
        .execute(&mut *held)
        .await
        .unwrap();
    let code = challenge["demo_code"].as_str().unwrap();
    let (answer, ()) = tokio::join!(visitor.answer(&challenge, code), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        held.commit().await.unwrap();
    });
    assert!(!answer.headers().contains_key("set-cookie"));
    assert_eq!(answer.json::<Value>().await.unwrap()["state"], "new");
}
