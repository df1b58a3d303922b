//! The built wallet, from the same origin as the API.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::service_fn;
use tower::util::BoxCloneSyncService;
use tower_http::services::{ServeDir, ServeFile};

use super::error::Error;

type Service = BoxCloneSyncService<Request, Response, Infallible>;

/// Serves the files of `folder`, its `index.html` for every address of a screen, and 404 for everything else.
pub fn service(folder: Option<&Path>) -> Service {
    let folder = folder.map(Path::to_owned);
    BoxCloneSyncService::new(service_fn(move |request: Request| {
        let folder = folder.clone();
        async move {
            Ok(match folder {
                Some(folder) => serve(&folder, request).await,
                None => Error::not_found().into_response(),
            })
        }
    }))
}

async fn serve(folder: &Path, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_not_ours = is_below(&path, "/api") || is_below(&path, "/media");
    if !is_read || is_not_ours {
        return Error::not_found().into_response();
    }
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let found = if is_file {
        let mut files = ServeDir::new(folder).precompressed_br().precompressed_gzip();
        files.try_call(request).await
    } else {
        let mut page = ServeFile::new(folder.join("index.html"))
            .precompressed_br()
            .precompressed_gzip();
        page.try_call(request).await
    };
    let found = match found {
        Ok(found) => found,
        Err(error) if names_no_file(error.kind()) => return Error::not_found().into_response(),
        Err(error) => return Error::internal(error).into_response(),
    };
    // Every other refusal answers a condition or a range that the caller asked for.
    if matches!(found.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        return Error::not_found().into_response();
    }
    if found.status().is_server_error() {
        return Error::internal(format!("a file of the wallet was answered with {}", found.status())).into_response();
    }
    let mut response = found.map(Body::new);
    let caching = if is_file && has_hash(&path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

/// Whether a file could not be opened because of the name that was asked for.
fn names_no_file(error: ErrorKind) -> bool {
    use ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(error, NotFound | NotADirectory | InvalidFilename | InvalidInput)
}

fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the name of a file holds the hash of its content, as in `wallet-0123456789abcdef_bg.wasm`.
fn has_hash(path: &str) -> bool {
    const FEWEST_DIGITS: usize = 12;
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(['-', '_', '.'])
        .any(|part| part.len() >= FEWEST_DIGITS && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_makes_a_file_immutable() {
        for name in ["/wallet-0123456789abcdef_bg.wasm", "/a/wallet-0123456789abcdef.js"] {
            assert!(has_hash(name), "{name}");
        }
        for name in [
            "/index.html",
            "/sw.js",
            "/manifest.webmanifest",
            "/icon-512.png",
            "/feedface.js",
        ] {
            assert!(!has_hash(name), "{name}");
        }
    }
}
