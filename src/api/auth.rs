//! Signing in and out.

use loyalty_contract::auth::{Challenge, NewChallenge, NewSession, Purpose, SignedIn};

use super::{ApiError, delete, post};

/// Asks for a code to be sent to an address.
pub async fn create_challenge(address: &str) -> Result<Challenge, ApiError> {
    post(
        "/auth/challenges",
        &NewChallenge {
            address: address.to_owned(),
            purpose: Purpose::SignIn,
        },
    )
    .await
}

/// Answers a challenge with its code; the session comes as a cookie that no script can read.
pub async fn create_session(challenge_id: &str, code: &str) -> Result<SignedIn, ApiError> {
    let answer = NewSession {
        challenge_id: challenge_id.to_owned(),
        code: code.to_owned(),
        remember: true,
    };
    post("/auth/sessions", &answer).await
}

/// Signs out on this device.
pub async fn end_session() -> Result<(), ApiError> {
    delete("/auth/sessions/current").await
}
