//! What is in the database, beside what the clients were told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use loyalty_api::db::connect;
use loyalty_api::verify::verify;
use serde_json::Value;
use sqlx::{AnyPool, AssertSqlSafe};

use crate::client::{Record, SHARED, number};

type Records = [Arc<Mutex<Record>>];

/// Makes a member for each client, and one for all; corrections have no limit.
pub async fn prepare(url: &str, clients: usize) {
    let db = connect(url).await.unwrap();
    let everybody = (0..clients).map(|client| (format!("client-{client}"), number(client)));
    for (name, number) in everybody.chain([("client-shared".to_owned(), SHARED.to_owned())]) {
        let statement = format!(
            "insert into members (id, version, number, name, email, language, since, state, unread_messages,
                entry_count, balance, earned, spent, expired)
             values ('{name}', 1, '{number}', '{name}', '{name}@brightleaf.example', 'en', 20000, 'active', 0,
                0, 0, 0, 0, 0)"
        );
        sqlx::query(AssertSqlSafe(statement)).execute(&db).await.unwrap();
    }
    let (document,): (String,) = sqlx::query_as("select document from programme")
        .fetch_one(&db)
        .await
        .unwrap();
    let mut programme: Value = serde_json::from_str(&document).unwrap();
    programme["adjustment_limits"] = serde_json::json!({"clerk": 0, "manager": 1_000_000_000});
    sqlx::query("update programme set document = $1, revision = revision + 1")
        .bind(programme.to_string())
        .execute(&db)
        .await
        .unwrap();
    db.close().await;
}

/// Everything that was answered is there, and nothing else but what may have been about to be.
pub async fn check_between_lives(url: &str, records: &Records) {
    let db = connect(url).await.unwrap();
    let found = effects(&db).await;
    let (mut answered, mut in_doubt) = (BTreeMap::new(), vec![]);
    for record in records {
        let record = record.lock().unwrap();
        answered.extend(record.answered.clone());
        in_doubt.extend(record.in_doubt.clone());
    }
    let lost: Vec<&String> = answered.keys().filter(|effect| !found.contains_key(*effect)).collect();
    assert!(lost.is_empty(), "answered, and not there: {lost:?}");
    let is_known = |effect: &String| answered.contains_key(effect) || in_doubt.contains(effect);
    let invented: Vec<&String> = found.keys().filter(|effect| !is_known(effect)).collect();
    assert!(invented.is_empty(), "there, and asked for by nobody: {invented:?}");
    check_once(&found);
    let (half,): (i64,) = sqlx::query_as("select count(*) from idempotency where status is null")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(half, 0, "a key without its answer");
    verify(&db).await.unwrap();
    db.close().await;
}

/// The books are what the answers add up to.
pub async fn check_at_the_end(url: &str, records: &Records) {
    check_between_lives(url, records).await;
    let db = connect(url).await.unwrap();
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    let mut answered = 0;
    for record in records {
        let record = record.lock().unwrap();
        assert_eq!(record.in_doubt, None);
        answered += record.answered.len();
        for (member, change) in record.answered.values() {
            *expected.entry(member.clone()).or_default() += change;
        }
    }
    assert_eq!(effects(&db).await.len(), answered);
    let found: Vec<(String, i64)> = sqlx::query_as("select number, balance from members where id like 'client-%'")
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected);
    db.close().await;
}

fn check_once(found: &BTreeMap<String, usize>) {
    let doubled: Vec<_> = found.iter().filter(|&(_, &times)| times != 1).collect();
    assert!(doubled.is_empty(), "more than once: {doubled:?}");
}

/// How often there is each effect that clients ask for, by its name.
async fn effects(db: &AnyPool) -> BTreeMap<String, usize> {
    let texts = async |statement: &'static str| -> Vec<(String, String)> {
        sqlx::query_as(statement).fetch_all(db).await.unwrap()
    };
    let mut found: Vec<String> = vec![];
    for (_, receipt) in texts("select id, external_id from purchases where external_id like 'client-%'").await {
        found.push(format!("purchase {receipt}"));
    }
    for (_, name) in texts("select id, external_id from returns where external_id like 'client-%'").await {
        found.push(format!("return {name}"));
    }
    let adjusted = "select id, reason from entries where kind = 'adjust' and member_id like 'client-%'";
    for (_, reason) in texts(adjusted).await {
        let reason: Value = serde_json::from_str(&reason).unwrap();
        found.push(format!("adjust {}", reason["en"].as_str().unwrap()));
    }
    for (quote, _) in texts("select quote_id, id from redemptions where member_id like 'client-%'").await {
        found.push(format!("redeem {quote}"));
    }
    for (id, state) in texts("select id, state from redemptions where member_id like 'client-%'").await {
        let ends: &[&str] = match state.as_str() {
            "reserved" => &[],
            "released" => &["release"],
            "captured" => &["capture"],
            "refunded" => &["capture", "refund"],
            other => panic!("{other}"),
        };
        found.extend(ends.iter().map(|end| format!("{end} {id}")));
    }
    let mut counted = BTreeMap::new();
    for effect in found {
        *counted.entry(effect).or_default() += 1;
    }
    counted
}
