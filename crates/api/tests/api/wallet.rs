use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Api, problem};

#[tokio::test]
async fn the_wallet_is_served_beside_the_api() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret.txt"), "beside the wallet").unwrap();
    let folder = outside.path().join("wallet");
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, content: &str| fs::write(folder.join(name), content).unwrap();
    write("index.html", "<title>wallet</title>");
    write("wallet-0123456789abcdef.js", "plain");
    write("wallet-0123456789abcdef.js.br", "small");
    write("sw.js", "worker");
    let api = Api::start_with(&["--wallet-dir", folder.to_str().unwrap()]).await;
    let get = async |path: &str, encoding: &str| {
        let request = api
            .client
            .get(format!("{}{path}", api.base))
            .header("accept-encoding", encoding);
        request.send().await.unwrap()
    };

    for path in ["/", "/rewards", "/rewards/sourdough-loaf", "/activity/"] {
        let page = get(path, "").await;
        assert_eq!(page.headers()["cache-control"], "no-cache", "{path}");
        assert!(page.text().await.unwrap().contains("wallet"), "{path}");
    }
    let script = get("/wallet-0123456789abcdef.js", "gzip, br").await;
    assert_eq!(script.headers()["content-encoding"], "br");
    assert_eq!(script.headers()["content-type"], "text/javascript");
    assert!(
        script.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert_eq!(script.text().await.unwrap(), "small");
    assert_eq!(
        get("/wallet-0123456789abcdef.js", "").await.text().await.unwrap(),
        "plain"
    );
    assert_eq!(get("/sw.js", "").await.headers()["cache-control"], "no-cache");

    for path in [
        "/missing.js",
        "/api",
        "/api/v1/missing",
        "/media/missing",
        "/media",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/nul%00.js",
        &format!("/{}.js", "long".repeat(100)),
    ] {
        let answer = get(path, "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        problem(answer, "not_found").await;
    }

    // A client tidies such a path before it sends it, so this is said by hand.
    let address = api.base.strip_prefix("http://").unwrap().to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /../secret.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 404 ") && !answer.contains("beside"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_part_of_a_file_and_one_that_did_not_change_are_answered_as_asked() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("index.html"), "<title>wallet</title>").unwrap();
    fs::write(folder.path().join("sw.js"), "worker").unwrap();
    let api = Api::start_with(&["--wallet-dir", folder.path().to_str().unwrap()]).await;
    for (header, value, status) in [
        ("range", "bytes=0-1", StatusCode::PARTIAL_CONTENT),
        ("range", "bytes=900-", StatusCode::RANGE_NOT_SATISFIABLE),
        (
            "if-modified-since",
            "Fri, 31 Dec 2100 00:00:00 GMT",
            StatusCode::NOT_MODIFIED,
        ),
        (
            "if-unmodified-since",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            StatusCode::PRECONDITION_FAILED,
        ),
    ] {
        let request = api.client.get(format!("{}/sw.js", api.base)).header(header, value);
        assert_eq!(request.send().await.unwrap().status(), status, "{header}: {value}");
    }
}

#[tokio::test]
async fn on_the_home_screen_the_wallet_has_the_name_and_the_colour_of_the_shop() {
    let folder = TempDir::new().unwrap();
    let built = include_str!("../../../../public/manifest.webmanifest");
    fs::write(folder.path().join("index.html"), "<title>wallet</title>").unwrap();
    fs::write(folder.path().join("manifest.webmanifest"), built).unwrap();
    let api = Api::start_with(&["--wallet-dir", folder.path().to_str().unwrap()]).await;
    let get = async |language: &str, known: &str| {
        let request = api
            .client
            .get(format!("{}/manifest.webmanifest", api.base))
            .header("accept-language", language)
            .header("if-none-match", known);
        request.send().await.unwrap()
    };

    let answer = get("fa-IR, en;q=0.5", "").await;
    assert_eq!(answer.headers()["content-type"], "application/manifest+json");
    assert_eq!(answer.headers()["cache-control"], "public, no-cache");
    assert_eq!(answer.headers()["vary"], "Accept-Language");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let persian: Value = answer.json().await.unwrap();
    assert_eq!(persian["name"], "Brightleaf");
    assert_eq!((&persian["lang"], &persian["dir"]), (&json!("fa"), &json!("rtl")));
    assert_eq!(persian["shortcuts"][0]["name"], "کد من");
    assert!(persian["description"].as_str().unwrap().contains("برگ"));
    assert_eq!(get("fa", &etag).await.status(), StatusCode::NOT_MODIFIED);

    // Who asks for a language that the shop does not have gets the shop's own.
    let answer = get("de", &etag).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let english: Value = answer.json().await.unwrap();
    assert_eq!((&english["lang"], &english["dir"]), (&json!("en"), &json!("ltr")));
    let programme: Value = api.visitor().get("/programme").await.json().await.unwrap();
    assert_eq!(english["theme_color"], programme["theme"]["accent"]);
    assert_eq!(english["description"], programme["promise"]);
    // Everything else is as it was built.
    let built: Value = serde_json::from_str(built).unwrap();
    for field in ["id", "start_url", "scope", "display", "icons", "screenshots"] {
        assert_eq!(english[field], built[field], "{field}");
    }

    fs::remove_file(folder.path().join("manifest.webmanifest")).unwrap();
    problem(get("en", "").await, "not_found").await;
}
