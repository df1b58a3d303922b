//! What a browser must not be talked into, and what a demo must not be used for.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use loyalty_contract::ProblemCode;

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

fn comes_from_here(app: &App, headers: &HeaderMap) -> bool {
    if text(headers, "sec-fetch-site") == Some("same-origin") {
        return true;
    }
    let Some(origin) = text(headers, "origin") else {
        return false;
    };
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
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "localhost.example",
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
