use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use loyalty_api::clock::Clock;
use loyalty_api::config::{ImportCommand, ImportFile};
use loyalty_api::db::{Database, is_sqlite};
use loyalty_api::{import, verify};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::commands::{check_fails, loyalty_api};
use crate::database::OwnDatabase;
use crate::support::{Api, LINH, NOW};

const MEMBERS: &str = "number,name,email,language,since";
const PURCHASES: &str = "external_id,store,occurred_at,total,member";

/// The sample's programme, and files to import.
struct Shop {
    own: OwnDatabase,
    db: Database,
    folder: TempDir,
}

impl Shop {
    async fn new() -> Self {
        let own = OwnDatabase::seeded().await;
        let db = Database::connect(&own.url).await.unwrap();
        let folder = TempDir::new().unwrap();
        Self { own, db, folder }
    }

    /// With members whose numbers are so many from 100000000001 on.
    async fn with_members(count: usize) -> Self {
        let shop = Self::new().await;
        let mut lines = String::from(MEMBERS);
        for number in 1..=count {
            write!(lines, "\n{},Member {number},,en,2023-01-01", 100_000_000_000 + number).unwrap();
        }
        shop.import("members", &shop.file("members.csv", lines), 0);
        shop
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// What the program says, when it ends with that code.
    #[track_caller]
    fn import(&self, kind: &str, file: &std::path::Path, code: i32) -> String {
        let output = loyalty_api(&["--database-url", &self.own.url, "import", kind, file.to_str().unwrap()]);
        let said = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}{told}");
        said
    }

    /// The lines that were rejected, each with its reason.
    fn rejects(&self, name: &str) -> Vec<(u64, String)> {
        let file = self.folder.path().join(format!("{name}.rejected.csv"));
        let mut rows = csv::Reader::from_path(file).unwrap();
        assert_eq!(rows.headers().unwrap(), ["line", "reason"].as_slice());
        rows.deserialize().map(Result::unwrap).collect()
    }

    /// Everything that was booked for those who were imported, without what is drawn by lot.
    async fn books(&self) -> Vec<String> {
        verify::verify(&self.db.pool).await.unwrap();
        let mut lines = vec![];
        for statement in [
            "select m.number || ' has ' || m.balance || ' of ' || m.earned || ' less ' || m.expired
             from members m where m.number like '100000000%' order by m.number",
            "select m.number || ' entry ' || e.seq || ' ' || e.at || ' ' || e.kind || ' ' || e.points || ' '
                || e.balance_after || ' ' || coalesce(p.external_id, '')
             from entries e join members m on m.id = e.member_id left join purchases p on p.id = e.purchase_id
             where m.number like '100000000%' order by m.number, e.seq",
            "select m.number || ' lot ' || l.seq || ' ' || l.points || ' ' || l.remaining || ' ' || l.expired || ' '
                || l.available_at || ' ' || l.expires_at
             from lots l join members m on m.id = l.member_id where m.number like '100000000%' order by m.number, l.seq",
            "select m.number || ' bought ' || p.external_id || ' ' || p.store || ' ' || p.occurred_at || ' '
                || p.total_minor || ' ' || p.multiplier_permille || ' ' || p.points || ' ' || p.answer
             from purchases p join members m on m.id = p.member_id
             where m.number like '100000000%' order by m.number, p.external_id",
        ] {
            let found: Vec<(String,)> = sqlx::query_as(statement).fetch_all(&self.db.pool).await.unwrap();
            lines.extend(found.into_iter().map(|(line,)| line));
        }
        lines
    }

    async fn number(&self, statement: &str) -> i64 {
        let found: (i64,) = sqlx::query_as(AssertSqlSafe(statement.to_owned()))
            .fetch_one(&self.db.pool)
            .await
            .unwrap();
        found.0
    }
}

/// So many purchases of so many members over two years, one of whom has more than fit into one transaction.
fn history(members: u64, rows: u64) -> Vec<String> {
    let mut dice = 7_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % sides
    };
    (0..rows)
        .map(|row| {
            let member = if roll(2) == 0 { 1 } else { 1 + roll(members) };
            let (year, month, day) = (2023 + roll(2), 1 + roll(12), 1 + roll(28));
            let (hour, cents) = (roll(24), roll(20_000));
            format!(
                "R-{row},main,{year}-{month:02}-{day:02}T{hour:02}:30:00+02:00,{}.{:02},{}",
                cents / 100,
                cents % 100,
                100_000_000_000 + member
            )
        })
        .collect()
}

fn lines(header: &str, rows: &[String]) -> String {
    format!("{header}\n{}\n", rows.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_killed_goes_on_and_doubles_nothing() {
    let rows = history(40, 6000);
    let whole = Shop::with_members(40).await;
    whole.import("purchases", &whole.file("p.csv", lines(PURCHASES, &rows)), 0);
    let expected = whole.books().await;
    assert!(
        expected.iter().any(|line| line.contains(" 1200 ")),
        "somebody climbed the ladder"
    );

    let shop = Shop::with_members(40).await;
    let file = shop.file("p.csv", lines(PURCHASES, &rows));
    let arguments = [
        "--database-url",
        &shop.own.url,
        "import",
        "purchases",
        file.to_str().unwrap(),
    ];
    for reached in [
        "select count(*) from import_rows where line > 1000",
        "select count(*) from imports where kind = 'purchases' and lines_read > 4000",
        "select count(*) from imports where kind = 'purchases' and booked > 0",
        "select count(*) from imports where kind = 'purchases' and booked > 3000",
    ] {
        let mut running = Command::new(env!("CARGO_BIN_EXE_loyalty-api"))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while shop.number(reached).await == 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "{reached}");
            sleep(Duration::from_millis(2));
        }
        running.kill().unwrap();
        running.wait().unwrap();
        verify::verify(&shop.db.pool).await.unwrap();
        let unfinished = "select count(*) from imports where kind = 'purchases' and finished_at is null";
        assert_eq!(shop.number(unfinished).await, 1, "killed too late for {reached}");
    }
    shop.import("purchases", &file, 0);
    assert_eq!(shop.books().await, expected);
    assert_eq!(shop.number("select count(*) from import_rows").await, 0);
    let said = shop.import("purchases", &file, 0);
    assert!(
        said.contains("imported already") && said.contains("6000 purchases are new"),
        "{said}"
    );
    assert_eq!(shop.books().await, expected);
}

#[tokio::test]
async fn the_order_of_a_file_does_not_matter() {
    let rows = history(10, 1500);
    let (one, other) = (Shop::with_members(10).await, Shop::with_members(10).await);
    one.import("purchases", &one.file("p.csv", lines(PURCHASES, &rows)), 0);
    let mut shuffled = rows.clone();
    shuffled.sort_by_key(|row| row.chars().rev().collect::<String>());
    assert_ne!(rows, shuffled);
    // Columns may stand in any order too, and lines may end as on Windows.
    let columns = |row: &String| {
        let cells: Vec<&str> = row.split(',').collect();
        format!("{},\"{}\",{},{},{}", cells[4], cells[3], cells[2], cells[1], cells[0])
    };
    let shuffled: Vec<String> = shuffled.iter().map(columns).collect();
    let text = lines("\u{feff}member,total,occurred_at,store,external_id", &shuffled).replace('\n', "\r\n");
    other.import("purchases", &other.file("p.csv", text), 0);
    assert_eq!(one.books().await, other.books().await);
}

#[tokio::test]
async fn a_bad_row_is_named_with_its_reason_and_stops_nothing() {
    let shop = Shop::with_members(2).await;
    let member = "100000000001";
    let long = "x".repeat(20_000);
    let rows: [(&str, &str); 22] = [
        ("good-1,main,2024-03-01T12:30:00Z,12.50,100000000001", ""),
        ("good-2,main,2024-03-01T12:30:00.5+07:00,0,100000000002", ""),
        ("r1,moon,2024-03-01T12:30:00Z,12.50,100000000001", "no such store"),
        ("r2,main,2024-03-01T12:30:00Z,12.50,999999999999", "nobody has this"),
        ("r3,main,2024-03-01T12:30:00Z,12.50,", "nobody has this"),
        (
            "r4,main,01.03.2024,12.50,100000000001",
            "is not like 2024-03-01T12:30:00Z",
        ),
        ("r5,main,2024-02-30T12:30:00Z,12.50,100000000001", "is not like"),
        ("r6,main,2024-03-01T12:30:00,12.50,100000000001", "is not like"),
        ("r7,main,2999-03-01T12:30:00Z,12.50,100000000001", "in the future"),
        ("r8,main,2024-03-01T12:30:00Z,\"12,50\",100000000001", "not a number"),
        ("r9,main,2024-03-01T12:30:00Z,-12.50,100000000001", "below zero"),
        ("r10,main,2024-03-01T12:30:00Z,12.505,100000000001", "3 decimals"),
        (
            "r11,main,2024-03-01T12:30:00Z,9999999999999999,100000000001",
            "more than can",
        ),
        ("good-1,main,2024-03-01T12:30:00Z,12.50,100000000001", "an earlier line"),
        ("good-1,main,2024-03-01T12:30:00Z,99.50,100000000001", "an earlier line"),
        ("r12,main,2024-03-01T12:30:00Z,12.50", "4 fields and not 5"),
        (
            "r13,main,2024-03-01T12:30:00Z,12.50,100000000001,",
            "6 fields and not 5",
        ),
        (
            "r14\0,main,2024-03-01T12:30:00Z,12.50,100000000001",
            "control character",
        ),
        (
            "\"r15,main,2024-03-01T12:30:00Z,12.50,100000000001",
            "a quote in it is not closed",
        ),
        (
            " ,main,2024-03-01T12:30:00Z,12.50,100000000001",
            "not 1 to 100 characters",
        ),
        ("r17,main,1969-12-31T23:59:59Z,12.50,100000000001", "before 1970"),
        ("\"good-\"\"3\"\"\",main,2024-03-01T12:30:00Z,0.99,100000000001", ""),
    ];
    let mut content = format!("{PURCHASES}\n").into_bytes();
    for (row, _) in rows {
        content.extend([row.as_bytes(), b"\n"].concat());
    }
    content.extend(b"\xff\xfe,main,2024-03-01T12:30:00Z,12.50,100000000001\n\n");
    content.extend(format!("{long},main,2024-03-01T12:30:00Z,12.50,{member}\n").into_bytes());
    content.extend(format!("{},main,2024-03-01T12:30:00Z,12.50,{member}\n", "y".repeat(101)).into_bytes());
    content.extend(format!("good-4,main,2024-03-01T12:30:00Z,1,{member}").into_bytes());
    let file = shop.file("p.csv", content);

    let said = shop.import("purchases", &file, 3);
    assert!(
        said.contains("4 purchases are new, 0 were there already, and 22 rows were rejected"),
        "{said}"
    );
    let mut expected: Vec<(u64, &str)> = (2..).zip(rows.map(|(_, reason)| reason)).collect();
    expected.retain(|(_, reason)| !reason.is_empty());
    expected.extend([
        (24, "not UTF-8"),
        (26, "more than 16384 bytes"),
        (27, "not 1 to 100 characters"),
    ]);
    let found = shop.rejects("p.csv");
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((line, reason), (expected_line, part)) in found.iter().zip(expected) {
        assert_eq!(*line, expected_line, "{reason}");
        assert!(reason.contains(part), "line {line}: {reason}");
    }
    let booked = shop.books().await;
    assert!(
        booked
            .iter()
            .any(|line| line.contains("bought good-\"3\" main 1709296200000 99 1000 9"))
    );

    // Once more, and with what was wrong put right: what is there already is done.
    assert_eq!(shop.import("purchases", &file, 3).lines().count(), 3);
    assert_eq!(shop.books().await, booked);
    let right = lines(
        PURCHASES,
        &[rows[0].0.into(), rows[1].0.into(), rows[2].0.replace("moon", "main")],
    );
    let said = shop.import("purchases", &shop.file("p.csv", right), 0);
    assert!(
        said.contains("1 purchases are new, 2 were there already, and 0 rows"),
        "{said}"
    );
    assert_eq!(shop.rejects("p.csv"), []);
    let other = lines(PURCHASES, &[rows[0].0.replace("12.50", "12.51")]);
    shop.import("purchases", &shop.file("other.csv", other), 3);
    assert!(
        shop.rejects("other.csv")[0]
            .1
            .contains("another purchase of this external_id")
    );

    // Whoever would have more than can be counted is not booked by halves.
    let rich = format!(
        "update members set balance = {} where number = '{member}'",
        i64::MAX - 5
    );
    sqlx::query(AssertSqlSafe(rich)).execute(&shop.db.pool).await.unwrap();
    let more = [
        rows[0].0.replace("good-1", "more-1"),
        rows[1].0.replace("good-2", "more-2"),
    ];
    shop.import("purchases", &shop.file("more.csv", lines(PURCHASES, &more)), 3);
    let found = shop.rejects("more.csv");
    assert!(
        found.len() == 1 && found[0].1.contains("than can be counted"),
        "{found:?}"
    );
    let booked = "select count(*) from purchases where external_id like 'more-%'";
    assert_eq!(shop.number(booked).await, 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_imported_is_refused_whole() {
    let shop = Shop::new().await;
    let check = |name: &str, content: &str, expected: &str| {
        let file = shop.file(name, content);
        let arguments = ["--database-url", &shop.own.url, "import", "purchases"];
        check_fails(&[&arguments[..], &[file.to_str().unwrap()]].concat(), expected);
    };
    check("empty.csv", "", "the file is empty");
    check(
        "more.csv",
        &format!("{PURCHASES},points\n"),
        "\"points\" is no column of it",
    );
    check(
        "less.csv",
        "external_id,store,total,member\n",
        "the column occurred_at is missing",
    );
    check(
        "twice.csv",
        &format!("{PURCHASES},store\n"),
        "the column store is there twice",
    );
    check("other.csv", &PURCHASES.replace(',', ";"), "is no column of it");
    let file = shop.file("p.csv", PURCHASES);
    let file = file.to_str().unwrap();
    let arguments = ["--database-url", &shop.own.url, "import", "purchases"];
    check_fails(
        &[&arguments[..], &[file, "--rejects", file]].concat(),
        "cannot be written into the file that is imported",
    );
    check_fails(&[&arguments[..], &["/nowhere/p.csv"]].concat(), "cannot be read");
    assert_eq!(shop.number("select count(*) from imports").await, 0);
}

#[tokio::test]
async fn members_are_made_once_and_never_changed() {
    let shop = Shop::new().await;
    let rows = [
        "100000000001,\"لینه \"\"ل\"\", جونیور\",Line@Shop.Example,fa,2019-05-04",
        "100000000002,O'Neil,,en,2020-02-29",
        "10000000003,Short,,en,2020-01-01",
        "100000000004, ,,en,2020-01-01",
        "100000000005,No Address,nobody,en,2020-01-01",
        "100000000006,No Language,,english!,2020-01-01",
        "100000000007,No Day,,en,2020-13-01",
        "100000000008,Too Late,,en,2999-01-01",
        "100000000002,Another,,en,2020-02-29",
        "100000000010,Same Address,line@shop.example,en,2020-01-01",
        "100000000011,Address of a sample's,linh@brightleaf.example,en,2020-01-01",
        "512102314864,Number of a sample's,,en,2020-01-01",
        "100000000002,O'Neil,,en,2020-02-29",
    ];
    let file = shop.file("m.csv", lines(MEMBERS, &rows.map(str::to_owned)));
    let said = shop.import("members", &file, 3);
    assert!(
        said.contains("2 members are new, 1 were there already, and 10 rows"),
        "{said}"
    );
    let reasons: Vec<String> = shop.rejects("m.csv").into_iter().map(|(_, reason)| reason).collect();
    let expected = [
        "12 digits",
        "1 to 80 characters",
        "no e-mail address",
        "no tag like",
        "no day like",
        "between 1900 and today",
        "another member has this number",
        "another member has this address",
        "another member has this address",
        "another member has this number",
    ];
    for (reason, part) in reasons.iter().zip(expected) {
        assert!(reason.contains(part), "{reasons:?}");
    }
    let linh = "select count(*) from members where number = '512102314864' and name = 'Linh'";
    assert_eq!(shop.number(linh).await, 1);
    let line = "select count(*) from members where name = 'لینه \"ل\", جونیور' and email = 'line@shop.example'";
    assert_eq!(shop.number(line).await, 1);
    shop.import("members", &file, 3);
    assert_eq!(
        shop.number("select count(*) from members where number like '1000000000%'")
            .await,
        2
    );
    verify::verify(&shop.db.pool).await.unwrap();
}

#[tokio::test]
async fn a_telephone_number_comes_along_where_the_file_has_one() {
    let shop = Shop::new().await;
    let rows = [
        "100000000001,+49 30 23125-016,Line,,fa,2019-05-04",
        "100000000002,,O'Neil,,en,2020-02-29",
        "100000000003,030 23125016,Nobody's,,en,2020-01-01",
    ];
    let header = "number,phone,name,email,language,since";
    let file = shop.file("m.csv", lines(header, &rows.map(str::to_owned)));
    let said = shop.import("members", &file, 3);
    assert!(said.contains("2 members are new"), "{said}");
    assert!(shop.rejects("m.csv")[0].1.contains("the phone is no telephone number"));
    let phones = "select count(*) from members where number like '1000000000%' and phone = '+493023125016'";
    assert_eq!(shop.number(phones).await, 1);

    // It is theirs to change: another file does not, and knows them all the same.
    sqlx::query("update members set phone = '+493023125017' where number = '100000000001'")
        .execute(&shop.db.pool)
        .await
        .unwrap();
    let again = shop.file(
        "again.csv",
        lines(MEMBERS, &["100000000001,Line,,fa,2019-05-04".to_owned()]),
    );
    assert!(shop.import("members", &again, 0).contains("1 were there already"));
    assert_eq!(shop.number(phones).await, 0);
}

/// What the sample's till tells.
fn purchase(external_id: &str, occurred_at: &str, minor: i64) -> Value {
    json!({
        "external_id": external_id, "store": "main", "occurred_at": occurred_at,
        "total": {"minor": minor, "currency": "EUR"}, "member": "512102314864",
    })
}

/// A server, and its database as the program would have it open.
async fn served() -> (Api, Database) {
    let own = OwnDatabase::seeded().await;
    let database = Database::connect(&own.url).await.unwrap();
    (Api::over(own, &["--demo", "--clock", NOW]).await, database)
}

async fn tell(api: &Api, key: &str, body: &Value) -> reqwest::Response {
    let request = api.client.post(format!("{}/api/v1/purchases", api.base));
    let request = request.bearer_auth("demo-till-key").header("idempotency-key", key);
    request.json(body).send().await.unwrap()
}

async fn import_now(database: &Database, file: PathBuf) {
    let command = ImportCommand::Purchases(ImportFile { file, rejects: None });
    let clock = Clock::starting_at(NOW.parse().unwrap());
    import::run(database, command, &clock).await.unwrap();
}

#[tokio::test]
async fn a_till_and_an_import_are_told_of_each_others_purchases() {
    let (api, database) = served().await;
    let folder = TempDir::new().unwrap();
    let told = purchase("till-1", "2026-11-20T09:00:00Z", 1250);
    assert_eq!(tell(&api, "a", &told).await.status(), StatusCode::CREATED);
    let file = folder.path().join("p.csv");
    let rows = [
        "till-1,main,2026-11-20T09:00:00Z,12.50,512102314864",
        "file-1,main,2026-11-20T10:00:00Z,20.00,512102314864",
        "file-2,main,2024-11-20T10:00:00Z,30.00,512102314864",
    ];
    fs::write(&file, lines(PURCHASES, &rows.map(str::to_owned))).unwrap();
    import_now(&database, file).await;
    let (booked, known): (i64, i64) = sqlx::query_as("select booked, known from imports")
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!((booked, known), (2, 1));

    let again = tell(&api, "b", &purchase("file-1", "2026-11-20T10:00:00Z", 2000)).await;
    assert_eq!(again.status(), StatusCode::CREATED);
    let again: Value = again.json().await.unwrap();
    assert_eq!(
        (again["points"].as_i64(), &again["member_state"]),
        (Some(200), &json!("active"))
    );
    let other = tell(&api, "c", &purchase("file-1", "2026-11-20T10:00:00Z", 2001)).await;
    assert_eq!(other.status(), StatusCode::CONFLICT);

    let told: Vec<(String,)> = sqlx::query_as("select body from outbox where kind = 'points.earned' order by at")
        .fetch_all(&api.db)
        .await
        .unwrap();
    let is_told = |id: &str| told.iter().any(|(body,)| body.contains(id));
    assert!(is_told("till-1") && is_told("file-1"), "{told:?}");
    assert!(!is_told("file-2"), "what is long over is told to nobody");
    verify::verify(&api.db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_sells_while_a_history_is_imported() {
    let (api, database) = served().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("p.csv");
    let rows: Vec<String> = (0..4000)
        .map(|row| {
            let (month, day) = (1 + row / 28 % 12, 1 + row % 28);
            format!("F-{row},main,2025-{month:02}-{day:02}T10:00:00Z,9.99,512102314864")
        })
        .collect();
    fs::write(&file, lines(PURCHASES, &rows)).unwrap();
    let is_over = AtomicBool::new(false);
    let importing = async {
        import_now(&database, file).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let selling = async {
        let mut sold = 0;
        while !is_over.load(Ordering::Relaxed) {
            let id = format!("T-{sold}");
            let answer = tell(&api, &id, &purchase(&id, "2026-11-21T09:00:00Z", 1000)).await;
            assert_eq!(answer.status(), StatusCode::CREATED);
            sold += 1;
        }
        sold
    };
    let ((), sold) = tokio::join!(importing, selling);
    assert!(sold > 0);
    verify::verify(&api.db).await.unwrap();
    let (bought,): (i64,) =
        sqlx::query_as("select count(*) from purchases where external_id like 'F-%' or external_id like 'T-%'")
            .fetch_one(&api.db)
            .await
            .unwrap();
    assert_eq!(bought, 4000 + sold);
}

#[tokio::test]
async fn whoever_leaves_while_their_purchases_are_imported_is_not_brought_back() {
    let (api, database) = served().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("p.csv");
    let row = format!("F-1,main,2026-11-20T09:00:00Z,9.99,{LINH}");
    fs::write(&file, lines(PURCHASES, &[row])).unwrap();
    let mut held = if is_sqlite(&api.db) {
        api.db.begin_with("begin immediate").await.unwrap()
    } else {
        api.db.begin().await.unwrap()
    };
    sqlx::query("update members set number = 'left', state = 'left' where number = $1")
        .bind(LINH)
        .execute(&mut *held)
        .await
        .unwrap();
    let leaving = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        held.commit().await.unwrap();
    };
    tokio::join!(import_now(&database, file), leaving);
    let (bought,): (i64,) = sqlx::query_as("select count(*) from purchases where external_id = 'F-1'")
        .fetch_one(&api.db)
        .await
        .unwrap();
    assert_eq!(bought, 0);
}
