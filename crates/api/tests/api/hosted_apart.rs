use reqwest::{Method, RequestBuilder, Response, StatusCode};

use crate::support::{Api, problem};

const HERE: &str = "https://api.shop.example";
const WALLET: &str = "https://wallet.shop.example";
const STRANGERS: [&str; 4] = [
    "https://shop.example",
    "http://wallet.shop.example",
    "https://wallet.shop.example.evil.example",
    "null",
];

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_wallet_hosted_apart_may_ask_and_nobody_else() {
    let api = Api::start_with(&["--public-url", HERE, "--wallet-origins", WALLET]).await;
    let linh = api.member("linh").await;
    // As a browser sends it from a page of another host, below the same registrable domain.
    let from = |origin: &str, method: Method, path: &str| {
        let request = api.client.request(method, format!("{}/api/v1{path}", api.base));
        let request = request
            .header("cookie", linh.cookie())
            .header("sec-fetch-site", "same-site");
        request.header("origin", origin)
    };
    let allowed = |answer: &Response| {
        let header = answer.headers().get("access-control-allow-origin");
        header.map(|origin| origin.to_str().unwrap().to_owned())
    };

    let status = sent(from(WALLET, Method::GET, "/me/status")).await;
    assert_eq!(allowed(&status).as_deref(), Some(WALLET));
    assert_eq!(status.headers()["access-control-allow-credentials"], "true");
    let exposed = status.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("date") && exposed.contains("etag"), "{exposed}");
    let varies = status.headers().get_all("vary");
    assert!(
        varies.iter().any(|by| by.to_str().unwrap().contains("origin")),
        "an answer for one origin must not be kept for another: {varies:?}"
    );

    // A browser asks first whether it may send a key along.
    let asking = from(WALLET, Method::OPTIONS, "/redemptions")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,idempotency-key");
    let may = sent(asking).await;
    assert_eq!(may.status(), StatusCode::OK);
    assert_eq!(allowed(&may).as_deref(), Some(WALLET));
    let headers = may.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(headers.contains("idempotency-key"), "{headers}");

    for stranger in STRANGERS {
        let answer = sent(from(stranger, Method::GET, "/me/status")).await;
        assert_eq!(allowed(&answer), None, "{stranger} reads nothing");
        let signing_out = from(stranger, Method::DELETE, "/auth/sessions/current");
        problem(sent(signing_out).await, "forbidden").await;
    }
    let signing_out = from(WALLET, Method::DELETE, "/auth/sessions/current");
    assert_eq!(sent(signing_out).await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn where_no_wallet_is_named_no_other_origin_reads() {
    let api = Api::start_with(&["--public-url", HERE]).await;
    let linh = api.member("linh").await;
    let answer = sent(linh.request(Method::GET, "/me/status").header("origin", WALLET)).await;
    assert!(answer.headers().get("access-control-allow-origin").is_none());
}
