//! What staff do at the counter.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Points;
use crate::status::Balance;

/// Signs staff in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"store": "main", "staff_code": "900", "pin": "1357"})))]
#[serde(deny_unknown_fields)]
pub struct NewStaffSession {
    /// Where, by the store's id.
    pub store: String,
    /// Who.
    pub staff_code: String,
    /// What only they know.
    pub pin: String,
}

/// Who is signed in at the counter; the session is in a cookie and ends after 15 minutes without a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffSession {
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: StaffRole,
    /// Where, by the store's id.
    pub store: String,
    /// When it ends if nothing is asked until then.
    pub idle_until: DateTime<Utc>,
}

/// What somebody at the counter may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// Serves members.
    Clerk,
    /// Corrects, pairs devices, and serves members without a phone.
    Manager,
}

/// Lets another device be a counter's: asked for by a manager, typed on that device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pairing {
    /// What is typed on the other device, once.
    pub pairing_code: String,
    /// The first instant at which it is of no use.
    pub expires_at: DateTime<Utc>,
}

/// Makes this device a counter's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// From a manager.
    pub pairing_code: String,
    /// What the shop calls this device.
    pub name: String,
}

/// A device at a counter; its own secret is in a cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    /// Opaque.
    pub id: String,
    /// Where, by the store's id.
    pub store: String,
    /// What the shop calls it.
    pub name: String,
    /// When a manager paired it.
    pub paired_at: DateTime<Utc>,
}

/// Which devices of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct DeviceQuery {
    /// How many devices at most: 1 to 100, 25 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Gives points, or takes them: a correction, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"member": "512102314864", "points": 50, "reason": "The till was down"})))]
#[serde(deny_unknown_fields)]
pub struct NewAdjustment {
    /// The member's number.
    pub member: String,
    /// How many: above zero to give, below to take.
    pub points: Points,
    /// Why: the member reads it.
    pub reason: String,
}

/// What an adjustment left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Adjusted {
    /// The ledger entry, opaque.
    pub entry_id: String,
    /// How many points came or went.
    pub points: Points,
    /// What there is now.
    pub balance_after: Balance,
}
