use loyalty_api::verify::verify;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::{Api, LINH, Visitor, euros, problem, purchase};

/// A claim of a receipt of the store `main`, bought today.
fn receipt(number: &str, minor: i64) -> Value {
    json!({"store": "main", "receipt": number, "total": euros(minor), "bought_on": "2026-11-21"})
}

async fn claim(member: &Visitor, claim: &Value) -> Value {
    let answer = member.post_once("/me/claims", claim).await;
    let status = answer.status();
    let found: Value = answer.json().await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{found}");
    found
}

async fn mismatch(member: &Visitor, claim: &Value) {
    problem(member.post_once("/me/claims", claim).await, "claim_mismatch").await;
}

/// A till tells of a purchase of nobody's, just now.
async fn sold(api: &Api, number: &str, minor: i64) {
    let told = api.till().done("/purchases", &purchase(api, number, minor)).await;
    assert_eq!(told["member_state"], "anonymous");
}

async fn count(api: &Api, statement: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned()))
        .fetch_one(&api.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_receipt_is_claimed_once_by_one_member() {
    let api = Api::start().await;
    let (linh, siti) = (api.member("linh").await, api.member("siti").await);
    let sale = purchase(&api, "R-1", 1840);
    let told = api.till().done("/purchases", &sale).await;
    let (available, pending) = linh.balance().await;

    // Nobody learns anything of a receipt by its number alone.
    mismatch(&siti, &receipt("R-1", 1841)).await;
    let mut elsewhere = receipt("R-1", 1840);
    elsewhere["bought_on"] = "2026-11-18".into();
    mismatch(&siti, &elsewhere).await;

    let claimed = claim(&linh, &receipt("R-1", 1840)).await;
    assert_eq!(
        (&claimed["state"], &claimed["points"]),
        (&json!("accepted"), &json!(184))
    );
    assert_eq!(linh.balance().await, (available, pending + 184));
    let newest = &linh.read("/me/ledger?limit=1").await["items"][0];
    assert_eq!((&newest["kind"], &newest["at"]), (&json!("earn"), &sale["occurred_at"]));
    assert_eq!(newest["reference"]["external_id"], "R-1");
    let earned = "select count(*) from outbox where kind = 'points.earned' and body like '%R-1%'";
    assert_eq!(count(&api, earned).await, 1);

    assert_eq!(claim(&linh, &receipt(" R-1 ", 1840)).await, claimed);
    problem(
        linh.post_once("/me/claims", &receipt("R-1", 1841)).await,
        "already_counted",
    )
    .await;
    mismatch(&siti, &receipt("R-1", 1840)).await;
    assert_eq!(
        api.till().done("/purchases", &sale).await,
        told,
        "the till has its first answer"
    );
    api.till().sells(&api, LINH, "R-2", 500).await;
    problem(
        linh.post_once("/me/claims", &receipt("R-2", 500)).await,
        "already_counted",
    )
    .await;
    mismatch(&siti, &receipt("R-2", 500)).await;

    let listed = linh.read("/me/claims").await;
    assert_eq!(listed, json!({"items": [claimed], "next": null}));
    assert_eq!(siti.read("/me/claims").await["items"], json!([]));
    let paused = api.member("pavel").await;
    sold(&api, "R-3", 500).await;
    let refused = paused.post_once("/me/claims", &receipt("R-3", 500)).await;
    assert_eq!(
        problem(refused, "member_paused").await["reasons"][0]["code"],
        "member_paused"
    );
    api.verify().await;
    let another = "update claims set member_id = (select id from members where name = 'Siti') where receipt = 'R-1'";
    api.execute(another).await;
    let told = verify(&api.db).await.unwrap_err().to_string();
    assert!(
        told.starts_with("Purchase R-1 of store main: a claim of it is accepted"),
        "{told}"
    );
}

#[tokio::test]
async fn a_claim_earns_as_at_the_till_less_what_came_back() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let give_back = async |purchase: &str, number: &str, minor: i64| {
        let new = json!({"external_id": number, "amount": euros(minor)});
        till.done(&format!("/purchases/{purchase}/returns"), &new).await
    };
    sold(&api, "kettle", 4000).await;
    give_back("kettle", "1", 500).await;
    give_back("kettle", "2", 500).await;
    let before = linh.balance().await;
    let claimed = claim(&linh, &receipt("kettle", 4000)).await;
    assert_eq!(claimed["points"], 300);
    assert_eq!(linh.balance().await, (before.0, before.1 + 300));
    let expected = [("return", -50), ("return", -50), ("earn", 400)];
    assert_eq!(
        linh.newest(3).await,
        expected.map(|(kind, points)| (kind.to_owned(), points))
    );
    api.verify().await;
    assert_eq!(give_back("kettle", "3", 3000).await["points"], 300);
    assert_eq!(linh.balance().await, before);

    // All of it came back before.
    sold(&api, "cup", 1000).await;
    give_back("cup", "1", 1000).await;
    assert_eq!(claim(&linh, &receipt("cup", 1000)).await["points"], 0);
    assert_eq!(linh.balance().await, before);
    // The programme had another rate when the till told of it.
    sold(&api, "tea", 1000).await;
    api.execute("update purchases set earning_points = 20 where external_id = 'tea'")
        .await;
    assert_eq!(claim(&linh, &receipt("tea", 1000)).await["points"], 200);
    api.verify().await;
}

#[tokio::test]
async fn a_claim_waits_for_a_till_that_tells_late() {
    let api = Api::start().await;
    let (linh, siti, olga) = (
        api.member("linh").await,
        api.member("siti").await,
        api.member("olga").await,
    );
    let waiting = claim(&linh, &receipt("late", 2000)).await;
    assert_eq!(
        (&waiting["state"], &waiting["points"]),
        (&json!("waiting"), &Value::Null)
    );
    claim(&siti, &receipt("late", 2000)).await;
    // She misread the sum, and corrects it.
    claim(&olga, &receipt("other", 1500)).await;
    let corrected = claim(&olga, &receipt("other", 1000)).await;
    claim(&siti, &receipt("tomorrow", 300)).await;
    let sold_at = api.clock().now();
    api.move_to("2026-11-22T10:00:00Z").await;
    assert_eq!(claim(&linh, &receipt("late", 2000)).await, waiting, "nothing new");
    for (number, minor, at) in [
        ("late", 2000, sold_at),
        ("other", 1000, sold_at),
        // Nobody claims what was bought afterwards.
        ("tomorrow", 300, api.clock().now()),
    ] {
        let mut sale = purchase(&api, number, minor);
        sale["occurred_at"] = json!(at);
        api.till().done("/purchases", &sale).await;
    }
    api.attend().await.unwrap();
    let states = async |member: &Visitor| -> Vec<(Value, Value, Value)> {
        let found = member.read("/me/claims").await;
        let items = found["items"].as_array().unwrap().iter();
        items
            .map(|item| (item["receipt"].clone(), item["state"].clone(), item["reason"].clone()))
            .collect()
    };
    let one = |receipt: &str, state: &str| (json!(receipt), json!(state), Value::Null);
    assert_eq!(states(&linh).await, [one("late", "accepted")]);
    assert_eq!(states(&olga).await, [one("other", "accepted")]);
    assert_eq!(
        corrected["claim_id"],
        olga.read("/me/claims").await["items"][0]["claim_id"]
    );
    assert_eq!(
        states(&siti).await,
        [one("tomorrow", "waiting"), one("late", "waiting")]
    );
    assert_eq!(linh.newest(1).await, [("earn".to_owned(), 200)]);

    api.move_to("2026-11-28T09:59:59Z").await;
    assert_eq!(states(&siti).await[1], one("late", "waiting"));
    api.move_to("2026-11-28T10:05:00Z").await;
    assert_eq!(
        states(&siti).await[1],
        (json!("late"), json!("rejected"), json!("not_found"))
    );
    let pages = siti.read("/me/claims?limit=1").await;
    let next = pages["next"].as_str().unwrap();
    let second = siti.read(&format!("/me/claims?limit=1&after={next}")).await;
    assert_eq!(
        (&second["items"][0]["receipt"], &second["next"]),
        (&json!("late"), &Value::Null)
    );
    api.verify().await;
}

#[tokio::test]
async fn nobody_guesses_receipts() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    sold(&api, "R-1", 1840).await;
    for minor in 1..=5 {
        mismatch(&linh, &receipt("R-1", minor)).await;
        // What is yet to be told counts as much, or many a sum could be tried.
        claim(&linh, &receipt(&format!("X-{minor}"), minor)).await;
    }
    let refused = linh.post_once("/me/claims", &receipt("R-1", 1840)).await;
    let refused = problem(refused, "too_many_attempts").await;
    assert!(
        (86_000..=86_400).contains(&refused["retry_after_s"].as_i64().unwrap()),
        "{refused}"
    );
    // The same again is no guess.
    claim(&linh, &receipt("X-1", 1)).await;
    // Guesses at codes are forgotten sooner, whenever somebody asks for one.
    api.move_to("2026-11-21T20:00:00Z").await;
    api.member("olga").await;
    let refused = linh.post_once("/me/claims", &receipt("R-1", 1840)).await;
    problem(refused, "too_many_attempts").await;
    api.move_to("2026-11-22T10:01:00Z").await;
    claim(&linh, &receipt("R-1", 1840)).await;

    for (field, value, pointer) in [
        ("store", json!("nowhere"), "/store"),
        ("receipt", json!("a\nb"), "/receipt"),
        ("total", json!({"minor": 1, "currency": "KWD"}), "/total/currency"),
        ("total", euros(0), "/total/minor"),
        ("bought_on", json!("2026-11-23"), "/bought_on"),
        ("bought_on", json!("2026-11-07"), "/bought_on"),
        ("bought_on", json!("-262143-01-01"), "/bought_on"),
    ] {
        let mut wrong = receipt("R-9", 100);
        wrong[field] = value;
        let found = problem(linh.post_once("/me/claims", &wrong).await, "invalid_fields").await;
        assert_eq!(found["errors"][0]["pointer"], pointer, "{found}");
    }
    let unkeyed = linh.post("/me/claims", &receipt("R-1", 1840)).await;
    problem(unkeyed, "idempotency_key_missing").await;
    problem(
        api.visitor().post_once("/me/claims", &receipt("R-1", 1840)).await,
        "signed_out",
    )
    .await;
}

#[tokio::test]
async fn of_two_at_once_one_gets_it_and_a_return_finds_them() {
    let api = Api::start().await;
    let (linh, amir, till) = (api.member("linh").await, api.member("amir").await, api.till());
    for number in 0..8 {
        let number = format!("R-{number}");
        sold(&api, &number, 1000).await;
        let claimed = receipt(&number, 1000);
        let back = json!({"external_id": "1", "amount": euros(1000)});
        let path = format!("/purchases/{number}/returns");
        let (one, two, back) = tokio::join!(
            linh.post_once("/me/claims", &claimed),
            amir.post_once("/me/claims", &claimed),
            till.post_once(&path, &back),
        );
        let mut statuses = [one.status().as_u16(), two.status().as_u16(), back.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 201, 422]);
        assert_eq!(back.status(), StatusCode::CREATED);
    }
    // Whoever got one, all of it came back.
    let left = "select cast(sum(p.points) as bigint) - (select cast(sum(points) as bigint) from returns r
                where r.purchase_id in (select purchase_id from claims)) from purchases p
                where p.id in (select purchase_id from claims)";
    assert_eq!(count(&api, left).await, 0);
    assert_eq!(
        count(&api, "select count(*) from claims where state = 'accepted'").await,
        8
    );
    api.verify().await;
}

#[tokio::test]
async fn claims_late_tills_returns_and_a_departure_at_once_leave_books_that_agree() {
    let api = Api::start().await;
    let (linh, amir, till) = (api.member("linh").await, api.member("amir").await, api.till());
    let challenge = json!({"address": "amir@brightleaf.example", "purpose": "leave"});
    let challenge: Value = amir.post("/auth/challenges", &challenge).await.json().await.unwrap();
    let proof = json!({"challenge_id": challenge["challenge_id"], "code": challenge["demo_code"]});
    let mut tasks = vec![];
    for number in 0..8 {
        let number = format!("R-{number}");
        let (sale, claimed) = (purchase(&api, &number, 1000), receipt(&number, 1000));
        let back = json!({"external_id": "1", "amount": euros(400)});
        let path = format!("/purchases/{number}/returns");
        let steps = [
            (&linh, "/me/claims".to_owned(), claimed.clone()),
            (&amir, "/me/claims".to_owned(), claimed),
            (&till, "/purchases".to_owned(), sale),
            (&till, path, back),
        ];
        for (who, path, body) in steps {
            let who = who.clone();
            tasks.push(tokio::spawn(async move { who.post_once(&path, &body).await.status() }));
        }
    }
    let leaves = amir.request(reqwest::Method::DELETE, "/api/v1/me").json(&proof);
    tasks.push(tokio::spawn(async move { leaves.send().await.unwrap().status() }));
    let settles = async {
        for _ in 0..20 {
            api.attend().await.unwrap();
        }
    };
    let all = async {
        let mut statuses = vec![];
        for task in tasks {
            statuses.push(task.await.unwrap());
        }
        statuses
    };
    let ((), statuses) = tokio::join!(settles, all);
    assert!(statuses.iter().all(|status| !status.is_server_error()), "{statuses:?}");
    api.attend().await.unwrap();
    let left = "select balance from members where state = 'left'";
    assert_eq!(count(&api, left).await, 0);
    let unclaimed = "select count(*) from purchases where external_id like 'R-%' and member_id is null";
    assert_eq!(count(&api, unclaimed).await, 0, "who stays gets what is left over");
    api.verify().await;
}
