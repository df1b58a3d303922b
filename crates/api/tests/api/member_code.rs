//! The code on a member's phone, who finds them by it, and what a visit is good for.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use loyalty_api::db::Database;
use loyalty_api::serve::start;
use loyalty_contract::Instant;
use loyalty_rules::member_code::{barcode_text, digits, message, qr_text, step};
use reqwest::{Method, Response, StatusCode};
use ring::hmac;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::time::Instant as Moment;

use crate::database::OwnDatabase;
use crate::mails::Inbox;
use crate::support::{AMIR, Api, LINH, NOW, PAVEL, Visitor, config, problem, purchase};

/// A phone that has a key.
struct Phone {
    number: String,
    key_id: String,
    secret: Vec<u8>,
}

impl Phone {
    async fn of(member: &Visitor) -> Self {
        let answer = member.post("/me/code-keys", &named("Chrome on Android")).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let key: Value = answer.json().await.unwrap();
        let told = |name: &str| key[name].as_str().unwrap().to_owned();
        assert_eq!(
            (told("algorithm").as_str(), &key["digits"], &key["period_s"]),
            ("SHA-256", &json!(8), &json!(30))
        );
        Self {
            number: told("member_number"),
            key_id: told("key_id"),
            secret: URL_SAFE_NO_PAD.decode(told("secret")).unwrap(),
        }
    }

    /// What it shows so many steps from now.
    fn digits(&self, now: Instant, steps: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        let step = step(now + TimeDelta::seconds(30 * steps));
        digits(hmac::sign(&key, &message(step)).as_ref()).unwrap()
    }

    /// Its QR now.
    fn shows(&self, api: &Api) -> String {
        qr_text(&self.number, &self.digits(api.clock().now(), 0))
    }
}

fn named(device: &str) -> Value {
    json!({"device_name": device})
}

fn pass(api: &Api, seconds: i64) {
    assert!(api.clock().move_to(api.clock().now() + TimeDelta::seconds(seconds)));
}

async fn scan(who: &Visitor, code: &str) -> Response {
    who.post("/counter/identify", &json!({"code": code})).await
}

/// Whom the scan finds, as a visit.
#[track_caller]
fn found(answer: Response) -> impl Future<Output = Value> {
    let caller = std::panic::Location::caller();
    async move {
        let status = answer.status();
        let found: Value = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::OK, "at {caller}: {found}");
        found
    }
}

fn with(mut purchase: Value, name: &str, value: &Value) -> Value {
    purchase[name] = value.clone();
    purchase
}

#[tokio::test]
async fn a_code_finds_its_member_and_says_what_serving_them_takes() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let phone = Phone::of(&linh).await;
    linh.redeem(100).await;
    let answer = scan(&api.staff("101").await, &phone.shows(&api)).await;
    assert_eq!(
        (
            &answer.headers()["cache-control"],
            &answer.headers()["content-language"]
        ),
        (&"no-store".parse().unwrap(), &"en".parse().unwrap())
    );
    let linh_found = found(answer).await;
    assert_eq!(
        (&linh_found["name"], &linh_found["phone_end"], &linh_found["state"]),
        (&json!("Linh"), &json!("014"), &json!("active"))
    );
    assert_eq!(linh_found["tier"], json!({"id": "silver", "name": "Silver"}));
    assert_eq!(linh_found["balance"]["available"], 1150);
    assert_eq!(linh_found["balance"]["worth"]["minor"], 575);
    assert_eq!(linh_found["vouchers"][0]["money"]["minor"], 50);
    let rewards = linh_found["rewards"].as_array().unwrap();
    assert!(
        !rewards.is_empty()
            && rewards
                .iter()
                .all(|reward| reward["cost_points"].as_i64() <= Some(1150))
    );
    // Neither who they are beyond that, nor what would spend for them.
    let voucher = linh.read("/me/redemptions?state=reserved").await;
    let text = linh_found.to_string();
    for hidden in ["@", LINH, "+49", voucher["items"][0]["code"].as_str().unwrap()] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }

    // In both spellings and however a person would type it, at a till with a key too.
    pass(&api, 30);
    let digits = phone.digits(api.clock().now(), 0);
    found(scan(&api.till(), &barcode_text(LINH, &digits)).await).await;
    pass(&api, 30);
    let typed = phone.shows(&api).to_lowercase().replace('.', " . ");
    found(scan(&api.till(), &typed).await).await;
    let keys = linh.read("/me/code-keys").await;
    assert_eq!(
        keys["items"][0]["last_used_at"].as_str().map(|at| &at[..16]),
        Some("2026-11-21T10:01")
    );

    // Whoever cannot be served is found all the same.
    let pavel = Phone::of(&api.member("pavel").await).await;
    let paused = found(scan(&api.till(), &pavel.shows(&api)).await).await;
    assert_eq!((&paused["state"], &paused["rewards"]), (&json!("paused"), &json!([])));

    // Nobody else may ask.
    problem(scan(&api.visitor(), &phone.shows(&api)).await, "signed_out").await;
    problem(scan(&linh, &phone.shows(&api)).await, "signed_out").await;
    problem(
        scan(&api.key("purchases", None).await, &phone.shows(&api)).await,
        "forbidden",
    )
    .await;
}

#[tokio::test]
async fn a_code_is_accepted_once_however_many_scan_it_at_once() {
    let api = Api::start().await;
    let other = api.another_server().await;
    let phone = Phone::of(&api.member("linh").await).await;
    let code = phone.shows(&api);
    // Each with a key of its own, so that nobody is locked for the misses of others; half of them elsewhere.
    let mut scans = tokio::task::JoinSet::new();
    for place in 0..16 {
        let (till, code) = (api.key("identify", None).await, code.clone());
        let address = (place % 2 == 0).then(|| format!("http://{}", other.address));
        scans.spawn(async move {
            let till = match address {
                Some(address) => till.at(&address),
                None => till,
            };
            scan(&till, &code).await.status()
        });
    }
    let mut statuses = scans.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses.len()), (StatusCode::OK, 16));
    assert!(
        statuses[1..].iter().all(|status| *status == StatusCode::NOT_FOUND),
        "{statuses:?}"
    );
    other.stop().await.unwrap();

    // An earlier code serves no more either, and the next one does.
    let earlier = qr_text(LINH, &phone.digits(api.clock().now(), -1));
    problem(scan(&api.till(), &earlier).await, "not_found").await;
    pass(&api, 30);
    found(scan(&api.till(), &phone.shows(&api)).await).await;
}

#[tokio::test]
async fn a_code_counts_for_a_minute_and_one_of_a_clock_that_is_half_a_minute_off_too() {
    let api = Api::start().await;
    let phone = Phone::of(&api.member("linh").await).await;
    let till = api.till();
    let code = |steps| qr_text(LINH, &phone.digits(api.clock().now(), steps));
    problem(scan(&till, &code(-2)).await, "not_found").await;
    problem(scan(&till, &code(2)).await, "not_found").await;
    found(scan(&till, &code(-1)).await).await;
    found(scan(&till, &code(0)).await).await;
    found(scan(&till, &code(1)).await).await;

    // What was photographed is worth nothing a minute later.
    pass(&api, 300);
    let screenshot = code(0);
    pass(&api, 60);
    problem(scan(&till, &screenshot).await, "not_found").await;
    found(scan(&till, &code(0)).await).await;
}

#[tokio::test]
async fn whoever_is_refused_learns_nothing_and_has_twenty_tries() {
    let api = Api::start().await;
    let linh = Phone::of(&api.member("linh").await).await;
    let amir = Phone::of(&api.member("amir").await).await;
    let clerk = api.staff("101").await;
    let now = api.clock().now();
    let used = linh.shows(&api);
    found(scan(&clerk, &used).await).await;
    let wrong = [
        used,
        qr_text(LINH, &amir.digits(now, 0)),
        qr_text(AMIR, &linh.digits(now, 0)),
        qr_text("100000000000", &linh.digits(now, 0)),
        qr_text(AMIR, &amir.digits(now, 7)),
        format!("LWC1.{LINH}.0123456789012345"),
        "LWC1.100000000000.0123456789012345".to_owned(),
    ];
    let mut answers = vec![];
    for code in &wrong {
        let answer = scan(&clerk, code).await;
        let headers = format!("{:?}", answer.headers().get("retry-after"));
        answers.push((problem(answer, "not_found").await, headers));
    }
    let unknown = clerk
        .post("/counter/identify", &json!({"number": "100000000000"}))
        .await;
    answers.push((problem(unknown, "not_found").await, "None".into()));
    let unknown = clerk.post("/counter/identify", &json!({"phone": "+4930999999"})).await;
    answers.push((problem(unknown, "not_found").await, "None".into()));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");

    // What is no code at all is no try.
    let article = scan(&clerk, "4006381333931").await;
    assert_eq!(
        problem(article, "invalid_fields").await["errors"][0]["pointer"],
        "/code"
    );
    let both = clerk
        .post("/counter/identify", &json!({"code": wrong[0], "number": LINH}))
        .await;
    problem(both, "invalid_fields").await;
    problem(clerk.post("/counter/identify", &json!({})).await, "invalid_fields").await;

    for _ in answers.len()..20 {
        problem(scan(&clerk, "LW1.100000000000.00000000").await, "not_found").await;
    }
    pass(&api, 30);
    let locked = scan(&clerk, &amir.shows(&api)).await;
    assert_eq!(locked.headers()["retry-after"], problem_wait(&locked));
    problem(locked, "too_many_attempts").await;
    // Somebody else at the counter is not, and the code was not used up.
    let (second, till) = (api.staff("101").await, api.till());
    found(scan(&second, &amir.shows(&api)).await).await;

    // What is tried from many places about one member is counted for the member.
    for _ in 0..17 {
        let key = api.key("identify", None).await;
        problem(scan(&key, &qr_text(LINH, "00000000")).await, "not_found").await;
    }
    problem(scan(&till, &linh.shows(&api)).await, "too_many_attempts").await;
    pass(&api, 601);
    found(scan(&till, &linh.shows(&api)).await).await;
    found(scan(&clerk, &amir.shows(&api)).await).await;
}

/// A wait that makes sense: above nothing, and no longer than what is counted.
fn problem_wait(answer: &Response) -> String {
    let seconds: u32 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=600).contains(&seconds));
    seconds.to_string()
}

#[tokio::test]
async fn a_refusal_takes_as_long_for_nobody_as_for_somebody() {
    let api = Api::start_with(&["--burst", "100000"]).await;
    let phone = Phone::of(&api.member("linh").await).await;
    let mut times = [vec![], vec![]];
    for turn in 0..24 {
        for (kind, number) in [LINH, "100000000000"].iter().enumerate() {
            // Anew for each, so that nobody is locked meanwhile.
            api.execute("delete from wrong_guesses").await;
            let key = api.key("identify", None).await;
            let begun = Moment::now();
            problem(scan(&key, &qr_text(number, "00000000")).await, "not_found").await;
            if turn >= 4 {
                times[kind].push(begun.elapsed());
            }
        }
    }
    let [somebody, nobody] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let (longer, shorter) = (somebody.max(nobody), somebody.min(nobody));
    assert!(longer < shorter * 2, "{somebody:?} for somebody, {nobody:?} for nobody");
    found(scan(&api.till(), &phone.shows(&api)).await).await;
}

#[tokio::test]
async fn a_key_ends_with_its_session_however_that_ends() {
    let api = Api::start().await;
    let till = api.till();
    let refused = async |phone: &Phone| problem(scan(&till, &phone.shows(&api)).await, "not_found").await;
    let second = async || api.member("linh").await;
    let own = api.member("linh").await;
    let kept = Phone::of(&own).await;

    // Signed out; ended by its id and with all others; replaced by another sign-in; expired; ended by itself.
    let out = second().await;
    let phone = Phone::of(&out).await;
    let gone = out
        .request(Method::DELETE, "/api/v1/auth/sessions/current")
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    refused(&phone).await;

    api.execute("update challenges set created_at = created_at - 30001")
        .await;
    let phone = Phone::of(&second().await).await;
    let listed = own.read("/me/code-keys").await;
    let others = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["is_current"] == false)
        .unwrap();
    assert_eq!(
        (&others["key_id"], &others["device_name"]),
        (&json!(phone.key_id), &json!("Chrome on Android"))
    );
    let path = format!("/api/v1/me/sessions/{}", others["session_id"].as_str().unwrap());
    own.request(Method::DELETE, &path).send().await.unwrap();
    refused(&phone).await;

    api.execute("update challenges set created_at = created_at - 30001")
        .await;
    let phone = Phone::of(&second().await).await;
    own.request(Method::DELETE, "/api/v1/me/sessions").send().await.unwrap();
    refused(&phone).await;

    api.execute("update challenges set created_at = created_at - 30001")
        .await;
    let phone = Phone::of(&second().await).await;
    api.execute("update sessions set expires_at = 1 where created_at = (select max(created_at) from sessions)")
        .await;
    refused(&phone).await;

    api.execute("update challenges set created_at = created_at - 30001")
        .await;
    let phone = Phone::of(&second().await).await;
    let olga = api.member("olga").await;
    let path = format!("/api/v1/me/code-keys/{}", phone.key_id);
    let others = olga.request(Method::DELETE, &path).send().await.unwrap();
    problem(others, "not_found").await;
    let ended = own.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    refused(&phone).await;

    // A session that asks again has one key still, and the one before counts no more.
    let newer = Phone::of(&own).await;
    refused(&kept).await;
    found(scan(&till, &newer.shows(&api)).await).await;
    let listed = own.read("/me/code-keys").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed["items"][0]["is_current"], &listed["next"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(olga.read("/me/code-keys").await["items"], json!([]));
}

#[tokio::test]
async fn ten_devices_show_a_code_and_each_of_them_is_accepted() {
    let api = Api::start().await;
    let mut phones = vec![];
    let mut last = None;
    for _ in 0..10 {
        let member = api.member("linh").await;
        phones.push(Phone::of(&member).await);
        api.execute("update challenges set created_at = created_at - 30001")
            .await;
        last = Some(member);
    }
    let eleventh = api.member("linh").await;
    problem(
        eleventh.post("/me/code-keys", &named("One more")).await,
        "too_many_code_keys",
    )
    .await;
    phones.pop();
    phones.push(Phone::of(&last.unwrap()).await);
    for phone in &phones {
        found(scan(&api.till(), &phone.shows(&api)).await).await;
    }
    let path = format!("/api/v1/me/code-keys/{}", phones[0].key_id);
    eleventh.request(Method::DELETE, &path).send().await.unwrap();
    found(scan(&api.till(), &Phone::of(&eleventh).await.shows(&api)).await).await;
    for name in ["", " ", &"x".repeat(61), "a\nb"] {
        problem(eleventh.post("/me/code-keys", &named(name)).await, "invalid_fields").await;
    }
}

#[tokio::test]
async fn a_card_a_number_and_a_telephone_find_members_too() {
    let api = Api::start().await;
    let (linh, clerk, till) = (api.member("linh").await, api.staff("101").await, api.till());
    let card: Value = linh.post("/me/cards", &json!({})).await.json().await.unwrap();
    // In both spellings, and as often as they like: it is printed.
    for spelling in ["text", "digits", "text"] {
        found(scan(&clerk, card[spelling].as_str().unwrap()).await).await;
    }
    let newer: Value = linh.post("/me/cards", &json!({})).await.json().await.unwrap();
    problem(scan(&clerk, card["text"].as_str().unwrap()).await, "not_found").await;
    found(scan(&clerk, newer["text"].as_str().unwrap()).await).await;

    let ask = async |who: &Visitor, body: Value| who.post("/counter/identify", &body).await;
    let audited = async || {
        let (count,): (i64,) = sqlx::query_as("select count(*) from audit where action = 'identify'")
            .fetch_one(&api.db)
            .await
            .unwrap();
        count
    };
    assert_eq!(audited().await, 0, "who shows a code or a card wants to be found");
    assert_eq!(
        found(ask(&clerk, json!({"number": "5121 0231 4864"})).await).await["name"],
        "Linh"
    );
    assert_eq!(
        found(ask(&till, json!({"phone": "0049 30 23125-014"})).await).await["name"],
        "Linh"
    );
    assert_eq!(audited().await, 2);
    for body in [json!({"number": LINH}), json!({"phone": "+493023125014"})] {
        problem(ask(&api.key("identify", None).await, body).await, "forbidden").await;
    }
    for body in [
        json!({"number": "5121"}),
        json!({"phone": "030 23125014"}),
        json!({"code": null}),
    ] {
        problem(ask(&clerk, body).await, "invalid_fields").await;
    }
    // What two members say is theirs is nobody's.
    let change = json!({"phone": "+493023125014"});
    let olga = api.member("olga").await;
    let request = olga.request(Method::PATCH, "/api/v1/me/profile");
    let changed = request.header("if-match", "*").json(&change).send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    problem(ask(&clerk, json!({"phone": "+493023125014"})).await, "not_found").await;
    assert_eq!(
        audited().await,
        3,
        "who looks for somebody and finds nobody is written down too"
    );
    let wrong = olga
        .request(Method::PATCH, "/api/v1/me/profile")
        .header("if-match", "*");
    let wrong = wrong.json(&json!({"phone": "12"})).send().await.unwrap();
    assert_eq!(problem(wrong, "invalid_fields").await["errors"][0]["pointer"], "/phone");
}

#[tokio::test]
async fn a_visit_serves_one_basket_of_whoever_asked_for_five_minutes() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let phone = Phone::of(&linh).await;
    let (till, clerk) = (api.till(), api.staff("101").await);
    let visit = found(scan(&till, &phone.shows(&api)).await).await["visit"].clone();
    let before = linh.balance().await;
    let of_visit = |id: &str, visit: &Value| with(purchase(&api, id, 1000), "visit", visit);

    problem(
        clerk.post_once("/purchases", &of_visit("v-1", &visit)).await,
        "member_code_refused",
    )
    .await;
    let bought = of_visit("v-1", &visit);
    let recorded = till.done("/purchases", &bought).await;
    assert_eq!(
        (&recorded["member_state"], &recorded["points"]),
        (&json!("active"), &json!(100))
    );
    // The same again is the first answer, and the visit serves no other basket.
    assert_eq!(till.done("/purchases", &bought).await, recorded);
    problem(
        till.post_once("/purchases", &of_visit("v-2", &visit)).await,
        "member_code_refused",
    )
    .await;
    assert_eq!(linh.balance().await, (before.0, before.1 + 100));

    // Refused means that nothing is recorded: the same purchase with another visit is.
    pass(&api, 30);
    let next = found(scan(&till, &phone.shows(&api)).await).await;
    let until: Instant = next["visit_until"].as_str().unwrap().parse().unwrap();
    assert!(until <= api.clock().now() + TimeDelta::minutes(5));
    pass(&api, 280);
    till.done("/purchases", &of_visit("v-2", &next["visit"])).await;
    let late = found(scan(&till, &phone.shows(&api)).await).await;
    pass(&api, 300);
    problem(
        till.post_once("/purchases", &of_visit("v-3", &late["visit"])).await,
        "member_code_refused",
    )
    .await;
    problem(
        till.post_once("/purchases", &of_visit("v-3", &json!("made up"))).await,
        "member_code_refused",
    )
    .await;

    // Two baskets at once on one visit: one of them has it.
    let visit = found(scan(&till, &phone.shows(&api)).await).await["visit"].clone();
    let (first, second) = (of_visit("v-4", &visit), of_visit("v-5", &visit));
    let (first, second) = tokio::join!(
        till.post_once("/purchases", &first),
        till.post_once("/purchases", &second)
    );
    let mut statuses = [first.status().as_u16(), second.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    api.verify().await;
}

#[tokio::test]
async fn a_purchase_takes_the_code_itself_and_its_retry_needs_no_other() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let phone = Phone::of(&linh).await;
    let till = api.till();
    let of_code = |id: &str, code: &str| with(purchase(&api, id, 1000), "member_code", &json!(code));
    let before = linh.balance().await;

    let code = phone.shows(&api);
    let bought = of_code("c-1", &code);
    let recorded = till.done("/purchases", &bought).await;
    assert_eq!(
        (&recorded["member_state"], &recorded["points"]),
        (&json!("active"), &json!(100))
    );
    pass(&api, 3600);
    assert_eq!(
        till.done("/purchases", &bought).await,
        recorded,
        "found before the code is looked at"
    );
    assert_eq!(linh.balance().await, (before.0, before.1 + 100));

    // A code that was used, here or for finding its member, serves nothing else; nothing of the refused is recorded.
    let clerk = api.staff("101").await;
    let code = phone.shows(&api);
    found(scan(&clerk, &code).await).await;
    let refused = clerk.post_keyed("/purchases", "k-1", &of_code("c-2", &code)).await;
    problem(refused, "member_code_refused").await;
    pass(&api, 30);
    let code = phone.shows(&api);
    assert_eq!(clerk.done("/purchases", &of_code("c-2", &code)).await["points"], 100);
    problem(scan(&clerk, &code).await, "not_found").await;

    // A purchase that fails for another reason leaves the code as it was.
    pass(&api, 30);
    let code = phone.shows(&api);
    let mut old = of_code("c-3", &code);
    old["occurred_at"] = json!("2026-11-01T10:00:00Z");
    problem(till.post_once("/purchases", &old).await, "invalid_fields").await;
    till.done("/purchases", &of_code("c-3", &code)).await;

    // A printed card earns as well; a paused member is recorded and earns nothing; one thing is said of whose it is.
    let card: Value = linh.post("/me/cards", &json!({})).await.json().await.unwrap();
    let by_card = of_code("c-4", card["text"].as_str().unwrap());
    assert_eq!(till.done("/purchases", &by_card).await["points"], 100);
    let pavel = Phone::of(&api.member("pavel").await).await;
    assert_eq!(pavel.number, PAVEL);
    let paused = till.done("/purchases", &of_code("c-5", &pavel.shows(&api))).await;
    assert_eq!(
        (&paused["member_state"], &paused["points"]),
        (&json!("paused"), &json!(0))
    );
    let both = with(of_code("c-6", &phone.shows(&api)), "member", &json!(LINH));
    problem(till.post_once("/purchases", &both).await, "invalid_fields").await;
    problem(
        till.post_once("/purchases", &of_code("c-6", "4006381333931")).await,
        "invalid_fields",
    )
    .await;

    // Guessing this way is guessing too.
    let key = api.key("purchases identify", None).await;
    for place in 0..20 {
        let guess = of_code(&format!("g-{place}"), &qr_text("100000000000", "00000000"));
        problem(key.post_once("/purchases", &guess).await, "member_code_refused").await;
    }
    problem(scan(&key, &phone.shows(&api)).await, "too_many_attempts").await;
    problem(
        key.post_once("/purchases", &of_code("g-20", &phone.shows(&api))).await,
        "too_many_attempts",
    )
    .await;
    api.verify().await;
}

#[tokio::test]
async fn scanning_buying_and_signing_out_at_once_never_wait_for_each_other_in_vain() {
    let api = Api::start_with(&["--burst", "100000"]).await;
    let mut sessions = vec![];
    for _ in 0..6 {
        sessions.push(api.member("linh").await);
        api.execute("update challenges set created_at = created_at - 30001")
            .await;
    }
    let base = purchase(&api, "", 1000);
    let now = api.clock().now();
    let all = Arc::new(Barrier::new(sessions.len()));
    let mut tasks = tokio::task::JoinSet::new();
    for (place, member) in sessions.into_iter().enumerate() {
        let till = api.key("identify purchases", None).await;
        let (base, all) = (base.clone(), Arc::clone(&all));
        tasks.spawn(async move {
            let mut statuses = vec![];
            for turn in 0..12 {
                let phone = Phone::of(&member).await;
                let code = qr_text(LINH, &phone.digits(now, 0));
                let id = json!(format!("{place}-{turn}"));
                let bought = with(base.clone(), "external_id", &id);
                let answer = if turn % 2 == 0 {
                    let found: Value = scan(&till, &code).await.json().await.unwrap();
                    till.post_once("/purchases", &with(bought, "visit", &found["visit"]))
                        .await
                } else {
                    till.post_once("/purchases", &with(bought, "member_code", &json!(code)))
                        .await
                };
                statuses.push(answer.status());
                let path = format!("/api/v1/me/code-keys/{}", phone.key_id);
                statuses.push(member.request(Method::DELETE, &path).send().await.unwrap().status());
            }
            // The first two end all other sessions at once, the rest their own.
            let path = if place < 2 {
                "/api/v1/me/sessions"
            } else {
                "/api/v1/auth/sessions/current"
            };
            all.wait().await;
            let last = named("Last");
            let (key, out) = tokio::join!(
                member.post("/me/code-keys", &last),
                member.request(Method::DELETE, path).send()
            );
            statuses.extend([key.status(), out.unwrap().status()]);
            statuses
        });
    }
    let statuses = tasks.join_all().await.concat();
    assert!(statuses.iter().all(|status| status.as_u16() < 500), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == StatusCode::CREATED).count() >= 72);
    api.verify().await;
}

#[tokio::test]
async fn secrets_are_encrypted_and_go_with_the_key_that_keeps_them() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let phone = Phone::of(&linh).await;
    let (stored,): (String,) = sqlx::query_as("select secret from code_keys")
        .fetch_one(&api.db)
        .await
        .unwrap();
    let stored = URL_SAFE_NO_PAD.decode(stored).unwrap();
    assert!(
        !stored
            .windows(8)
            .any(|part| phone.secret.windows(8).any(|secret| secret == part))
    );
    assert!(!linh.read("/me/code-keys").await.to_string().contains("secret"));

    // A demo that begins anew goes on accepting codes.
    let again = api.another_server().await;
    let till = api.till().at(&format!("http://{}", again.address));
    found(scan(&till, &phone.shows(&api)).await).await;
    again.stop().await.unwrap();

    // Under another key nothing is accepted and nothing listed, so that the wallet asks for a new one.
    let database = Database::connect(api.url()).await.unwrap();
    let arguments = [
        "--demo",
        "--clock",
        NOW,
        "--secret-key",
        "a text that is 32 characters long",
    ];
    let other = start(database, config(&arguments)).await.unwrap();
    let address = format!("http://{}", other.address);
    let linh = linh.at(&address);
    pass(&api, 30);
    problem(scan(&api.till().at(&address), &phone.shows(&api)).await, "not_found").await;
    assert_eq!(linh.read("/me/code-keys").await["items"], json!([]));
    let newer = Phone::of(&linh).await;
    found(scan(&api.till().at(&address), &newer.shows(&api)).await).await;
    other.stop().await.unwrap();
}

#[tokio::test]
async fn a_shop_without_a_key_keeps_no_secrets_and_with_one_tells_of_a_new_device() {
    let mut inbox = Inbox::open().await;
    let url = inbox.url.clone();
    let mails = ["--smtp-url", &url, "--mail-from", "no-reply@brightleaf.example"];
    let api = Api::over(OwnDatabase::seeded_as_a_shop().await, &mails).await;
    let visitor = api.visitor();
    let challenge = visitor.challenge("linh@brightleaf.example").await;
    let answer = visitor.answer(&challenge, &inbox.next().await.code()).await;
    let linh = visitor.keeping(&answer);
    problem(
        linh.post("/me/code-keys", &named("Phone")).await,
        "member_code_unavailable",
    )
    .await;
    assert_eq!(linh.read("/me/code-keys").await["items"], json!([]));
    let card: Value = linh.post("/me/cards", &json!({})).await.json().await.unwrap();
    let till = api.key("identify", None).await;
    found(scan(&till, card["text"].as_str().unwrap()).await).await;

    let with_key = [&mails[..], &["--secret-key", "a text that is 32 characters long"]].concat();
    let database = Database::connect(api.url()).await.unwrap();
    let other = start(database, config(&with_key)).await.unwrap();
    let address = format!("http://{}", other.address);
    let linh = linh.at(&address);
    let answer = linh.post("/me/code-keys", &named("Linh's {shop} phone")).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let notice = inbox.next().await;
    assert_eq!(notice.to(), "linh@brightleaf.example");
    assert!(notice.text().contains("Linh's {shop} phone"), "{}", notice.text());
    found(scan(&till.at(&address), &Phone::of(&linh).await.shows(&api)).await).await;
    other.stop().await.unwrap();
}
