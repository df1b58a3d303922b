//! Oneself: who one is to the shop, where one is signed in, and leaving.

use gloo_net::http::{Request, RequestBuilder};
use loyalty_contract::Page;
use loyalty_contract::account::{MemberSession, Profile, ProfileChange};
use loyalty_contract::auth::ChallengeAnswer;

use super::{ApiError, delete, encoded, exchange, get, parsed, send, url, written};

/// Everything held about the member, as a file.
pub const EXPORT: &str = "/api/v1/me/export";

/// A profile, and what the server calls this state of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who one is to the shop.
    pub profile: Profile,
    /// A change says which state it was made for.
    pub tag: String,
}

/// Who one is to the shop.
pub async fn get_profile() -> Result<Held, ApiError> {
    held(Request::get(&profile()), None).await
}

/// Changes that, if it is as it was.
pub async fn update_profile(tag: &str, change: &ProfileChange) -> Result<Held, ApiError> {
    held(Request::patch(&profile()).header("if-match", tag), written(change)).await
}

/// Takes another address, by the code that was sent to it.
pub async fn change_address(answer: &ChallengeAnswer) -> Result<Held, ApiError> {
    held(Request::put(&url("/me/address", &[])), written(answer)).await
}

fn profile() -> String {
    url("/me/profile", &[])
}

async fn held(request: RequestBuilder, body: Option<String>) -> Result<Held, ApiError> {
    let (text, tag) = exchange(request, body).await?;
    Ok(Held {
        profile: parsed(&text)?,
        tag,
    })
}

/// Where one is signed in.
pub async fn list_sessions() -> Result<Vec<MemberSession>, ApiError> {
    let page: Page<MemberSession> = get(&url("/me/sessions", &[])).await?;
    Ok(page.items)
}

/// Signs out elsewhere.
pub async fn end_session(id: &str) -> Result<(), ApiError> {
    delete(&("/me/sessions/".to_owned() + &encoded(id))).await
}

/// Signs out everywhere else.
pub async fn end_other_sessions() -> Result<(), ApiError> {
    delete("/me/sessions").await
}

/// Leaves for good.
pub async fn leave(answer: &ChallengeAnswer) -> Result<(), ApiError> {
    send(Request::delete(&url("/me", &[])), written(answer))
        .await
        .map(|_| ())
}
