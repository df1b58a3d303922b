//! What a browser must not be talked into, and what a demo must not be used for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use loyalty_contract::ProblemCode;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::caller::staff_token;
use super::devices::device_token;
use super::session::token_of;
use super::{App, Error};

/// Nothing inline and nothing from elsewhere: what the wallet is written for.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// The camera and the wake lock are the wallet's own; nothing else is anybody's.
const PERMISSIONS: &str = "camera=(self), screen-wake-lock=(self), accelerometer=(), autoplay=(), display-capture=(), \
    encrypted-media=(), fullscreen=(self), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
    payment=(), usb=()";

/// Gives every answer the headers that keep a browser out of trouble; an answer can be stricter by itself.
pub async fn harmless(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let always = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-site"),
    ];
    for (name, value) in always {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if app.is_secure() {
        let value = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    // A wallet goes by this clock and not by its device's; a demo's may have been moved.
    let date = app.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// Refuses a write with a cookie that another site's page may have sent.
pub async fn same_site(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_write = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let headers = request.headers();
    let has_cookie = [token_of, staff_token, device_token]
        .iter()
        .any(|token| token(&app, headers).is_some());
    if is_write && has_cookie && !comes_from_here(&app, headers) {
        let detail = "a write with a cookie needs Sec-Fetch-Site: same-origin, or an allowed Origin";
        return Error::refuse(ProblemCode::Forbidden, detail).into_response();
    }
    next.run(request).await
}

/// Lets the pages of wallets that are served from elsewhere read the answers, and send their cookies along: those of
/// the origins that were named, and no others. Nothing where none was.
pub fn wallets_apart(app: &App) -> Option<CorsLayer> {
    let origins = app.wallet_origins.iter().filter_map(|origin| origin.parse().ok());
    let origins: Vec<HeaderValue> = origins.collect();
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.clone()))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::ACCEPT_LANGUAGE,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([header::DATE, header::ETAG, header::RETRY_AFTER])
        .max_age(Duration::from_secs(3600));
    (!origins.is_empty()).then_some(layer)
}

fn comes_from_here(app: &App, headers: &HeaderMap) -> bool {
    if text(headers, "sec-fetch-site") == Some("same-origin") {
        return true;
    }
    let Some(origin) = text(headers, "origin") else {
        return false;
    };
    if app
        .wallet_origins
        .iter()
        .any(|wallet| origin.eq_ignore_ascii_case(wallet))
    {
        return true;
    }
    match &app.origin {
        Some(own) => origin.eq_ignore_ascii_case(own),
        // A page reached over plain http, whose browser does not send Sec-Fetch-Site: its origin is this host.
        None => text(headers, "host").is_some_and(|host| origin.eq_ignore_ascii_case(&format!("http://{host}"))),
    }
}

/// Keeps a demo, in which anybody can sign in, to this machine unless it was told otherwise.
///
/// It listens on this machine's own address then, so whoever gets here came from here: by a proxy that lets others
/// in, or from a page that gave its own name this machine's address.
pub async fn demo_stays_here(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if app.demo && !app.demo_in_public {
        let is_forwarded = request.headers().keys().any(|name| {
            let name = name.as_str();
            name == "forwarded" || name == "x-real-ip" || name.starts_with("x-forwarded-")
        });
        if is_forwarded || !text(request.headers(), "host").is_some_and(is_this_machine) {
            let detail = "a demo answers on this machine only, unless it is served with --demo-in-public";
            return Error::refuse(ProblemCode::Forbidden, detail).into_response();
        }
    }
    next.run(request).await
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    // Every name below `localhost` is this machine's own (RFC 6761, 6.3).
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_few_names() {
        for host in [
            "localhost",
            "localhost:8080",
            "127.0.0.1:1",
            "127.1.2.3",
            "[::1]:80",
            "LOCALHOST",
            "api.shop.localhost:8080",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "localhost.example",
            "notlocalhost",
            "192.168.1.4:8080",
            "127.0.0.1.example",
            "[::2]",
            "",
            "wallet.example",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
