use std::time::Duration;

use loyalty_api::verify::verify;
use serde_json::{Value, json};
use sqlx::{Any, AssertSqlSafe, Transaction};
use tokio::time::{sleep, timeout};

use crate::support::{Api, LINH, euros, problem, purchase};

/// Long enough for a request to come to where it waits.
const A_MOMENT: Duration = Duration::from_millis(400);

/// Keeps everybody else from what a statement writes, until this ends.
async fn locked(api: &Api, statement: &str) -> Transaction<'static, Any> {
    let mut lock = api.db.begin().await.unwrap();
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(&mut *lock)
        .await
        .unwrap();
    lock
}

async fn texts(api: &Api, statement: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned()))
        .fetch_all(&api.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_voucher_that_was_made_while_a_purchase_waited_lapses_by_itself() {
    let api = Api::start().await;
    let (siti, till) = (api.member("siti").await, api.till());
    let number = siti.read("/me/status").await["member"]["number"].clone();
    let quote = siti.quote(&json!({"spend": {"points": 50}})).await;
    let mut sale = purchase(&api, "waited", 1000);
    sale["member"] = number;

    // The member is locked; the voucher waits first, then the purchase.
    let lock = locked(
        &api,
        "update members set unread_messages = unread_messages where name = 'Siti'",
    )
    .await;
    let reserved = tokio::spawn({
        let siti = siti.clone();
        async move { siti.done("/redemptions", &json!({"quote_id": quote})).await }
    });
    sleep(A_MOMENT).await;
    let sold = tokio::spawn(async move { till.done("/purchases", &sale).await });
    sleep(A_MOMENT).await;
    lock.rollback().await.unwrap();
    let voucher: Value = reserved.await.unwrap();
    sold.await.unwrap();
    api.verify().await;
    api.execute("update members set due_at = due_at + 3600000 where name = 'Siti'")
        .await;
    let late = verify(&api.db).await.unwrap_err().to_string();
    assert!(late.contains("would not lapse"), "{late}");
    api.execute("update members set due_at = due_at - 3600000 where name = 'Siti'")
        .await;

    api.move_to(voucher["valid_until"].as_str().unwrap()).await;
    let state = format!("select state from redemptions where id = {}", voucher["id"]).replace('"', "'");
    assert_eq!(texts(&api, &state).await, ["expired"]);
    api.verify().await;
}

#[tokio::test]
async fn a_broken_account_keeps_nobody_else_waiting() {
    let api = Api::start().await;
    let siti = api.member("siti").await;
    let voucher = siti.redeem(50).await;
    // What a hand in the database could leave: one account that is beyond reckoning, and one that panics.
    let most = i64::MAX;
    for statement in [
        format!(
            "update qualifying set points = {most} where member_id in (select id from members where name = 'Linh')"
        ),
        format!(
            "update lots set remaining = {most}, expires_at = 1 where member_id in (select id from members where name = 'Reza')"
        ),
        "update members set tier_history = null, due_at = 0 where name in ('Linh', 'Reza')".to_owned(),
    ] {
        api.execute(&statement).await;
    }
    let valid_until = voucher["valid_until"].as_str().unwrap().parse().unwrap();
    assert!(api.clock().move_to(valid_until));
    api.attend().await.unwrap_err();
    let state = format!("select state from redemptions where id = {}", voucher["id"]).replace('"', "'");
    assert_eq!(texts(&api, &state).await, ["expired"]);
    let left = "select name from members where due_at <= 0 order by name";
    assert_eq!(texts(&api, left).await, ["Linh", "Reza"]);
}

#[tokio::test]
async fn vouchers_for_the_same_rewards_lapse_at_once() {
    let api = Api::start().await;
    let (linh, siti) = (api.member("linh").await, api.member("siti").await);
    api.execute("update rewards set stock = 5 where id in ('small-coffee', 'extra-shot')")
        .await;
    let (coffee, shot) = (json!({"reward_id": "small-coffee"}), json!({"reward_id": "extra-shot"}));
    linh.redeem_for(&coffee).await;
    linh.redeem_for(&shot).await;
    siti.redeem_for(&shot).await;
    let last = siti.redeem_for(&coffee).await;

    // Linh's first reward is held, so that each of the two has begun when the other goes on.
    let lock = locked(&api, "update rewards set stock = stock where id = 'small-coffee'").await;
    assert!(
        api.clock()
            .move_to(last["valid_until"].as_str().unwrap().parse().unwrap())
    );
    let reads = [linh, siti].map(|member| tokio::spawn(async move { member.get("/me/status").await.status() }));
    sleep(A_MOMENT).await;
    lock.rollback().await.unwrap();
    for read in reads {
        assert_eq!(read.await.unwrap(), 200);
    }
    let stock = "select id from rewards where id in ('small-coffee', 'extra-shot') and stock = 5 order by id";
    assert_eq!(texts(&api, stock).await, ["extra-shot", "small-coffee"]);
    api.verify().await;
}

#[tokio::test]
async fn a_voucher_is_used_and_a_purchase_returned_in_a_store_that_there_is() {
    let api = Api::start().await;
    let anywhere = api.key("capture returns", None).await;
    let code = api.member("siti").await.redeem(50).await["code"].clone();
    let capture = format!("/counter/redemptions/{}/capture", code.as_str().unwrap());
    for store in ["nowhere", "%00", ""] {
        let path = format!("{capture}?store={store}");
        let found = problem(anywhere.post_once(&path, &json!({})).await, "invalid_fields").await;
        assert_eq!(found["errors"][0]["pointer"], "store", "{store:?}");
    }
    let back = json!({"external_id": "back", "amount": {"minor": 100, "currency": "EUR"}});
    let answer = anywhere.post_once("/purchases/1/returns?store=%00", &back).await;
    problem(answer, "invalid_fields").await;
    let answer = anywhere.post_once("/purchases/1/returns?store=nowhere", &back).await;
    problem(answer, "not_found").await;
    anywhere.done(&format!("{capture}?store=main"), &json!({})).await;
}

#[tokio::test]
async fn a_smaller_basket_takes_points_at_what_they_were_worth_when_they_were_spent() {
    let api = Api::start().await;
    let (linh, till) = (api.member("linh").await, api.till());
    let vouchers = [linh.redeem(400).await, linh.redeem(400).await];
    for (voucher, worth, used) in [(&vouchers[0], 25, 200), (&vouchers[1], 100, 100)] {
        // A hundred were worth 50 cents; now half as much, or twice as much.
        let stored: String = texts(&api, "select document from programme").await.remove(0);
        let mut programme: Value = serde_json::from_str(&stored).unwrap();
        programme["point_value"]["money"]["minor"] = worth.into();
        sqlx::query("update programme set document = $1, revision = revision + 1")
            .bind(programme.to_string())
            .execute(&api.db)
            .await
            .unwrap();
        let path = format!("/counter/redemptions/{}/capture", voucher["code"].as_str().unwrap());
        let found = till.done(&path, &json!({"basket": euros(100)})).await;
        assert_eq!(found["captured"]["points"], used, "{worth}");
        assert_eq!(found["captured"]["money"], euros(100));
    }
    api.verify().await;
}

#[tokio::test]
async fn whoever_hangs_up_and_asks_again_is_done_once() {
    let api = Api::start().await;
    let till = api.till();
    let linh = api.member("linh").await;
    let (available, pending) = linh.balance().await;
    let sale = |number: u64| {
        let mut sale = purchase(&api, &format!("cut-{number}"), 1000);
        sale["member"] = LINH.into();
        sale
    };
    let sales: Vec<Value> = (0..40).map(sale).collect();
    for (number, sale) in (0..).zip(&sales) {
        let key = format!("key-{number}");
        let asked = till.post_keyed("/purchases", &key, sale);
        let _ = timeout(Duration::from_micros(number * 250), asked).await;
    }
    let mut earned = 0;
    for (number, sale) in sales.iter().enumerate() {
        loop {
            let answer = till.post_keyed("/purchases", &format!("key-{number}"), sale).await;
            if answer.status() == 201 {
                earned += answer.json::<Value>().await.unwrap()["points"].as_i64().unwrap();
                break;
            }
            // The first may not know yet that nobody listens.
            problem(answer, "idempotency_key_in_use").await;
            sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(linh.balance().await, (available, pending + earned));
    api.verify().await;
}
