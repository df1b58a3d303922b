use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Api, Visitor, problem};

async fn pages(member: &Visitor, query: &str, mut between: impl AsyncFnMut(usize)) -> Vec<Value> {
    let mut found = vec![];
    let mut after = String::new();
    for page in 0.. {
        let answer = member.read(&format!("/me/ledger?{query}{after}")).await;
        found.extend(answer["items"].as_array().unwrap().clone());
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
        between(page).await;
    }
    found
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_entries_are_added() {
    let api = Api::start().await;
    let siti = api.member("siti").await;
    let (count,): (i64,) = sqlx::query_as("select entry_count from members where name = 'Siti'")
        .fetch_one(&api.db)
        .await
        .unwrap();
    let found = pages(&siti, "limit=97", async |page| {
        let statement = format!(
            "insert into entries (id, member_id, seq, at, kind, points, worth_minor, balance_after)
             select 'added-{page}', id, {seq}, {at}, 'adjust', 0, 0, 0 from members where name = 'Siti'",
            seq = 900_000 + page,
            at = 1_900_000_000_000_i64,
        );
        api.execute(&statement).await;
    })
    .await;
    let ids: BTreeSet<&str> = found.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), found.len()), (count as usize, count as usize));
    assert!(found.is_sorted_by(|newer, older| newer["at"].as_str() >= older["at"].as_str()));
    let sum: i64 = found.iter().map(|entry| entry["points"].as_i64().unwrap()).sum();
    assert_eq!(found[0]["balance_after"], sum);
}

#[tokio::test]
async fn filters_by_kind_and_time() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let all = pages(&linh, "limit=100", async |_| {}).await;
    let some = pages(&linh, "kind=spend,expire&limit=3", async |_| {}).await;
    let expected: Vec<&Value> = all
        .iter()
        .filter(|entry| entry["kind"] == "spend" || entry["kind"] == "expire")
        .collect();
    assert_eq!(some.iter().collect::<Vec<_>>(), expected);
    assert!(some.iter().any(|entry| entry["kind"] == "expire") && some.iter().any(|entry| entry["kind"] == "spend"));

    let newest = all[0]["at"].as_str().unwrap();
    let until = pages(&linh, &format!("to={newest}"), async |_| {}).await;
    assert_eq!(until.len(), all.len() - 1);
    let from = pages(&linh, &format!("from={newest}"), async |_| {}).await;
    assert_eq!(from, all[..1]);
    assert_eq!(from[0]["reference"]["store"], "Main Street");
}

#[tokio::test]
async fn everybody_sees_their_own() {
    let api = Api::start().await;
    let ids = async |name: &str| -> BTreeSet<String> {
        let all = pages(&api.member(name).await, "limit=100", async |_| {}).await;
        all.iter()
            .map(|entry| entry["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(ids("linh").await.is_disjoint(&ids("olga").await));
    assert!(ids("amir").await.is_empty());
    problem(api.visitor().get("/me/ledger").await, "signed_out").await;
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_named() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    for (query, pointer) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("kind=earn,gift", "kind"),
        ("from=yesterday", "from"),
        ("after=AAAA", "after"),
        ("page=2", "page"),
    ] {
        let problem = problem(linh.get(&format!("/me/ledger?{query}")).await, "invalid_fields").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}: {problem}");
    }
    problem(linh.get("/me/ledger?kind=%ff").await, "malformed_query").await;
}

#[tokio::test]
async fn an_entry_comes_with_what_explains_it() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let all = pages(&linh, "limit=100", async |_| {}).await;
    let of_kind = |kind: &str| all.iter().find(|entry| entry["kind"] == kind).unwrap();
    let details = async |entry: &Value| {
        linh.read(&format!("/me/ledger/{}", entry["id"].as_str().unwrap()))
            .await
    };

    let returned = of_kind("return");
    let found = details(returned).await;
    assert_eq!(&found["entry"], returned);
    assert_eq!(found["rate"]["earning"]["points"], 10);
    assert_eq!(found["rate"]["earning"]["per_money"]["minor"], 100);
    assert_eq!(found["rate"]["multiplier_permille"], 1000);
    let purchase = &found["related"][0];
    assert_eq!(
        (&purchase["kind"], found["related"].as_array().unwrap().len()),
        (&"earn".into(), 1)
    );
    assert_eq!(purchase["reference"]["external_id"], returned["reference"]["purchase"]);
    assert!(all.contains(purchase), "the very entry of the ledger");
    assert_eq!(details(purchase).await["related"], Value::from(vec![returned.clone()]));

    let gift = details(of_kind("bonus")).await;
    assert_eq!(
        (&gift["rate"], &gift["related"]),
        (&Value::Null, &Value::from(Vec::<Value>::new()))
    );

    let id = returned["id"].as_str().unwrap();
    problem(
        api.member("olga").await.get(&format!("/me/ledger/{id}")).await,
        "not_found",
    )
    .await;
    problem(linh.get("/me/ledger/none").await, "not_found").await;
    problem(linh.get("/me/ledger/%00").await, "not_found").await;
    problem(api.visitor().get(&format!("/me/ledger/{id}")).await, "signed_out").await;
}
