//! Pictures, by the hash of their content: an address that never changes what it shows.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::App;
use super::error::{Error, Result};
use super::extract::Path;

/// A picture can be opened by itself, and then must be no more than a picture.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// One picture.
pub async fn get_media(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Response> {
    let (hash, extension) = name.split_once('.').ok_or_else(Error::not_found)?;
    if !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::not_found());
    }
    let (known, content_type, content): (String, String, String) =
        sqlx::query_as("select extension, content_type, content from media where hash = $1")
            .bind(hash)
            .fetch_optional(&app.db.pool)
            .await?
            .ok_or_else(Error::not_found)?;
    if known != extension {
        return Err(Error::not_found());
    }
    let mut response = Response::new(Body::from(STANDARD.decode(content).map_err(Error::internal)?));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::try_from(content_type).map_err(Error::internal)?,
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}
