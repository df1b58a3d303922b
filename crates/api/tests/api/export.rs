use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::commands::{check_fails, loyalty_api};
use crate::database::OwnDatabase;
use loyalty_api::db;

type Row = BTreeMap<String, String>;

/// The rows of what is exported, by column.
#[track_caller]
fn export(url: &str, arguments: &[&str]) -> Vec<Row> {
    let output = loyalty_api(&[&["--database-url", url, "export"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    read(&output.stdout)
}

fn read(content: &[u8]) -> Vec<Row> {
    csv::Reader::from_reader(content)
        .deserialize()
        .map(Result::unwrap)
        .collect()
}

#[tokio::test]
async fn what_a_crm_reads_is_what_is_there_and_runs_nowhere() {
    let own = OwnDatabase::seeded().await;
    let url = own.url.as_str();
    let db = db::connect(url).await.unwrap();
    let names = [
        ("512102314864", "لینه \"ل\",\r\nجونیور;|"),
        ("olga", "=HYPERLINK(\"http://evil.example\",\"x\")"),
        ("amir", "+1"),
        ("siti", "-2+3"),
        ("pavel", "@SUM(A1)"),
        ("reza", "\t=1"),
    ];
    for (who, name) in names {
        sqlx::query("update members set name = $1, consents = $2 where number = $3 or email = $4")
            .bind(name)
            .bind(r#"{"offers":["email","push"],"surveys":["post"]}"#)
            .bind(who)
            .bind(format!("{who}@brightleaf.example"))
            .execute(&db)
            .await
            .unwrap();
    }
    let members = export(url, &["members"]);
    let by_email = |who: &str| {
        let email = format!("{who}@brightleaf.example");
        members.iter().find(|row| row["email"] == email).unwrap()
    };
    let linh = by_email("linh");
    assert_eq!(linh["name"], names[0].1);
    assert_eq!(
        (linh["number"].as_str(), linh["tier"].as_str()),
        ("512102314864", "silver")
    );
    assert_eq!(
        (linh["phone"].as_str(), by_email("amir")["phone"].as_str()),
        ("+493023125014", "")
    );
    let consents = ["consent_offers", "consent_reminders", "consent_surveys"];
    assert_eq!(consents.map(|column| linh[column].as_str()), ["email push", "", "post"]);
    for (who, name) in &names[1..] {
        assert_eq!(by_email(who)["name"], format!("'{name}"));
    }
    assert_eq!(by_email("pavel")["state"], "paused");
    let (available, pending): (i64, i64) = (linh["available"].parse().unwrap(), linh["pending"].parse().unwrap());
    assert!(available >= 0 && pending >= 0);

    // The ledger, whole: each member's entries add up to what the last of them says.
    let entries = export(url, &["ledger"]);
    let (count,): (i64,) = sqlx::query_as("select count(*) from entries")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(i64::try_from(entries.len()).unwrap(), count);
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for entry in &entries {
        let points: i64 = entry["points"].parse().unwrap();
        let sum = sums.entry(&entry["member"]).or_default();
        *sum += points;
        assert_eq!(*sum, entry["balance_after"].parse::<i64>().unwrap(), "{entry:?}");
    }
    assert!(
        entries.iter().any(|entry| entry["points"].starts_with('-')),
        "a number stays one"
    );
    assert!(
        entries
            .iter()
            .any(|entry| !entry["reason"].is_empty() && !entry["reason"].starts_with('{'))
    );

    let from = export(url, &["ledger", "--since", "2026-06-01"]);
    assert!(!from.is_empty() && from.len() < entries.len());
    assert!(from.iter().all(|entry| entry["at"].as_str() >= "2026-05-31T22:00:00Z"));
    let (count,): (i64,) = sqlx::query_as("select count(*) from redemptions")
        .fetch_one(&db)
        .await
        .unwrap();
    let redemptions = export(url, &["redemptions"]);
    assert_eq!(i64::try_from(redemptions.len()).unwrap(), count);
    assert!(
        redemptions
            .iter()
            .all(|row| row["state"] == "captured" && row["captured"].contains('.'))
    );
    assert!(!redemptions[0].contains_key("code"));
}

#[tokio::test]
async fn a_file_is_whole_or_not_there_and_nobody_elses() {
    let own = OwnDatabase::seeded().await;
    let url = own.url.as_str();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("members.csv");
    fs::write(&file, "an earlier one").unwrap();
    assert_eq!(
        export(url, &["members", "--out", file.to_str().unwrap()]),
        Vec::<Row>::new()
    );
    let rows = read(&fs::read(&file).unwrap());
    assert_eq!(rows.len(), 6);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let arguments = ["--database-url", url, "export", "members", "--out"];
    check_fails(
        &[&arguments[..], &["/nowhere/members.csv"]].concat(),
        "cannot be written",
    );
}
