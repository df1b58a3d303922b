//! `GET /programme`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use loyalty_contract::Problem;
use loyalty_contract::programme::Programme;

use super::App;
use super::answer::{accept_language, unless_known};
use super::error::{Error, Result};

/// Everything that makes this shop's programme different.
#[utoipa::path(get, path = "/programme", operation_id = "get_programme", tag = "programme",
    params(("Accept-Language" = Option<String>, Header, description = "which languages, best first")),
    responses(
        (status = 200, body = Programme, description = "in the language named by Content-Language"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_programme(State(app): State<Arc<App>>, asked: HeaderMap) -> Result<Response> {
    let shop = app.shop().await?;
    let edition = shop.edition(accept_language(&asked));
    let mut response = unless_known(&asked, &edition.etag, edition.body.clone())?;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_str(&edition.language).map_err(Error::internal)?,
    );
    Ok(response)
}
