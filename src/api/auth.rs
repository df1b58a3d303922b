//! Signing in, joining, and signing out.

use loyalty_contract::auth::{Challenge, ChallengeAnswer, NewChallenge, NewSession, Purpose, SignedIn};
use loyalty_contract::members::NewMember;
use loyalty_contract::status::Member;

use super::{ApiError, delete, post};

/// Asks for a code to be sent to an address, good for one purpose.
pub async fn create_challenge(address: &str, purpose: Purpose) -> Result<Challenge, ApiError> {
    post(
        "/auth/challenges",
        &NewChallenge {
            address: address.to_owned(),
            purpose,
        },
    )
    .await
}

/// Answers a challenge with its code; the session comes as a cookie that no script can read.
pub async fn create_session(answer: ChallengeAnswer, remember: bool) -> Result<SignedIn, ApiError> {
    let answer = NewSession {
        challenge_id: answer.challenge_id,
        code: answer.code,
        remember,
    };
    post("/auth/sessions", &answer).await
}

/// Joins, with an address that was just proved, and signs in.
pub async fn create_member(new: &NewMember) -> Result<Member, ApiError> {
    post("/members", new).await
}

/// Signs out on this device.
pub async fn end_session() -> Result<(), ApiError> {
    delete("/auth/sessions/current").await
}
