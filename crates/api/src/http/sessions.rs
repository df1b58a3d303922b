//! Where a member is signed in, and ending that.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use loyalty_contract::account::MemberSession;
use loyalty_contract::{Instant, Page, Problem};
use sqlx::{AnyConnection, FromRow};

use super::App;
use super::answer::private_data;
use super::error::{Error, Result};
use super::extract::Path;
use super::session::Session;
use crate::clock::{from_millis, millis};
use crate::token;

/// Browsers by what stands in their header, those first that name others as well.
const BROWSERS: [(&str, &str); 14] = [
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems in the same way.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
];

#[derive(FromRow)]
struct Row {
    id: String,
    device: String,
    created_at: i64,
    seen_at: i64,
    remembered: i64,
}

/// Browser and system that sent these headers, by their own names; empty where nothing is known.
pub fn device(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(part, _)| text.contains(part))
            .map(|&(_, name)| name)
    };
    let names = [name(&BROWSERS), name(&SYSTEMS)];
    names.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Where the member is signed in.
#[utoipa::path(get, path = "/me/sessions", operation_id = "list_sessions", tag = "me",
    security(("session" = [])),
    responses(
        (status = 200, body = Page<MemberSession>, description = "last used first"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_sessions(State(app): State<Arc<App>>, session: Session, asked: HeaderMap) -> Result<Response> {
    let mut db = app.db.pool.acquire().await?;
    let items = sessions_of(&mut db, &session, app.clock.now()).await?;
    let text = serde_json::to_string(&Page { items, next: None })?;
    private_data(&asked, &token::etag(&text), text)
}

/// All of a member's sessions, the one that asks among them.
pub async fn sessions_of(db: &mut AnyConnection, session: &Session, now: Instant) -> Result<Vec<MemberSession>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select id, device, created_at, seen_at, remembered from sessions
         where member_id = $1 and expires_at > $2 order by seen_at desc, id",
    )
    .bind(&session.member_id)
    .bind(millis(now))
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| MemberSession {
            is_current: row.id == session.id,
            id: row.id,
            device: row.device,
            created_at: from_millis(row.created_at),
            last_seen_at: from_millis(row.seen_at),
            is_remembered: row.remembered != 0,
        })
        .collect())
}

/// Signs the member out somewhere.
#[utoipa::path(delete, path = "/me/sessions/{id}", operation_id = "delete_session", tag = "me",
    security(("session" = [])),
    params(("id" = String, Path, description = "the session")),
    responses(
        (status = 204, description = "signed out there"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn delete_session(State(app): State<Arc<App>>, session: Session, Path(id): Path<String>) -> Result<Response> {
    if !token::is_id(&id) {
        return Err(Error::not_found());
    }
    let mut tx = app.db.begin_write().await?;
    let ended = sqlx::query("delete from sessions where id = $1 and member_id = $2")
        .bind(&id)
        .bind(&session.member_id)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    if ended.rows_affected() == 0 {
        return Err(Error::not_found());
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if id == session.id {
        let cookie = Session::cleared(&app)?;
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Signs the member out everywhere but here.
#[utoipa::path(delete, path = "/me/sessions", operation_id = "delete_other_sessions", tag = "me",
    security(("session" = [])),
    responses(
        (status = 204, description = "signed out everywhere else"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn delete_other_sessions(State(app): State<Arc<App>>, session: Session) -> Result<StatusCode> {
    let mut tx = app.db.begin_write().await?;
    end_others(&mut tx, &session).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all of a member's sessions but this one.
pub async fn end_others(tx: &mut AnyConnection, session: &Session) -> Result<()> {
    sqlx::query("delete from sessions where member_id = $1 and id <> $2")
        .bind(&session.member_id)
        .bind(&session.id)
        .execute(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_its_browser_and_system() {
        for (text, name) in [
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
                "Chrome · Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari · iPhone",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
                "Edge · Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
                "Firefox · Linux",
            ),
            ("curl/8.5.0", ""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, text.parse().expect("a header"));
            assert_eq!(device(&headers), name);
        }
        assert_eq!(device(&HeaderMap::new()), "");
    }
}
