//! Running a shop from the command line, by the real program.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use clap::Parser;
use loyalty_api::config::{self, Cli};
use loyalty_api::db::{self, Database};
use loyalty_api::serve::{Server, start};
use loyalty_api::token;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use sqlx::{AnyPool, AssertSqlSafe};
use tempfile::TempDir;

use crate::commands::{check_fails, loyalty_api};
use crate::database::{OwnDatabase, sqlite};

/// A database, and the program over it.
struct Shop {
    url: String,
    db: AnyPool,
}

impl Shop {
    async fn over(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            db: db::connect(url).await.unwrap(),
        }
    }

    /// What it answers on standard output.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let output = loyalty_api(&[&["--database-url", &self.url], arguments].concat());
        let (answer, told) = (output.stdout, String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(answer).unwrap().trim().to_owned()
    }

    #[track_caller]
    fn refuses(&self, arguments: &[&str], expected: &str) {
        check_fails(&[&["--database-url", &self.url], arguments].concat(), expected);
    }

    /// The same with a PIN on standard input.
    #[track_caller]
    fn run_with_pin(&self, pin: &str, arguments: &[&str]) {
        let mut running = Command::new(env!("CARGO_BIN_EXE_loyalty-api"))
            .args(["--database-url", &self.url])
            .args(arguments)
            .arg("--pin-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        running.stdin.take().unwrap().write_all(pin.as_bytes()).unwrap();
        assert!(running.wait().unwrap().success(), "{arguments:?}");
    }

    async fn text(&self, statement: &str) -> String {
        sqlx::query_scalar(AssertSqlSafe(statement.to_owned()))
            .fetch_one(&self.db)
            .await
            .unwrap()
    }

    async fn number(&self, statement: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(statement.to_owned()))
            .fetch_one(&self.db)
            .await
            .unwrap()
    }

    async fn execute(&self, statement: &str) {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&self.db)
            .await
            .unwrap();
    }

    async fn serve(&self, arguments: &[&str]) -> Server {
        let always = ["loyalty-api", "serve", "--port", "0"];
        let config::Command::Serve(config) = Cli::parse_from(always.iter().chain(arguments)).command else {
            panic!("not serve");
        };
        start(Database::connect(&self.url).await.unwrap(), config)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_keys_secret_is_shown_once_and_the_key_ends_when_it_is_revoked() {
    let own = OwnDatabase::seeded().await;
    let shop = Shop::over(&own.url).await;
    let secret = shop.run(&["key", "add", "--name", "Front till", "--till", "--store", "main"]);
    assert!(secret.starts_with("lwk_") && secret.lines().count() == 1, "{secret}");
    let crm = shop.run(&["key", "add", "--name", "CRM", "--scope", "purchases", "--crm"]);
    let of = |column: &str, secret: &str| {
        format!(
            "select {column} from api_keys where key_hash = '{}'",
            token::hash(secret)
        )
    };
    let till_scopes = "purchases returns number identify capture refund";
    assert_eq!(shop.text(&of("scopes", &secret)).await, till_scopes);
    assert_eq!(shop.text(&of("scopes", &crm)).await, "purchases number adjust");
    // What the contract promises of a demo.
    assert_eq!(
        shop.text(&of("scopes || ' ' || store", "demo-till-key")).await,
        format!("{till_scopes} main")
    );
    assert_eq!(shop.text(&of("scopes", "demo-crm-key")).await, "number adjust");

    let listed = shop.run(&["key", "list"]);
    assert!(
        listed.contains("Front till") && listed.contains("every store"),
        "{listed}"
    );
    assert!(
        !listed.contains(&secret) && !listed.contains(&token::hash(&secret)),
        "{listed}"
    );
    // An id can begin like an option.
    shop.execute(&format!(
        "update api_keys set id = '-{0}' where id = '{0}'",
        shop.text(&of("id", &secret)).await
    ))
    .await;
    let id = shop.text(&of("id", &secret)).await;
    shop.run(&["key", "revoke", &id]);
    let revoked_at = shop.number(&of("revoked_at", &secret)).await;
    shop.refuses(&["key", "revoke", &id], "could still be revoked");
    assert_eq!(shop.number(&of("revoked_at", &secret)).await, revoked_at);

    let add = |more: &[&str], expected: &str| shop.refuses(&[&["key", "add"], more].concat(), expected);
    add(&["--name", "Till"], "required");
    add(&["--name", "Till", "--scope", "everything"], "invalid value");
    add(
        &["--name", "Till", "--till", "--store", "moon"],
        "has no store \"moon\"; it has main",
    );
    add(&["--name", "two\nlines", "--till"], "is not 1 to 80 characters");
}

#[tokio::test]
async fn staff_come_and_go_and_a_new_pin_signs_them_out() {
    let own = OwnDatabase::seeded().await;
    let shop = Shop::over(&own.url).await;
    let anna = ["--store", "main", "--code", "7"];
    let add = [&["staff", "add", "--name", "Anna", "--role", "manager"], &anna[..]].concat();
    shop.run_with_pin("123456\n", &[&add[..], &["--member", "512102314864"]].concat());
    let of_anna = |column: &str| format!("select {column} from staff where store = 'main' and code = '7'");
    let check_pin = async |pin: &str| {
        let hash = shop.text(&of_anna("pin_hash")).await;
        let hash = PasswordHash::new(&hash).unwrap();
        Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok()
    };
    assert!(check_pin("123456").await);
    let linh = "select name from members where id = (select member_id from staff where code = '7')";
    assert_eq!(shop.text(linh).await, "Linh");
    let listed = shop.run(&["staff", "list"]);
    assert!(
        listed.contains("Anna") && listed.contains("manager") && !listed.contains("argon2"),
        "{listed}"
    );

    // A PIN is asked for, and never an argument.
    let from_nowhere = |arguments: &[&str], pin: Option<&str>, expected: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_loyalty-api"));
        program
            .args(["--database-url", &shop.url])
            .args(arguments)
            .stdin(Stdio::null());
        pin.map(|pin| program.env("LOYALTY_STAFF_PIN", pin));
        let output = program.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && told.contains(expected),
            "{arguments:?}: {told}"
        );
    };
    let new = [
        "staff", "add", "--store", "main", "--name", "Ben", "--role", "clerk", "--code",
    ];
    let with = |more: &[&'static str]| [&new[..], more].concat();
    from_nowhere(&with(&["8"]), None, "no terminal to ask for the PIN");
    from_nowhere(&with(&["8"]), Some("123"), "is not 4 to 12 digits");
    from_nowhere(&with(&["8"]), Some("12a4"), "is not 4 to 12 digits");
    from_nowhere(&with(&["7"]), Some("1234"), "The code 7 is somebody's");
    from_nowhere(&with(&["a b"]), Some("1234"), "is not 1 to 32 letters");
    from_nowhere(
        &with(&["8", "--member", "1"]),
        Some("1234"),
        "no member with the number",
    );
    from_nowhere(&with(&["8", "--pin", "1234"]), None, "unexpected argument");

    let sign_in = async || {
        let columns = "insert into staff_sessions (id, token_hash, staff_id, created_at, seen_at)";
        shop.execute(&format!(
            "{columns} select 's', 'h', id, 0, 0 from staff where code = '7'"
        ))
        .await;
    };
    let sessions = "select count(*) from staff_sessions";
    sign_in().await;
    shop.run_with_pin("9876", &[&["staff", "reset"], &anna[..]].concat());
    assert!(check_pin("9876").await && !check_pin("123456").await);
    assert_eq!(shop.number(sessions).await, 0);
    sign_in().await;
    shop.run(&[&["staff", "disable"], &anna[..]].concat());
    assert_eq!(shop.number(sessions).await, 0);
    let disabled_at = shop.number(&of_anna("disabled_at")).await;
    shop.run(&[&["staff", "disable"], &anna[..]].concat());
    assert_eq!(shop.number(&of_anna("disabled_at")).await, disabled_at);
    shop.refuses(&[&["staff", "reset"], &anna[..]].concat(), "say --enable as well");
    shop.run_with_pin("2222", &[&["staff", "reset", "--enable"], &anna[..]].concat());
    assert_eq!(
        shop.number("select count(*) from staff where disabled_at is null and code = '7'")
            .await,
        1
    );
    shop.refuses(
        &["staff", "disable", "--store", "main", "--code", "none"],
        "Nobody at the store",
    );

    let code = shop.run(&["staff", "pair", "--store", "main"]);
    assert_eq!(code.len(), 8);
    let pairing = format!("select store from pairings where code_hash = '{}'", token::hash(&code));
    assert_eq!(shop.text(&pairing).await, "main");
    shop.refuses(&["staff", "pair", "--store", "moon"], "has no store \"moon\"");
}

/// A programme file with its pictures, made from the sample's.
struct Programme {
    folder: TempDir,
    document: Value,
}

impl Programme {
    /// As a real shop has one: no staff, and days by the calendar.
    fn of_the_sample() -> Self {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
        let mut document: Value = serde_json::from_slice(&fs::read(sample.join("programme.json")).unwrap()).unwrap();
        document["staff"] = json!([]);
        for reward in document["rewards"].as_array_mut().unwrap() {
            reward["valid_from"] = Value::Null;
            reward["valid_until"] = Value::Null;
        }
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("media")).unwrap();
        for picture in fs::read_dir(sample.join("media")).unwrap() {
            let picture = picture.unwrap();
            fs::copy(picture.path(), folder.path().join("media").join(picture.file_name())).unwrap();
        }
        Self { folder, document }
    }

    /// Writes it down, and tells where.
    fn file(&self) -> String {
        let file = self.folder.path().join("programme.json");
        fs::write(&file, self.document.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn reward(&mut self, id: &str) -> &mut Value {
        let mut rewards = self.document["rewards"].as_array_mut().unwrap().iter_mut();
        rewards.find(|reward| reward["id"] == id).unwrap()
    }

    fn take_out(&mut self, id: &str) -> Value {
        let rewards = self.document["rewards"].as_array_mut().unwrap();
        let place = rewards.iter().position(|reward| reward["id"] == id).unwrap();
        rewards.remove(place)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_begins_with_an_empty_database_and_changes_while_it_is_served() {
    let own = OwnDatabase::empty().await;
    let shop = Shop::over(&own.url).await;
    let mut programme = Programme::of_the_sample();
    shop.refuses(
        &["programme", "apply", &programme.file()],
        "make them with `loyalty-api migrate`",
    );
    shop.run(&["migrate"]);
    shop.refuses(&["stock", "list"], "has no programme yet");
    let server = shop.serve(&[]).await;
    let get = async |path: &str| {
        let answer = reqwest::get(format!("http://{}{path}", server.address)).await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let read = async |path: &str| -> Value { serde_json::from_str(&get(path).await.1).unwrap() };
    assert_eq!(get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);

    let mug = programme.reward("enamel-mug");
    mug["stock"] = json!(40);
    let told = shop.run(&["programme", "apply", &programme.file()]);
    assert!(
        told.starts_with("Revision 1 is in force, with 32 rewards: 32 new"),
        "{told}"
    );
    assert_eq!(get("/readyz").await.0, StatusCode::OK);
    let logo = read("/api/v1/programme").await["theme"]["logo_url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(get(&logo).await.0, StatusCode::OK);
    let left = async || read("/api/v1/rewards/enamel-mug").await["stock_left"].clone();
    assert_eq!(left().await, 40);

    // What is left is counted in the shop, whatever the file says; the file begins and ends the counting.
    shop.run(&["stock", "set", "enamel-mug", "12"]);
    programme.reward("enamel-mug")["cost_points"] = json!(777);
    programme.document["earning"]["points"] = json!(20);
    shop.run(&["programme", "apply", &programme.file()]);
    assert_eq!(left().await, 12);
    assert_eq!(read("/api/v1/rewards/enamel-mug").await["cost_points"], 777);
    assert_eq!(read("/api/v1/programme").await["earning"]["points"], 20);
    shop.run(&["stock", "set", "enamel-mug", "unlimited"]);
    shop.run(&["programme", "apply", &programme.file()]);
    assert_eq!(left().await, Value::Null);
    programme.reward("enamel-mug")["stock"] = Value::Null;
    shop.run(&["programme", "apply", &programme.file()]);
    programme.reward("enamel-mug")["stock"] = json!(5);
    shop.run(&["programme", "apply", &programme.file()]);
    assert_eq!(left().await, 5);

    // What is left out stays for its vouchers, and can come back.
    let mug = programme.take_out("enamel-mug");
    let told = shop.run(&["programme", "apply", &programme.file()]);
    assert!(told.ends_with("31 rewards: 0 new, 0 back, 1 left out."), "{told}");
    assert_eq!(get("/api/v1/rewards/enamel-mug").await.0, StatusCode::NOT_FOUND);
    let stock = shop.run(&["stock", "list"]);
    assert!(stock.lines().last().unwrap().starts_with("enamel-mug"), "{stock}");
    shop.run(&["stock", "set", "enamel-mug", "3"]);
    programme.document["rewards"].as_array_mut().unwrap().insert(0, mug);
    let told = shop.run(&["programme", "apply", &programme.file()]);
    assert!(told.ends_with("0 new, 1 back, 0 left out."), "{told}");
    assert_eq!(left().await, 3);
    assert_eq!(read("/api/v1/rewards?limit=1").await["items"][0]["id"], "enamel-mug");

    shop.refuses(&["stock", "set", "nothing", "3"], "no reward \"nothing\"");
    shop.refuses(&["stock", "set", "enamel-mug", "4294967296"], "neither a whole number");
    shop.refuses(&["stock", "set", "enamel-mug", "many"], "neither a whole number");

    // Nothing is booked yet: even the currency and the zone can still be another one.
    programme.document["time_zone"] = json!("Europe/Lisbon");
    shop.run(&["programme", "apply", &programme.file()]);
    assert_eq!(read("/api/v1/programme").await["time_zone"], "Europe/Lisbon");

    // Whoever applies at the same time takes a turn.
    let before = shop.number("select revision from programme").await;
    let file = programme.file();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| shop.run(&["programme", "apply", &file]));
        }
    });
    assert_eq!(shop.number("select revision from programme").await, before + 6);
}

#[tokio::test]
async fn a_programme_that_is_wrong_changes_nothing() {
    let own = OwnDatabase::seeded().await;
    let shop = Shop::over(&own.url).await;
    let kept = async || {
        let rewards = "select cast(sum(position * coalesce(stock, 7)) as bigint) from rewards where removed_at is null";
        let document = shop.text("select document from programme").await;
        (
            shop.number("select revision from programme").await,
            document,
            shop.number(rewards).await,
        )
    };
    let before = kept().await;
    let check = |change: &dyn Fn(&mut Programme), expected: &str| {
        let mut programme = Programme::of_the_sample();
        change(&mut programme);
        shop.refuses(&["programme", "apply", &programme.file()], expected);
    };
    check(
        &|programme| programme.document["time_zone"] = json!("Asia/Tehran"),
        "The time zone cannot change",
    );
    check(
        &|programme| {
            // In another currency throughout.
            let text = programme.document.to_string().replace("\"EUR\"", "\"USD\"");
            programme.document = serde_json::from_str(&text).unwrap();
        },
        "The currency cannot change from EUR to USD any more",
    );
    check(
        &|programme| {
            programme.document["terms"]["version"] = json!(1);
            programme.document["earlier_terms"] = json!([]);
        },
        "count it up",
    );
    check(
        &|programme| programme.document["earlier_terms"][0]["version"] = json!(2),
        "earlier_terms[0].version 2 is not one before 2",
    );
    check(
        &|programme| programme.document["announced_changes"][0]["point_value"]["money"]["currency"] = json!("USD"),
        "announced_changes[0].point_value.money is in USD",
    );
    check(
        &|programme| programme.document["announced_changes"][0]["points_valid_months"] = json!(0),
        "announced_changes[0].points_valid_months is not 1 to",
    );
    check(
        &|programme| {
            programme.document["staff"] =
                json!([{"store": "main", "code": "1", "pin": "1234", "role": "clerk", "name": "A"}])
        },
        "add them with `loyalty-api staff add`",
    );
    check(
        &|programme| programme.reward("enamel-mug")["valid_until"] = json!({"days": 3}),
        "In reward \"enamel-mug\" a day is relative",
    );
    check(
        &|programme| programme.reward("enamel-mug")["picture"] = json!("../programme.json"),
        "does not exist",
    );
    check(
        &|programme| programme.reward("enamel-mug")["tier_required"] = json!("platinum"),
        "no tier",
    );
    check(
        &|programme| programme.document["colour"] = json!("red"),
        "unknown field `colour`",
    );
    check(
        &|programme| programme.document["adjustment_limits"] = json!({"clerk": -1, "manager": 5}),
        "adjustment_limits.clerk is below 0",
    );
    shop.refuses(&["programme", "apply", "/nowhere/programme.json"], "cannot be read");
    assert_eq!(kept().await, before);

    // Everything else can change, and the worker looks at everybody again when the ladder did.
    shop.execute("update members set due_at = 99").await;
    let mut programme = Programme::of_the_sample();
    shop.run(&["programme", "apply", &programme.file()]);
    assert_eq!(shop.number("select min(due_at) from members").await, 99);
    programme.document["tiers"][1]["threshold"] = json!(1);
    programme.document["terms"]["version"] = json!(3);
    programme.document["earlier_terms"] = json!([]);
    shop.run(&["programme", "apply", &programme.file()]);
    assert_eq!(shop.number("select max(due_at) from members").await, 0);
    let stored: Value = serde_json::from_str(&shop.text("select document from programme").await).unwrap();
    let earlier = stored["earlier_terms"].as_array().unwrap().iter();
    let earlier: Vec<_> = earlier.map(|terms| &terms["version"]).collect();
    assert_eq!(earlier, [2, 1], "what was in force stays published");
    assert!(shop.run(&["verify"]).contains("no difference"));
}

/// An SQLite database with the sample.
fn seeded_file(folder: &Path) -> PathBuf {
    let file = folder.join("loyalty.db");
    assert!(
        loyalty_api(&["--database-url", &sqlite(&file), "seed"])
            .status
            .success()
    );
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_one_instant_of_a_database_that_goes_on() {
    let folder = TempDir::new().unwrap();
    let file = seeded_file(folder.path());
    let shop = Shop::over(&sqlite(&file)).await;
    let server = shop.serve(&["--demo"]).await;
    // Two rows that change together, again and again, while it is copied.
    shop.execute("insert into meta (name, value) values ('one', '0'), ('two', '0')")
        .await;
    let writer = {
        let db = shop.db.clone();
        tokio::spawn(async move {
            for round in 0_i64.. {
                let mut tx = db.begin_with("begin immediate").await.unwrap();
                for name in ["one", "two"] {
                    sqlx::query("update meta set value = $1 where name = $2")
                        .bind(round.to_string())
                        .bind(name)
                        .execute(&mut *tx)
                        .await
                        .unwrap();
                }
                tx.commit().await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        })
    };
    // A name that a URL would have to escape, in a folder that is not the database's.
    let backup = folder.path().join("b/a backup? 50%.db");
    fs::create_dir(folder.path().join("b")).unwrap();
    let backup = backup.to_str().unwrap().to_owned();
    let run = async |arguments: &[&str]| {
        let arguments: Vec<String> = ["--database-url", &shop.url]
            .iter()
            .chain(arguments)
            .map(|argument| (*argument).to_owned())
            .collect();
        let done = tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            loyalty_api(&arguments)
        });
        done.await.unwrap()
    };
    let output = run(&["backup", &backup]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    shop.refuses(&["backup", &backup], "already: nothing is overwritten");
    let left: Vec<_> = fs::read_dir(folder.path().join("b")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&backup).unwrap().permissions()) & 0o077,
        0
    );

    // Nothing takes the place of a database that is there, or that somebody has open.
    shop.refuses(&["restore", &backup], "say --replace");
    shop.refuses(&["restore", "--replace", &backup], "The database is in use");
    server.stop().await.unwrap();
    let idle = shop.db.acquire().await.unwrap();
    shop.refuses(&["restore", "--replace", &backup], "The database is in use");
    drop(idle);
    let after = shop.text("select value from meta where name = 'one'").await;
    shop.db.close().await;
    shop.refuses(
        &["restore", "--replace", file.to_str().unwrap()],
        "is the database itself",
    );
    shop.refuses(&["restore", "--replace", "/nowhere.db"], "There is no file");
    let told = shop.run(&["restore", "--replace", &backup]);

    let restored = Shop::over(&shop.url).await;
    let both = async |shop: &Shop| {
        let one = shop.text("select value from meta where name = 'one'").await;
        (one, shop.text("select value from meta where name = 'two'").await)
    };
    let (one, two) = both(&restored).await;
    assert_eq!(one, two);
    assert!(restored.run(&["verify"]).contains("6 members"));
    // What it was is whole as well, beside it.
    let kept = told.rsplit_once("is kept in ").unwrap().1.trim_end_matches('.');
    assert!(kept.starts_with(&format!("{}.20", file.display())), "{kept}");
    let kept = Shop::over(&format!("sqlite://{kept}")).await;
    assert_eq!(both(&kept).await, (after.clone(), after));
}

#[tokio::test]
async fn only_a_whole_backup_of_this_program_is_restored() {
    let folder = TempDir::new().unwrap();
    let file = seeded_file(folder.path());
    let shop = Shop::over(&sqlite(&file)).await;
    shop.db.close().await;
    let backup = folder.path().join("backup.db");
    shop.run(&["backup", backup.to_str().unwrap()]);
    let before = fs::read(&file).unwrap();
    let whole = fs::read(&backup).unwrap();

    let bad = folder.path().join("bad.db");
    let check = |content: &[u8], expected: &str| {
        fs::write(&bad, content).unwrap();
        shop.refuses(&["restore", "--replace", bad.to_str().unwrap()], expected);
        let names = fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert!(
            names.iter().all(|name| !name.to_string_lossy().contains("part")),
            "{names:?}"
        );
    };
    check(
        &b"This is a letter, and not a database. ".repeat(40),
        "is not an SQLite database",
    );
    check(b"", "is not a database of this program");
    check(&whole[..whole.len() / 2], "malformed");
    let mut spoiled = whole.clone();
    let middle = spoiled.len() / 2;
    spoiled[middle..middle + 9000].fill(0xa5);
    check(&spoiled, "nothing was changed");
    for (change, expected) in [
        ("update members set balance = balance + 1", "the balance is"),
        ("drop table _sqlx_migrations", "is not a database of this program"),
        (
            "insert into _sqlx_migrations values (9999, 'later', 'now', true, x'00', 0)",
            "made by a newer version",
        ),
    ] {
        let changed = folder.path().join("changed.db");
        fs::write(&changed, &whole).unwrap();
        let other = Shop::over(&sqlite(&changed)).await;
        other.execute(change).await;
        other.db.close().await;
        check(&fs::read(&changed).unwrap(), expected);
    }
    // What is open has a log beside it, without which it is not whole.
    fs::write(folder.path().join("bad.db-wal"), "something").unwrap();
    check(&whole, "a database in use");
    fs::remove_file(folder.path().join("bad.db-wal")).unwrap();
    assert_eq!(fs::read(&file).unwrap(), before);

    // An older version's is brought up to date, and a damaged database gives way to a backup.
    let early = folder.path().join("migrations");
    fs::create_dir(&early).unwrap();
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for name in ["0001_first.sql", "0002_ends.sql"] {
        fs::copy(all.join(name), early.join(name)).unwrap();
    }
    let old = Shop::over(&sqlite(&folder.path().join("old.db"))).await;
    Migrator::new(early.as_path())
        .await
        .unwrap()
        .run(&old.db)
        .await
        .unwrap();
    old.refuses(&["key", "list"], "those of an older version");
    old.refuses(
        &["serve", "--port", "0"],
        "bring them up to date with `loyalty-api migrate`",
    );
    old.db.close().await;
    fs::write(&file, "Not a database any more.").unwrap();
    shop.run(&["restore", "--replace", folder.path().join("old.db").to_str().unwrap()]);
    assert!(shop.run(&["verify"]).contains("0 members"));
    fs::remove_file(&file).unwrap();
    shop.run(&["restore", backup.to_str().unwrap()]);
    assert!(shop.run(&["verify"]).contains("6 members"));
}

#[tokio::test]
async fn postgresql_has_backups_of_its_own() {
    let own = OwnDatabase::empty().await;
    if own.url.starts_with("postgres") {
        check_fails(
            &["--database-url", &own.url, "backup", "/nowhere/backup.db"],
            "pg_dump and pg_restore",
        );
    }
    check_fails(
        &[
            "--database-url",
            "postgres://localhost/none",
            "restore",
            "/nowhere/backup.db",
        ],
        "pg_dump and pg_restore",
    );
}
