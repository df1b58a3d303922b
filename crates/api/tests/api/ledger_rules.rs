use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Any, AssertSqlSafe, Transaction};
use tokio::time::sleep;

use crate::support::{Api, problem, purchase};

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
