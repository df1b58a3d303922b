//! Oneself: who one is to the shop, where one is signed in, and leaving.

use gloo_net::http::Method;
use loyalty_contract::Page;
use loyalty_contract::account::{MemberSession, Profile, ProfileChange};
use loyalty_contract::auth::ChallengeAnswer;

use wasm_bindgen::JsValue;

use super::read::field;
use super::{ApiError, Known, Way, address_of, delete, encoded, get, get_as, send, url, written};
use crate::intl;

/// Where the profile is.
const PATH: &str = "/me/profile";

/// Where everything held about the member is, as a file.
pub fn export_address() -> String {
    address_of("/me/export", &[])
}

/// A profile, and what the server calls this state of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who one is to the shop.
    pub profile: Profile,
    /// A change says which state it was made for.
    pub tag: String,
}

/// Who one is to the shop.
pub async fn get_profile(way: Way) -> Result<Known<Held>, ApiError> {
    get_as(&intl::language(), way, &url(PATH, &[]), held).await
}

/// Changes that, if it is as it was.
pub async fn update_profile(tag: &str, change: &ProfileChange) -> Result<Held, ApiError> {
    let answer = send(Method::PATCH, PATH, ("if-match", tag), written(change)).await?;
    held(&answer).ok_or(ApiError::Unreadable)
}

/// Takes another address, by the code that was sent to it.
pub async fn change_address(answer: &ChallengeAnswer) -> Result<Held, ApiError> {
    let answer = send(Method::PUT, "/me/address", ("", ""), written(answer)).await?;
    held(&answer).ok_or(ApiError::Unreadable)
}

fn held(answer: &JsValue) -> Option<Held> {
    Some(Held {
        profile: field(answer, "value")?,
        tag: field(answer, "tag")?,
    })
}

/// Where one is signed in.
pub async fn list_sessions(way: Way) -> Result<Known<Vec<MemberSession>>, ApiError> {
    let page: Known<Page<MemberSession>> = get(way, &url("/me/sessions", &[])).await?;
    Ok(page.map(|page| page.items))
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
    send(Method::DELETE, "/me", ("", ""), written(answer)).await.map(|_| ())
}
