use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::database::{OwnDatabase, sqlite};
use loyalty_api::{db, verify};

/// Runs the program to its end. A server of the same test has to go on meanwhile, on another thread (`multi_thread`): what
/// it was just writing would keep the database locked.
pub fn loyalty_api(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loyalty-api"))
        .args(arguments)
        .output()
        .unwrap()
}

/// One sentence on standard error, a failure, and no sign of a panic.
#[track_caller]
pub fn check_fails(arguments: &[&str], expected: &str) {
    let output = loyalty_api(arguments);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{arguments:?}: {:?}",
        output.status
    );
    assert!(told.contains(expected), "{arguments:?}: {told}");
    // Wrong arguments are told by the command line's own parser, with how to use it.
    let is_short = output.status.code() == Some(2) || told.trim().lines().count() == 1;
    assert!(!told.contains("panicked") && is_short, "{arguments:?}: {told}");
}

#[test]
fn what_cannot_be_served_is_said_in_a_sentence() {
    let folder = TempDir::new().unwrap();
    let database = sqlite(&folder.path().join("loyalty.db"));
    let none = folder.path().join("none.db");
    fs::write(&none, "This is a letter, and not a database. ".repeat(40)).unwrap();
    let serve = |url: &str, more: &[&str], expected: &str| {
        check_fails(
            &[&["--database-url", url, "serve", "--port", "0"], more].concat(),
            expected,
        );
    };
    serve(&sqlite(&none), &[], "The database file is not an SQLite database.");
    serve(
        &format!("sqlite://{}", folder.path().join("missing.db").display()),
        &[],
        "cannot be opened",
    );
    serve("mysql://localhost/loyalty", &[], "neither sqlite: nor postgres:");
    serve(
        &database,
        &["--public-url", "wallet"],
        "is not like https://wallet.example",
    );
    serve(&database, &["--wallet-dir", "/nowhere"], "no built wallet");
    serve(&database, &["--clock", "2026-11-21T10:00:00Z"], "--demo");
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        serve(&database, &["--demo", "--host", host], "only with --demo-in-public");
    }
    serve(&database, &["--demo", "--as-of", "2999-01-01"], "has not begun yet");
    serve(&database, &["--demo", "--sample", "/nowhere"], "no folder /nowhere");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    check_fails(
        &["--database-url", &database, "serve", "--port", &port],
        "is taken by another program",
    );
    let empty = sqlite(&folder.path().join("empty.db"));
    check_fails(&["--database-url", &empty, "verify"], "no tables yet");
}

#[tokio::test]
async fn a_demos_database_and_a_real_one_are_not_mixed_up() {
    let own = OwnDatabase::seeded().await;
    let url = own.url.as_str();
    check_fails(&["--database-url", url, "serve", "--port", "0"], "is a demo's");
    check_fails(&["--database-url", url, "seed"], "only an empty one can be seeded");
    let database = db::connect(url).await.unwrap();
    sqlx::query("delete from meta").execute(&database).await.unwrap();
    check_fails(
        &["--database-url", url, "serve", "--port", "0", "--demo"],
        "is not a demo's",
    );
}

#[tokio::test]
async fn a_wrong_sample_is_refused_whole() {
    let own = OwnDatabase::empty().await;
    let database = own.url.as_str();
    let folder = TempDir::new().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    let programme: Value = serde_json::from_slice(&fs::read(sample.join("programme.json")).unwrap()).unwrap();
    let members: Value = serde_json::from_slice(&fs::read(sample.join("members.json")).unwrap()).unwrap();
    let picture = |reward: &Value| reward["picture"].as_str().map(str::to_owned);
    fs::create_dir(folder.path().join("media")).unwrap();
    let pictures = programme["rewards"].as_array().unwrap().iter().filter_map(picture);
    for name in pictures.chain([programme["theme"]["logo"].as_str().unwrap().to_owned()]) {
        fs::write(folder.path().join("media").join(name), "<svg/>").unwrap();
    }
    let check = |pointer: &str, value: Value, expected: &str| {
        let (mut programme, mut members) = (programme.clone(), members.clone());
        let (file, pointer) = pointer.split_once(' ').unwrap();
        let document = if file == "programme" {
            &mut programme
        } else {
            &mut members
        };
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Object(fields) => _ = fields.insert(field.to_owned(), value),
            list => list[field.parse::<usize>().unwrap()] = value,
        }
        fs::write(folder.path().join("programme.json"), programme.to_string()).unwrap();
        fs::write(folder.path().join("members.json"), members.to_string()).unwrap();
        check_fails(
            &[
                "--database-url",
                database,
                "seed",
                "--sample",
                folder.path().to_str().unwrap(),
            ],
            expected,
        );
    };
    check(
        "programme /rewards/0/tier_required",
        json!("platinum"),
        "\"platinum\" is no tier of this programme",
    );
    check("programme /rewards/1/cost", json!(5), "unknown field `cost`");
    check(
        "programme /rewards/1/picture",
        json!("none.svg"),
        "picture \"none.svg\" does not exist",
    );
    check(
        "programme /rewards/1/picture",
        json!("../programme.json"),
        "does not exist",
    );
    check("programme /rewards/1/kind", json!("cash"), "not one of the seven");
    check("programme /currency", json!("USD"), "the programme in USD");
    check(
        "programme /time_zone",
        json!("Europe/Brightleaf"),
        "IANA time zone database",
    );
    check("programme /tiers/1/threshold", json!(0), "is not above");
    check("programme /promise", json!({"fa": "…"}), "promise is missing in \"en\"");
    check(
        "programme /name/de",
        json!("Hellblatt"),
        "which languages does not name",
    );
    check("programme /theme/accent", json!("green"), "is not #rrggbb");
    check("programme /staff/0/pin", json!("secret"), "is not 4 to 12 digits");
    for (pointer, value, expected) in [
        ("/rewards/0/id", json!("Small coffee"), "rewards has \"Small coffee\""),
        ("/tiers/0/id", json!("a".repeat(65)), "an id is 1 to 64"),
        ("/stores/0/id", json!("nul\0"), "stores has \"nul"),
        ("/languages", json!(["en", "fa", "pt\r\nBR"]), "is no language tag"),
        ("/return_window_days", json!(367), "return_window_days is above 366"),
        (
            "/points_valid_months",
            json!(1201),
            "points_valid_months is not 1 to 1200",
        ),
        ("/points_valid_months", json!(0), "points_valid_months is not 1 to 1200"),
        ("/return_window_days", json!(365), "before a return window of 365 days"),
        ("/rewards/0/cost_points", json!(i64::MAX), "cost_points is above"),
        ("/min_spend_points", json!(-1), "min_spend_points is below 0"),
    ] {
        check(&format!("programme {pointer}"), value, expected);
    }
    let linh = &members["members"][0];
    let shouted = linh["email"].as_str().unwrap().to_uppercase();
    for (pointer, value, expected) in [
        ("/0/state", json!("retired"), "none of active, paused and managed"),
        ("/0/number", json!("51210231486"), "is not 12 digits"),
        ("/0/language", json!("de"), "no texts in \"de\""),
        (
            "/1/number",
            linh["number"].clone(),
            "the number is that of \"Linh\" too",
        ),
        ("/1/email", json!(shouted), "the email is that of \"Linh\" too"),
        (
            "/1/history",
            json!([{"day": {"days": 0}, "what": "bonus", "points": 0, "reason": {"en": "Nothing"}}]),
            "the points of a bonus is below 1",
        ),
        (
            "/1/history",
            json!([{"day": {"days": 0}, "what": "spend", "points": -5}]),
            "the points of a spend is below 1",
        ),
        (
            "/1/history",
            json!(vec![
                json!({"day": {"days": 0}, "what": "purchase", "store": "main", "total_minor": i64::MAX});
                11
            ]),
            "the result is too large",
        ),
    ] {
        check(&format!("members /members{pointer}"), value, expected);
    }
    check(
        "members /members/0/history/0/day",
        json!({"days": 1}),
        "lies in the future",
    );
    check(
        "members /members/0/history/0/store",
        json!("moon"),
        "no store of this programme",
    );
    check(
        "members /members/0/history/0/colour",
        json!("red"),
        "unknown field `colour`",
    );
    check(
        "members /members/1/history",
        json!([{"day": {"days": 0}, "what": "spend", "points": 100}]),
        "100 points are missing",
    );
    let verified = loyalty_api(&["--database-url", database, "verify"]);
    assert!(
        String::from_utf8(verified.stdout).unwrap().contains("0 members"),
        "nothing of it was kept"
    );
}

#[tokio::test]
async fn verify_finds_what_was_tampered_with() {
    // Without a server, whose worker would reckon with what was tampered with, and write down what comes of it.
    let own = OwnDatabase::seeded().await;
    let db = db::connect(&own.url).await.unwrap();
    let found = verify::verify(&db).await.unwrap();
    assert_eq!(found.members, 6);
    assert!(found.entries > 1000);
    let siti = "(select id from members where name = 'Siti')";
    for (tamper, undo) in [
        (
            "update members set balance = balance + 1 where id = {}",
            "update members set balance = balance - 1 where id = {}",
        ),
        (
            "update lots set remaining = remaining + 1 where member_id = {} and seq = 3",
            "update lots set remaining = remaining - 1 where member_id = {} and seq = 3",
        ),
        (
            "update entries set points = points + 1 where member_id = {} and seq = 500",
            "update entries set points = points - 1 where member_id = {} and seq = 500",
        ),
        (
            "update entries set balance_after = balance_after + 1 where member_id = {} and seq = 70",
            "update entries set balance_after = balance_after - 1 where member_id = {} and seq = 70",
        ),
        (
            "update members set spent = spent + 1 where id = {}",
            "update members set spent = spent - 1 where id = {}",
        ),
        (
            "update qualifying set points = points + 1 where member_id = {}",
            "update qualifying set points = points - 1 where member_id = {}",
        ),
        // The sum of the days stays the same.
        (
            "update qualifying set day = day - 100000 where member_id = {}",
            "update qualifying set day = day + 100000 where member_id = {}",
        ),
        (
            "update lots set expired = expired + 1 where member_id = {} and seq = 3",
            "update lots set expired = expired - 1 where member_id = {} and seq = 3",
        ),
        // So does the sum of what expired.
        (
            "update lots set expired = expired + 5 - 2 * 5 * (seq - 3) where member_id = {} and seq in (3, 4)",
            "update lots set expired = expired - 5 + 2 * 5 * (seq - 3) where member_id = {} and seq in (3, 4)",
        ),
        (
            "update purchases set forgiven = forgiven + 1 where member_id = {}",
            "update purchases set forgiven = forgiven - 1 where member_id = {}",
        ),
        (
            "update purchases set points = points + 1 where member_id = {}",
            "update purchases set points = points - 1 where member_id = {}",
        ),
        // The ledger agrees, and yet the purchase earns another figure at its own rate.
        (
            "update purchases set total_minor = total_minor + 1000 where member_id = {}",
            "update purchases set total_minor = total_minor - 1000 where member_id = {}",
        ),
        (
            "update members set saved_minor = saved_minor + 1 where id = {}",
            "update members set saved_minor = saved_minor - 1 where id = {}",
        ),
        (
            "update redemptions set state = 'released' where member_id = {}",
            "update redemptions set state = 'captured' where member_id = {}",
        ),
        (
            "update redemptions set captured_points = captured_points - 1 where member_id = {}",
            "update redemptions set captured_points = captured_points + 1 where member_id = {}",
        ),
        (
            "update redemption_lots set returned = returned + 1
             where redemption_id in (select id from redemptions where member_id = {})",
            "update redemption_lots set returned = returned - 1
             where redemption_id in (select id from redemptions where member_id = {})",
        ),
    ] {
        let run = async |statement: &str| {
            let statement = statement.replace("{}", siti);
            sqlx::query(AssertSqlSafe(statement)).execute(&db).await.unwrap();
        };
        run(tamper).await;
        let told = verify::verify(&db).await.unwrap_err().to_string();
        let starts = ["Purchase ", "Voucher ", "Member 609351728146"];
        assert!(starts.iter().any(|start| told.starts_with(start)), "{tamper}: {told}");
        run(undo).await;
    }
    verify::verify(&db).await.unwrap();
}

#[tokio::test]
async fn serves_a_demo_from_nothing_and_ends_when_told() {
    let own = OwnDatabase::empty().await;
    let database = own.url.as_str();
    let mut server = Command::new(env!("CARGO_BIN_EXE_loyalty-api"))
        .args(["--database-url", database, "serve", "--demo", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();
    std::net::TcpStream::connect(address).unwrap();

    let told = Instant::now();
    let id = server.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let status = server.wait().unwrap();
    assert!(status.success() && told.elapsed() < Duration::from_secs(8), "{status}");
    let mut log = String::new();
    server.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    let verified = loyalty_api(&["--database-url", database, "verify"]);
    assert!(verified.status.success());
    assert!(String::from_utf8(verified.stdout).unwrap().contains("6 members"));
}
