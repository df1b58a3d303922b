//! The keys by which a member's devices make the code that is shown at the till, one a session, and what they show.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loyalty_contract::code_keys::{CodeKey, CodeKeySecret, NewCodeKey};
use loyalty_contract::{Instant, Page, Problem, ProblemCode};
use loyalty_rules::member_code::{DIGITS, PERIOD_S};
use sqlx::{AnyConnection, FromRow};

use super::App;
use super::answer::{made, private_data};
use super::error::{Error, Result};
use super::extract::{Json, Path, check_text};
use super::session::{Session, lock};
use crate::clock::{from_millis, millis};
use crate::mail::{self, Mail};
use crate::member_code::{CodeSecrets, MOST_KEYS, SECRET_BYTES, find};
use crate::token;

/// A key as the database has it.
#[derive(FromRow)]
struct Row {
    id: String,
    session_id: String,
    device_name: String,
    secret: String,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl Row {
    /// The keys of a member's sessions that are not over, the newest first.
    async fn all(db: &mut AnyConnection, member_id: &str, now: Instant) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(
            "select k.id, k.session_id, k.device_name, k.secret, k.created_at, k.last_used_at
             from code_keys k join sessions s on s.id = k.session_id
             where k.member_id = $1 and s.expires_at > $2 order by k.created_at desc, k.id",
        )
        .bind(member_id)
        .bind(millis(now))
        .fetch_all(db)
        .await?)
    }

    /// What it makes codes from; nothing where the installation's key is another one by now.
    fn open(&self, secrets: Option<&CodeSecrets>) -> Option<[u8; SECRET_BYTES]> {
        secrets?.open(&self.id, &self.secret)
    }

    fn told(self, session: &Session) -> CodeKey {
        CodeKey {
            is_current: self.session_id == session.id,
            key_id: self.id,
            session_id: self.session_id,
            device_name: self.device_name,
            created_at: from_millis(self.created_at),
            last_used_at: self.last_used_at.map(from_millis),
        }
    }
}

/// Makes the key of this session's device; one that it had before counts no more.
#[utoipa::path(post, path = "/me/code-keys", operation_id = "create_code_key", tag = "me",
    security(("session" = [])),
    request_body = NewCodeKey,
    responses(
        (status = 201, body = CodeKeySecret, description = "made; its secret is told this once"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn create_code_key(
    State(app): State<Arc<App>>,
    session: Session,
    Json(new): Json<NewCodeKey>,
) -> Result<Response> {
    let device_name = new.device_name.trim();
    check_text("/device_name", device_name, 60)?;
    let secrets = app.code_secrets.as_ref().ok_or_else(|| {
        let detail = "the server has no LOYALTY_SECRET_KEY, under which secrets would be kept";
        Error::refuse(ProblemCode::MemberCodeUnavailable, detail)
    })?;
    let shop = app.shop().await?;
    let now = app.clock.now();
    let (key_id, secret) = (token::id()?, token::random::<SECRET_BYTES>()?);
    let sealed = secrets.seal(&key_id, &secret).map_err(Error::internal)?;

    let mut tx = app.db.begin_write().await?;
    let member_number = lock(&mut tx, &session.member_id).await?;
    let others = Row::all(&mut tx, &session.member_id, now).await?;
    let others = others.iter().filter(|row| row.session_id != session.id);
    // One that cannot be read any more shows no code, and stands in nobody's way.
    if others.filter(|row| row.open(Some(secrets)).is_some()).count() >= MOST_KEYS {
        let detail = format!("a member has {MOST_KEYS} keys at most");
        return Err(Error::refuse(ProblemCode::TooManyCodeKeys, detail));
    }
    // Not for a session that was ended meanwhile.
    let written = sqlx::query(
        "insert into code_keys (id, member_id, session_id, device_name, secret, last_step, created_at)
         select $1, member_id, id, $2, $3, 0, $4 from sessions where id = $5
         on conflict (session_id) do update set id = excluded.id, device_name = excluded.device_name,
            secret = excluded.secret, last_step = 0, created_at = excluded.created_at, last_used_at = null",
    )
    .bind(&key_id)
    .bind(device_name)
    .bind(&sealed)
    .bind(millis(now))
    .bind(&session.id)
    .execute(&mut *tx)
    .await;
    match written {
        Ok(written) if written.rows_affected() == 1 => {}
        Ok(_) => return Err(Error::signed_out()),
        // It is being ended just now.
        Err(error)
            if error
                .as_database_error()
                .is_some_and(|cause| cause.is_foreign_key_violation()) =>
        {
            return Err(Error::signed_out());
        }
        Err(error) => return Err(error.into()),
    }
    let (address, language): (Option<String>, String) =
        sqlx::query_as("select email, language from members where id = $1")
            .bind(&session.member_id)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;

    if let (Some(mailer), Some(address)) = (&app.mailer, address) {
        let language = mail::language(Some(&language));
        let name = shop.text(&shop.file.name, language);
        mailer.send(Mail::code_key(
            address,
            device_name,
            &shop.file.contact,
            &name,
            language,
        ));
    }
    let answer = CodeKeySecret {
        key_id,
        member_number,
        secret: URL_SAFE_NO_PAD.encode(secret),
        algorithm: "SHA-256".to_owned(),
        digits: DIGITS,
        period_s: u32::try_from(PERIOD_S).map_err(Error::internal)?,
        server_time: app.clock.now(),
    };
    made(StatusCode::CREATED, &answer)
}

/// The devices that show the member's code.
#[utoipa::path(get, path = "/me/code-keys", operation_id = "list_code_keys", tag = "me",
    security(("session" = [])),
    responses(
        (status = 200, body = Page<CodeKey>, description = "ten at most, the newest first; whoever misses their own asks for a new one"),
        (status = 304, description = "the caller has it already"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn list_code_keys(State(app): State<Arc<App>>, session: Session, asked: HeaderMap) -> Result<Response> {
    let mut db = app.db.pool.acquire().await?;
    let rows = Row::all(&mut db, &session.member_id, app.clock.now()).await?;
    let items = rows
        .into_iter()
        .filter(|row| row.open(app.code_secrets.as_ref()).is_some())
        .map(|row| row.told(&session))
        .collect();
    let text = serde_json::to_string(&Page { items, next: None })?;
    private_data(&asked, &token::etag(&text), text)
}

/// All of a member's keys, of those that cannot be read any more as well.
pub async fn code_keys_of(db: &mut AnyConnection, session: &Session, now: Instant) -> Result<Vec<CodeKey>> {
    let rows = Row::all(db, &session.member_id, now).await?;
    Ok(rows.into_iter().map(|row| row.told(session)).collect())
}

/// Ends a key: what its device shows is accepted no more.
#[utoipa::path(delete, path = "/me/code-keys/{key_id}", operation_id = "delete_code_key", tag = "me",
    security(("session" = [])),
    params(("key_id" = String, Path, description = "the key")),
    responses(
        (status = 204, description = "it counts no more"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn delete_code_key(
    State(app): State<Arc<App>>,
    session: Session,
    Path(key_id): Path<String>,
) -> Result<StatusCode> {
    if !token::is_id(&key_id) {
        return Err(Error::not_found());
    }
    let mut tx = app.db.begin_write().await?;
    let ended = sqlx::query("delete from code_keys where id = $1 and member_id = $2")
        .bind(&key_id)
        .bind(&session.member_id)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    if ended.rows_affected() == 0 {
        return Err(Error::not_found());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Whether one of a member's devices shows these digits now, and nobody has shown them before. The member is locked.
pub async fn accept(tx: &mut AnyConnection, app: &App, member_id: &str, shown: &str, now: Instant) -> Result<bool> {
    let rows = Row::all(tx, member_id, now).await?;
    let keys = rows
        .into_iter()
        .filter_map(|row| Some((row.open(app.code_secrets.as_ref())?, row.id)));
    let (secrets, ids): (Vec<_>, Vec<_>) = keys.take(MOST_KEYS).unzip();
    let Some((place, step)) = find(&secrets, shown, now) else {
        return Ok(false);
    };
    // What makes it happen once, for any number of processes; the key may have ended meanwhile as well.
    let accepted =
        sqlx::query("update code_keys set last_step = $1, last_used_at = $2 where id = $3 and last_step < $1")
            .bind(i64::try_from(step).map_err(Error::internal)?)
            .bind(millis(now))
            .bind(&ids[place])
            .execute(tx)
            .await?;
    Ok(accepted.rows_affected() == 1)
}
