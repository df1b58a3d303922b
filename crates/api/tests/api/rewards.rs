use serde_json::Value;

use crate::support::{Api, Visitor, problem};

async fn list(visitor: &Visitor, query: &str) -> Vec<Value> {
    let mut found = vec![];
    let mut after = String::new();
    loop {
        let page = visitor.read(&format!("/rewards?{query}{after}")).await;
        found.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

fn ids(rewards: &[Value]) -> Vec<&str> {
    rewards.iter().map(|reward| reward["id"].as_str().unwrap()).collect()
}

fn codes(reward: &Value) -> Vec<&str> {
    let reasons = reward["availability"]["reasons"].as_array();
    reasons
        .into_iter()
        .flatten()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_catalogue_has_all_kinds_and_needs_no_session() {
    let api = Api::start().await;
    let all = list(&api.visitor(), "limit=7").await;
    assert!(all.len() >= 24, "{}", all.len());
    for kind in [
        "money_off",
        "percent_off",
        "free_product",
        "upgrade",
        "delivery",
        "experience",
        "donation",
    ] {
        assert!(
            !list(&api.visitor(), &format!("kind={kind}")).await.is_empty(),
            "{kind}"
        );
    }
    assert!(
        all.iter()
            .all(|reward| reward["availability"].is_null() && reward["per_member_left"].is_null())
    );
    assert_eq!(
        all.iter().map(|reward| reward["cost_points"].as_i64().unwrap()).min(),
        Some(50)
    );
    assert!(all.iter().any(|reward| reward["stock_left"] == 0));
    assert!(all.iter().any(|reward| reward["tier_required"] == "gold"));
    let ended = all.last().unwrap()["valid_until"].as_str().unwrap();
    assert!(ended <= "2026-11-21T10:00:00Z", "what is over comes last: {ended}");
    for reward in &all {
        let picture = reward["image_url"].as_str().unwrap();
        let answer = api.client.get(format!("{}{picture}", api.base)).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "image/svg+xml");
        assert!(
            answer.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        assert!(
            answer.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("sandbox")
        );
    }
}

#[tokio::test]
async fn a_member_sees_what_is_ready_what_is_soon_and_why_not() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let all = list(&linh, "limit=5").await;
    let ready = list(&linh, "availability=ready&limit=4").await;
    let soon = list(&linh, "availability=soon").await;
    assert!(!ready.is_empty() && !soon.is_empty());
    assert!(ready.iter().all(|reward| reward["availability"]["status"] == "ready"));
    assert!(
        ready
            .iter()
            .all(|reward| reward["cost_points"].as_i64().unwrap() <= 1250)
    );
    assert!(soon.iter().all(|reward| {
        codes(reward)
            .iter()
            .all(|code| ["insufficient_balance", "not_started"].contains(code))
    }));
    assert_eq!(ids(&all)[..ready.len()], ids(&ready));
    assert_eq!(ids(&all)[ready.len()..ready.len() + soon.len()], ids(&soon));
    let reasons: Vec<&str> = all.iter().flat_map(codes).collect();
    for code in [
        "insufficient_balance",
        "tier_required",
        "out_of_stock",
        "not_started",
        "ended",
    ] {
        assert!(reasons.contains(&code), "{code}");
    }
    let missing = soon
        .iter()
        .find(|reward| codes(reward) == ["insufficient_balance"])
        .unwrap();
    let reason = &missing["availability"]["reasons"][0];
    assert_eq!(reason["available"], 1250);
    assert_eq!(
        reason["missing"].as_i64().unwrap(),
        missing["cost_points"].as_i64().unwrap() - 1250
    );
    let one = linh
        .read(&format!("/rewards/{}", missing["id"].as_str().unwrap()))
        .await;
    assert_eq!(&one, missing);

    let paused = list(&api.member("pavel").await, "").await;
    assert_eq!(paused.len(), all.len());
    assert!(paused.iter().all(|reward| codes(reward).contains(&"member_paused")));
    problem(api.visitor().get("/rewards?availability=ready").await, "signed_out").await;
    problem(linh.get("/rewards/no-such-thing").await, "not_found").await;
}

#[tokio::test]
async fn is_searched_and_sorted_in_ones_own_language() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    assert_eq!(ids(&list(&linh, "q=SOURDOUGH%20loaf").await), ["sourdough-loaf"]);
    assert!(list(&linh, "q=sourdough%20submarine").await.is_empty());
    let persian = linh.clone().speaking("fa-IR, en;q=0.5");
    let loaf = persian.read("/rewards/sourdough-loaf").await;
    let title: String = form_urlencoded::byte_serialize(loaf["title"].as_str().unwrap().as_bytes()).collect();
    assert!(ids(&list(&persian, &format!("q={title}")).await).contains(&"sourdough-loaf"));

    for (sort, key) in [("cost", 1), ("cost_desc", -1)] {
        let sorted = list(&linh, &format!("sort={sort}&limit=4")).await;
        let begun: Vec<i64> = sorted
            .iter()
            .filter(|reward| !codes(reward).contains(&"ended"))
            .map(|reward| key * reward["cost_points"].as_i64().unwrap())
            .collect();
        assert!(begun.len() > 1 && begun.is_sorted(), "{sort}: {begun:?}");
        assert_eq!(sorted.len(), list(&linh, "").await.len());
    }
    for query in [
        "kind=cash",
        "sort=price",
        "limit=0",
        "after=zz",
        "colour=red",
        "availability=never",
    ] {
        problem(linh.get(&format!("/rewards?{query}")).await, "invalid_fields").await;
    }
}
