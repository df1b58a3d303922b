use std::fs;

use reqwest::StatusCode;
use tempfile::TempDir;

use crate::support::{Api, problem};

#[tokio::test]
async fn the_wallet_is_served_beside_the_api() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    write("index.html", "<title>wallet</title>");
    write("wallet-0123456789abcdef.js", "plain");
    write("wallet-0123456789abcdef.js.br", "small");
    write("sw.js", "worker");
    let api = Api::start_with(&["--wallet-dir", folder.path().to_str().unwrap()]).await;
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
        "/../Cargo.toml",
        "/..%2fCargo.toml",
    ] {
        let answer = get(path, "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        problem(answer, "not_found").await;
    }
}
