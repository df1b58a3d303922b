//! Signing in with a code that is sent to an address.

use serde::{Deserialize, Serialize};

use chrono::{DateTime, Utc};

/// Asks for a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"address": "linh@brightleaf.example"})))]
#[serde(deny_unknown_fields)]
pub struct NewChallenge {
    /// An e-mail address, or a telephone number in E.164.
    pub address: String,
    /// What the code is for; it serves nothing else.
    #[serde(default)]
    pub purpose: Purpose,
}

/// What a code is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Signing in or joining.
    #[default]
    SignIn,
    /// Leaving the programme.
    Leave,
    /// A new address, asked for by a member who is signed in.
    ChangeAddress,
    /// Spending at the counter without a phone.
    SpendAtCounter,
}

/// A code is on its way, if there is anybody to send it to: the answer is the same either way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Challenge {
    /// Opaque.
    pub challenge_id: String,
    /// The first instant at which the code is of no use.
    pub expires_at: DateTime<Utc>,
    /// Seconds until another can be asked for.
    pub resend_after_s: u32,
    /// The code itself, from a demo server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demo_code: Option<String>,
}

/// Answers a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// From the challenge.
    pub challenge_id: String,
    /// Six digits; spaces between them are forgiven.
    pub code: String,
    /// Stay signed in on this device, as on one's own phone; a borrowed one is signed out after 30 minutes without use.
    #[serde(default = "remembered")]
    pub remember: bool,
}

/// Answers a challenge for anything but signing in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChallengeAnswer {
    /// From the challenge.
    pub challenge_id: String,
    /// Six digits; spaces between them are forgiven.
    pub code: String,
}

/// What is meant where nothing is said about remembering a session.
pub(crate) fn remembered() -> bool {
    true
}

/// What came of an answered challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SignedIn {
    /// Signed in; the session is in a cookie.
    Member,
    /// The address is proved and nobody has it yet: this token joins.
    New {
        /// Opaque, good for an hour.
        enrolment_token: String,
    },
}
