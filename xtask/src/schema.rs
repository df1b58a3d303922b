//! The API held to its own `OpenAPI` document: Schemathesis asks what the document allows, and what it does not.

use crate::api::{self, Profile, Server};
use crate::process;
use crate::project;
use crate::steps::Steps;
use crate::test::Outcome;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What an answer must be; which requests are to be refused is for the API's own tests to say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance";

/// How many requests are made up for each operation, so that all identities together take some two minutes.
const EXAMPLES: &str = "30";

/// The same is asked in every run, and of the same sample.
const SEED: &str = "1";
const CLOCK: &str = "2026-11-21T10:00:00Z";
const AS_OF: &str = "2026-11-21";

/// Operations after which a member would be nobody: signing out, leaving, another address, and years that pass.
const SIGNS_OUT: [&str; 6] = [
    "end_session",
    "delete_session",
    "delete_other_sessions",
    "change_address",
    "delete_member",
    "move_clock",
];

/// An operation whose answer to a member has no end, which Schemathesis would wait for: the API's own tests ask it.
const NEVER_ENDS: [&str; 1] = ["list_events"];

/// As whom everything is asked. Nobody comes last, since nothing that is asked so depends on what time it is.
const IDENTITIES: [Identity; 4] = [
    Identity::Member("linh"),
    Identity::Key("demo-till-key"),
    Identity::Key("demo-crm-key"),
    Identity::Nobody,
];

/// How many steps all of it takes, with that of looking for Schemathesis.
pub const STEPS: usize = IDENTITIES.len() + 3;

/// Whom the API takes the caller for.
enum Identity {
    Nobody,
    /// A member of the sample, by the name in their address.
    Member(&'static str),
    /// A till or a CRM, by its key.
    Key(&'static str),
}

impl Identity {
    fn title(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Member(name) => format!("the member {name}"),
            Self::Key(key) => format!("the bearer of {key}"),
        }
    }

    /// The headers that tell the API who it is.
    fn headers(&self, server: &Server) -> Result<Vec<String>> {
        Ok(match self {
            Self::Nobody => Vec::new(),
            Self::Member(name) => vec![
                format!("Cookie: {}", sign_in(server, name)?),
                // Without it a write with a cookie is refused, and nothing behind that is reached.
                "Sec-Fetch-Site: same-origin".to_owned(),
            ],
            Self::Key(key) => vec![format!("Authorization: Bearer {key}")],
        })
    }
}

/// Asks a demo everything as each identity, and proves at the end that its books still agree.
pub fn run(steps: &mut Steps, schemathesis: &Path, arguments: &[OsString]) -> Result<Outcome> {
    steps.next("Building the API");
    let program = api::build(Profile::Test)?;
    let folder = project::root().join("target/schemathesis");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let database = api::sqlite_url(&folder.join("loyalty.db"));

    let mut command = Command::new(&program);
    command.args(["serve", "--demo", "--database-url", &database, "--port", "0"]);
    command.args(["--clock", CLOCK, "--as-of", AS_OF, "--burst", "1000000"]);
    let Some(server) = Server::start(&mut command)? else {
        bail!("The API did not start; the line above says why.");
    };
    let mut outcome = Outcome::default();
    let asked = IDENTITIES.iter().try_for_each(|identity| {
        steps.next(&format!("Asking the API everything, as {}", identity.title()));
        let more = ask(schemathesis, &server, identity, &folder, arguments)?;
        outcome.passed += more.passed;
        outcome.failed += more.failed;
        outcome.is_broken |= more.is_broken;
        anyhow::Ok(())
    });
    server.stop()?;
    asked?;
    steps.next("Proving that the books still agree");
    let books = process::status(Command::new(&program).args(["verify", "--database-url", &database]))?;
    outcome.passed += u64::from(books.success());
    outcome.failed += u64::from(!books.success());
    Ok(outcome)
}

/// Runs Schemathesis as one identity, in a folder for what it writes.
fn ask(
    schemathesis: &Path,
    server: &Server,
    identity: &Identity,
    folder: &Path,
    arguments: &[OsString],
) -> Result<Outcome> {
    let report = folder.join("report.json");
    // What was found as somebody else must never pass for this one's.
    let _ = fs::remove_file(&report);
    let mut command = Command::new(schemathesis);
    command
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", server.address))
        .args(["--phases", "examples,coverage,fuzzing,stateful", "--checks", CHECKS])
        .args([
            "--max-examples",
            EXAMPLES,
            "--seed",
            SEED,
            "--generation-database",
            "none",
        ])
        .arg("--report-json-path")
        .arg(&report)
        .args(identity.headers(server)?.iter().flat_map(|header| ["--header", header]))
        .args(arguments)
        .current_dir(folder)
        // It talks to this machine alone, whatever proxy the rest of it goes through.
        .env("NO_PROXY", "*");
    if !matches!(identity, Identity::Nobody) {
        command.args(
            SIGNS_OUT
                .iter()
                .chain(&NEVER_ENDS)
                .flat_map(|operation| ["--exclude-operation-id", operation]),
        );
    }
    let status = process::status(&mut command)?;
    let (passed, failed) = counts(&report)?;
    Ok(Outcome {
        passed,
        failed,
        is_broken: !status.success(),
        lacks: None,
    })
}

/// Reads Schemathesis's report: requests that were answered as documented, and the ways in which others were not.
fn counts(report: &Path) -> Result<(u64, u64)> {
    let report = fs::read_to_string(report).context("Schemathesis left no report")?;
    let report: Value = serde_json::from_str(&report).context("Schemathesis's report is not JSON")?;
    let count = |what: &str| {
        report["test_cases"][what]
            .as_u64()
            .with_context(|| format!("Schemathesis's report does not count {what:?}"))
    };
    let passed = count("generated")?.saturating_sub(count("with_failures")?);
    Ok((passed, count("unique_failures")?))
}

/// Signs a member of the sample in as the wallet would, and gives their cookie.
fn sign_in(server: &Server, name: &str) -> Result<String> {
    let address = json!({"address": format!("{name}@brightleaf.example")});
    let (_, challenge) = post(server, "/api/v1/auth/challenges", &address)?;
    let challenge: Value = serde_json::from_str(&challenge)?;
    let answer = json!({"challenge_id": challenge["challenge_id"], "code": challenge["demo_code"]});
    let (head, _) = post(server, "/api/v1/auth/sessions", &answer)?;
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .and_then(|(_, cookie)| cookie.split(';').next())
        .map(str::to_owned)
        .with_context(|| format!("{name} could not sign in: {head}"))
}

/// The head and the body of an answer.
fn post(server: &Server, path: &str, body: &Value) -> Result<(String, String)> {
    let body = body.to_string();
    let mut stream = TcpStream::connect(server.address.trim_start_matches("http://"))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the API did not answer whole")?;
    Ok((head.to_owned(), body.to_owned()))
}
