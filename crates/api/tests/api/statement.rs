use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Api, LINH, Visitor, problem};

const SUMS: [&str; 7] = [
    "earned",
    "bonus",
    "spent",
    "returned",
    "given_back",
    "expired",
    "adjusted",
];

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

async fn statement(member: &Visitor, from: &str, to: &str) -> Value {
    let found = member.read(&format!("/me/statement?from={from}&to={to}")).await;
    let sum: i64 = SUMS.iter().map(|name| number(&found[name])).sum();
    assert_eq!(number(&found["opening"]) + sum, number(&found["closing"]), "{found}");
    let mut balance = number(&found["opening"]);
    for entry in found["entries"].as_array().unwrap() {
        balance += number(&entry["points"]);
        assert_eq!(number(&entry["balance_after"]), balance, "{entry}");
    }
    assert_eq!(balance, number(&found["closing"]));
    found
}

#[tokio::test]
async fn periods_follow_each_other_by_the_days_of_the_programme() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let till = api.till();
    // The last minute of the twentieth in Berlin, and the first of the next day.
    for (number, at, minor) in [("1", "2026-11-20T22:59:59Z", 1000), ("2", "2026-11-20T23:00:00Z", 2000)] {
        let mut sale = crate::support::purchase(&api, number, minor);
        sale["occurred_at"] = at.into();
        sale["member"] = LINH.into();
        till.done("/purchases", &sale).await;
    }
    let amount = json!({"external_id": "2-1", "amount": {"minor": 500, "currency": "EUR"}});
    till.done("/purchases/2/returns?store=main", &amount).await;
    let voucher = linh.redeem(100).await;
    let release = format!("/redemptions/{}/release", voucher["id"].as_str().unwrap());
    linh.done(&release, &json!({})).await;
    let gift = json!({"member": LINH, "points": -7, "reason": "a mistake"});
    api.crm().done("/counter/adjustments", &gift).await;

    let day = statement(&linh, "2026-11-21", "2026-11-21").await;
    let sums: Vec<i64> = SUMS.iter().map(|name| number(&day[name])).collect();
    assert_eq!(sums, [200, 0, -100, -50, 100, 0, -7]);
    let before = statement(&linh, "2025-11-21", "2026-11-20").await;
    assert_eq!(
        (&before["closing"], number(&before["entries"][0]["points"]) != 0),
        (&day["opening"], true)
    );
    assert_eq!(before["entries"].as_array().unwrap().last().unwrap()["points"], 100);
    let (available, pending) = linh.balance().await;
    assert_eq!(number(&day["closing"]), available + pending);
    // What is over a year ago stands in the year before, and nothing is before the beginning.
    let years = [
        ("2022-11-21", "2023-11-20"),
        ("2023-11-21", "2024-11-20"),
        ("2024-11-21", "2025-11-20"),
    ];
    let mut closing = 0;
    for (from, to) in years {
        let year = statement(&linh, from, to).await;
        assert_eq!(number(&year["opening"]), closing);
        closing = number(&year["closing"]);
    }
    assert_eq!(number(&before["opening"]), closing);
    let empty = statement(&linh, "2026-12-01", "2026-12-31").await;
    assert_eq!((&empty["opening"], &empty["entries"]), (&day["closing"], &json!([])));

    for (query, pointer) in [
        ("from=2026-11-21", ""),
        ("from=2026-11-21&to=2026-11-20", "to"),
        ("from=2025-11-20&to=2026-11-21", "to"),
        ("from=2026-11-31&to=2026-12-01", "from"),
        ("from=%2B262142-12-31&to=%2B262142-12-31", "from"),
        ("from=2026-11-21&to=2026-11-21&format=pdf", "format"),
    ] {
        let found = problem(linh.get(&format!("/me/statement?{query}")).await, "invalid_fields").await;
        assert_eq!(found["errors"][0]["pointer"], pointer, "{query}: {found}");
    }
    problem(
        api.visitor().get("/me/statement?from=2026-11-21&to=2026-11-21").await,
        "signed_out",
    )
    .await;
}

#[tokio::test]
async fn a_spreadsheet_reads_it_and_runs_nothing_of_it() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    let gift = json!({"member": LINH, "points": 7, "reason": "=1+1, \"sorry\""});
    api.crm().done("/counter/adjustments", &gift).await;
    let path = "/me/statement?from=2026-11-01&to=2026-11-21";
    let asked = linh.request(reqwest::Method::GET, &format!("/api/v1{path}"));
    let answer = asked.header("accept", "text/csv").send().await.unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    let name = "attachment; filename=\"statement-2026-11-01-2026-11-21.csv\"";
    assert_eq!(answer.headers()["content-disposition"], name);
    let text = answer.text().await.unwrap();
    assert_eq!(
        text,
        linh.get(&format!("{path}&format=csv")).await.text().await.unwrap()
    );

    let found = statement(&linh, "2026-11-01", "2026-11-21").await;
    let lines: Vec<&str> = text
        .strip_prefix('\u{feff}')
        .unwrap()
        .trim_end()
        .split("\r\n")
        .collect();
    let entries = found["entries"].as_array().unwrap();
    assert_eq!(lines.len(), entries.len() + 3);
    assert_eq!(
        lines[0],
        "Date,What happened,Details,Store,Receipt,Points,Worth (EUR),Balance after it,Can be used from,Last day to use"
    );
    let opening = number(&found["opening"]);
    assert_eq!(
        lines[1],
        format!("2026-11-01,Balance at the beginning,,,,,,{opening},,")
    );
    let corrected = "2026-11-21,Corrected by the shop,\"'=1+1, \"\"sorry\"\"\",,,7,0.03,";
    assert!(lines.iter().any(|line| line.starts_with(corrected)), "{text}");

    let persian = linh.clone().speaking("fa");
    let answer = persian.get(&format!("{path}&format=csv")).await;
    assert_eq!(answer.headers()["content-language"], "fa");
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("\u{feff}تاریخ,"));
    // A link to a file names the language itself, since it sends no header of its own.
    let linked = linh.get(&format!("{path}&format=csv&language=fa")).await;
    assert_eq!(linked.text().await.unwrap(), text);
    let linked = linh.get("/me/deadlines.ics?language=fa").await;
    let asked = persian.get("/me/deadlines.ics").await;
    assert_eq!(linked.text().await.unwrap(), asked.text().await.unwrap());
}

/// The events of a calendar by their identifier, each with its first day and what it says.
async fn calendar(member: &Visitor) -> BTreeMap<String, (String, String)> {
    let answer = member.get("/me/deadlines.ics").await;
    assert_eq!(answer.headers()["content-type"], "text/calendar; charset=utf-8");
    assert_eq!(
        answer.headers()["content-disposition"],
        "attachment; filename=\"deadlines.ics\""
    );
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    let text = text.replace("\r\n ", "");
    let events = text.split("BEGIN:VEVENT").skip(1);
    events
        .map(|event| {
            let value = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
                line.unwrap().1.to_owned()
            };
            (value("UID"), (value("DTSTART"), value("SUMMARY")))
        })
        .collect()
}

#[tokio::test]
async fn a_calendar_has_every_day_on_which_something_begins_or_ends() {
    let api = Api::start().await;
    let linh = api.member("linh").await;
    linh.redeem(50).await;
    linh.redeem(50).await;
    let found = calendar(&linh).await;
    let says = |day: &str, summary: &str| {
        found
            .values()
            .any(|event| *event == (day.to_owned(), summary.to_owned()))
    };
    assert!(
        says("20261202", "Brightleaf: points you can use from today (85)"),
        "{found:?}"
    );
    assert!(says("20261231", "Brightleaf: last day to use points (20)"), "{found:?}");
    assert!(
        found
            .values()
            .any(|(_, summary)| summary == "Brightleaf: last day to use vouchers (2)")
    );
    // The same dates have the same identifiers, and another member's others.
    assert_eq!(calendar(&linh).await, found);
    let siti = calendar(&api.member("siti").await).await;
    assert!(!siti.is_empty() && siti.keys().all(|id| !found.contains_key(id)));

    let mut ending = 0;
    for name in ["linh", "siti", "reza", "olga", "amir"] {
        let member = api.member(name).await;
        let keep = &member.read("/me/status").await["tier"]["keep"];
        let ends = !keep.is_null() && number(&keep["collected"]) < number(&keep["needed"]);
        let told = calendar(&member)
            .await
            .values()
            .any(|(_, summary)| summary.contains("last day of "));
        assert_eq!(told, ends, "{name}: {keep}");
        ending += i32::from(ends);
    }
    assert!(ending > 0, "nobody's tier ends");
}
