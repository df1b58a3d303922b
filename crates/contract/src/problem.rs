//! Errors on the wire: RFC 9457 problem documents with a stable code that a wallet translates.

use serde::{Deserialize, Serialize};

use crate::rewards::Reason;

/// The one error body of the API (`application/problem+json`, RFC 9457).
///
/// `code` is stable and translatable; `title` is for people, in the language asked for; `detail` is for developers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `/problems/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence for a person.
    pub title: String,
    /// The HTTP status, again.
    pub status: u16,
    /// What went wrong, for a program.
    pub code: ProblemCode,
    /// What went wrong, for a developer.
    pub detail: String,
    /// Which fields are wrong, and how.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Why something cannot be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Seconds to wait before asking again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901); for a query parameter, its name.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

macro_rules! problem_codes {
    ($($(#[$doc:meta])* $name:ident = $text:tt, $status:literal;)+) => {
        /// What went wrong, for a program; each code always comes with the same HTTP status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
            /// A code that this version does not know; what the HTTP status means still holds.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl ProblemCode {
            /// Every code that a server of this version can send.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code as it stands on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ Self::Unknown => "unknown" }
            }

            /// The HTTP status that it comes with.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ Self::Unknown => 500 }
            }
        }
    };
}

problem_codes! {
    /// The body is not JSON, or not UTF-8.
    MalformedBody = "malformed_body", 400;
    /// The query string or path cannot be read.
    MalformedQuery = "malformed_query", 400;
    /// A POST that moves points came without its key.
    IdempotencyKeyMissing = "idempotency_key_missing", 400;
    /// There is no session, or it is over.
    SignedOut = "signed_out", 401;
    /// Staff code and PIN do not match.
    PinWrong = "pin_wrong", 401;
    /// The caller may not do this; a write from another site is one such.
    Forbidden = "forbidden", 403;
    /// No manager has paired this device.
    DeviceNotPaired = "device_not_paired", 403;
    /// A limit of the caller's role is reached.
    LimitExceeded = "limit_exceeded", 403;
    /// No such thing, or it is somebody else's.
    NotFound = "not_found", 404;
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The quote's five minutes are over.
    QuoteExpired = "quote_expired", 409;
    /// The quote was redeemed already.
    QuoteUsed = "quote_used", 409;
    /// The balance does not cover it.
    InsufficientBalance = "insufficient_balance", 409;
    /// The quote is not one that can be redeemed: it was about earning or returning.
    QuoteNotRedeemable = "quote_not_redeemable", 409;
    /// The voucher is not reserved any more: it was used, given back or has lapsed.
    RedemptionNotReserved = "redemption_not_reserved", 409;
    /// The voucher is not one that was used.
    RedemptionNotCaptured = "redemption_not_captured", 409;
    /// The store has another purchase, or the purchase another return, of that number.
    PurchaseConflict = "purchase_conflict", 409;
    /// The purchase stands in the member's own ledger already.
    AlreadyCounted = "already_counted", 409;
    /// Somebody joined with that address meanwhile.
    AlreadyMember = "already_member", 409;
    /// Another member has that address.
    AddressTaken = "address_taken", 409;
    /// The membership is paused: it sees everything, and neither earns nor spends.
    MemberPaused = "member_paused", 409;
    /// The reward cannot be had; `reasons` say why.
    RewardNotAvailable = "reward_not_available", 409;
    /// Ten devices show the member's code already.
    TooManyCodeKeys = "too_many_code_keys", 409;
    /// The same request is still being worked on.
    IdempotencyKeyInUse = "idempotency_key_in_use", 409;
    /// The profile is not the one any more that the change was made for.
    ProfileChanged = "profile_changed", 412;
    /// The body is over 64 KiB.
    BodyTooLarge = "body_too_large", 413;
    /// The body is not sent as `application/json`.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// A field is missing, unknown or outside what it may be; `errors` say which.
    InvalidFields = "invalid_fields", 422;
    /// The code is not the one that was sent.
    CodeWrong = "code_wrong", 422;
    /// The challenge is over: too old, used, replaced, or five codes were wrong.
    ChallengeExpired = "challenge_expired", 422;
    /// Nothing is set up here that could send to such an address.
    ChannelUnavailable = "channel_unavailable", 422;
    /// Nothing is set up here that could keep the secrets of members' codes.
    MemberCodeUnavailable = "member_code_unavailable", 422;
    /// The member's code or the visit names nobody (any more): unknown, wrong, too old, or used.
    MemberCodeRefused = "member_code_refused", 422;
    /// The proof of the address is too old, used or unknown.
    EnrolmentExpired = "enrolment_expired", 422;
    /// The pairing code is too old, used or unknown.
    PairingExpired = "pairing_expired", 422;
    /// No such version of the terms was published.
    TermsUnknown = "terms_unknown", 422;
    /// More would be returned than was bought.
    ReturnExceedsPurchase = "return_exceeds_purchase", 422;
    /// No purchase that could be claimed is like that.
    ClaimMismatch = "claim_mismatch", 422;
    /// Below the programme's minimum, or worth nothing.
    BelowMinimum = "below_minimum", 422;
    /// The key was used for something else.
    IdempotencyKeyReused = "idempotency_key_reused", 422;
    /// A change came without saying which state of the thing it was made for.
    PreconditionRequired = "precondition_required", 428;
    /// Too many requests from one caller.
    TooManyRequests = "too_many_requests", 429;
    /// Too many wrong guesses.
    TooManyAttempts = "too_many_attempts", 429;
    /// Our fault; it is in the server's log.
    Internal = "internal", 500;
    /// Not ready, or the database does not answer.
    Unavailable = "unavailable", 503;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_from_a_newer_server_is_read_as_unknown() {
        let code: ProblemCode = serde_json::from_str(r#""brand_new_code""#).expect("read");
        assert_eq!(code, ProblemCode::Unknown);
    }

    #[test]
    fn every_code_reads_back_as_it_was_written() {
        for code in ProblemCode::ALL {
            let json = serde_json::to_string(code).expect("json");
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(&serde_json::from_str::<ProblemCode>(&json).expect("read"), code);
            assert!((400..600).contains(&code.status()), "{json}");
        }
    }
}
