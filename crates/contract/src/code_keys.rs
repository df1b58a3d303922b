//! The keys by which a member's devices make the code that is shown at the till.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Asks for a key for this device. A session has one at most: asked again, the new one takes the place of the old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"device_name": "Chrome on Android"})))]
#[serde(deny_unknown_fields)]
pub struct NewCodeKey {
    /// What the member knows the device by: 1 to 60 characters.
    pub device_name: String,
}

/// A new key, with the secret that is told this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeKeySecret {
    /// Opaque.
    pub key_id: String,
    /// Whose code it is: twelve digits.
    pub member_number: String,
    /// 32 bytes, in base64url without padding.
    pub secret: String,
    /// The hash of the HMAC: `SHA-256`.
    pub algorithm: String,
    /// How many digits a code has.
    pub digits: u32,
    /// How long one is shown, in seconds.
    pub period_s: u32,
    /// What time it is for the server, so that a device whose clock is wrong can correct for it.
    pub server_time: DateTime<Utc>,
}

/// A device that shows the member's code. Its key ends with the session that asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeKey {
    /// Opaque.
    pub key_id: String,
    /// The session that asked for it, as `GET /me/sessions` names it.
    pub session_id: String,
    /// What the member knows the device by.
    pub device_name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a code of it was last accepted.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The key of the session that asks.
    pub is_current: bool,
}
