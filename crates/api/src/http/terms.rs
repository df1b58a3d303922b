//! The versions of the programme's terms, and agreeing to one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use loyalty_contract::account::{Agreement, NewAgreement};
use loyalty_contract::programme::Terms;
use loyalty_contract::{Instant, Page, Problem, ProblemCode};
use sqlx::AnyConnection;

use super::App;
use super::answer::{accept_language, unless_known};
use super::error::{Error, Result};
use super::extract::Json;
use super::session::{Session, lock};
use crate::clock::{from_millis, millis};
use crate::token;

/// Every version of the terms that was published, with what each changed.
#[utoipa::path(get, path = "/programme/terms", operation_id = "list_terms", tag = "programme",
    params(("Accept-Language" = Option<String>, Header, description = "which languages, best first")),
    responses(
        (status = 200, body = Page<Terms>, description = "newest first, in the language named by Content-Language"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_terms(State(app): State<Arc<App>>, asked: HeaderMap) -> Result<Response> {
    let shop = app.shop().await?;
    let edition = shop.edition(accept_language(&asked));
    let items = edition.terms.clone();
    let text = serde_json::to_string(&Page { items, next: None })?;
    let mut response = unless_known(&asked, &token::etag(&text), text)?;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    let language = HeaderValue::from_str(&edition.language).map_err(Error::internal)?;
    headers.insert(header::CONTENT_LANGUAGE, language);
    Ok(response)
}

/// Agrees to a version of the terms; it moves no points.
#[utoipa::path(post, path = "/me/terms", operation_id = "create_agreement", tag = "me",
    security(("session" = [])),
    request_body = NewAgreement,
    responses(
        (status = 204, description = "agreed, now or before"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_agreement(
    State(app): State<Arc<App>>,
    session: Session,
    Json(new): Json<NewAgreement>,
) -> Result<StatusCode> {
    let shop = app.shop().await?;
    if !shop.file.versions().any(|terms| terms.version == new.version) {
        let detail = "no such version of the terms was published";
        return Err(Error::refuse(ProblemCode::TermsUnknown, detail));
    }
    let mut tx = app.db.begin_write().await?;
    lock(&mut tx, &session.member_id).await?;
    // An older version takes nothing back of what was agreed to since.
    sqlx::query(
        "update members set terms_version = case when terms_version > $1 then terms_version else $1 end where id = $2",
    )
    .bind(i64::from(new.version))
    .bind(&session.member_id)
    .execute(&mut *tx)
    .await?;
    agree(&mut tx, &session.member_id, new.version, app.clock.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes down that a member agreed to a version, the first time.
pub async fn agree(tx: &mut AnyConnection, member_id: &str, version: u32, now: Instant) -> Result<()> {
    sqlx::query(
        "insert into agreements (member_id, version, at) values ($1, $2, $3)
         on conflict (member_id, version) do nothing",
    )
    .bind(member_id)
    .bind(i64::from(version))
    .bind(millis(now))
    .execute(tx)
    .await?;
    Ok(())
}

/// Which versions a member agreed to, and when.
pub async fn agreements_of(db: &mut AnyConnection, member_id: &str) -> Result<Vec<Agreement>> {
    let rows: Vec<(i64, i64)> =
        sqlx::query_as("select version, at from agreements where member_id = $1 order by version")
            .bind(member_id)
            .fetch_all(db)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(version, at)| Agreement {
            version: u32::try_from(version).unwrap_or_default(),
            at: from_millis(at),
        })
        .collect())
}
