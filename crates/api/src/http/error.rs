//! What a handler can fail with. Use [`Error::refuse`] where the caller is told why, `?` for everything else.

use std::any::Any;
use std::error::Error as Cause;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use loyalty_contract::rewards::Reason;
use loyalty_contract::{FieldError, ProblemCode};
use tower_governor::GovernorError;

/// What a handler gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer but a problem document.
#[derive(Debug)]
pub enum Error {
    /// 4xx: the caller is refused, and told why.
    Refused(Box<Refusal>),
    /// 503: the database does not answer, or has no programme yet. The cause is logged.
    Unavailable(Box<dyn Cause + Send + Sync>),
    /// 500: our fault. The cause is logged, and nothing of it is told.
    Internal(Box<dyn Cause + Send + Sync>),
}

/// Everything of a problem document that does not depend on a language.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What went wrong, for a program.
    pub code: ProblemCode,
    /// What went wrong, for a developer.
    pub detail: String,
    /// Which fields are wrong.
    pub errors: Vec<FieldError>,
    /// Why something cannot be had.
    pub reasons: Vec<Reason>,
    /// Seconds to wait.
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    /// One with nothing but its code.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: vec![],
            reasons: vec![],
            retry_after_s: None,
        }
    }
}

impl Error {
    /// A refusal with nothing but its code.
    pub fn refuse(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self::Refused(Box::new(Refusal::new(code, detail)))
    }

    /// A field that is missing, unknown or outside what it may be.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }

    /// Several such fields, so that all of them can be corrected at once.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self::Refused(Box::new(Refusal {
            errors,
            ..Refusal::new(ProblemCode::InvalidFields, "a field is not what it can be")
        }))
    }

    /// A refusal because of a state, with every reason.
    pub fn because(code: ProblemCode, detail: impl Into<String>, reasons: Vec<Reason>) -> Self {
        Self::Refused(Box::new(Refusal {
            reasons,
            ..Refusal::new(code, detail)
        }))
    }

    /// A refusal for a time.
    pub fn wait(code: ProblemCode, detail: impl Into<String>, seconds: u32) -> Self {
        Self::Refused(Box::new(Refusal {
            retry_after_s: Some(seconds),
            ..Refusal::new(code, detail)
        }))
    }

    /// No such thing, or somebody else's.
    pub fn not_found() -> Self {
        Self::refuse(ProblemCode::NotFound, "there is no such thing here")
    }

    /// No session, or one that is over.
    pub fn signed_out() -> Self {
        Self::refuse(ProblemCode::SignedOut, "this needs a session")
    }

    /// The database is not there, or not ready.
    pub fn unavailable(cause: impl Into<Box<dyn Cause + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// Our fault.
    pub fn internal(cause: impl Into<Box<dyn Cause + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Self::unavailable(error),
            _ if crate::db::is_missing_table(&error) || crate::db::is_busy(&error) => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

impl From<loyalty_rules::Overflow> for Error {
    fn from(error: loyalty_rules::Overflow) -> Self {
        Self::internal(error)
    }
}

impl From<crate::token::NoRandomness> for Error {
    fn from(error: crate::token::NoRandomness) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for Error {
    /// The status, and the refusal itself for `problems::worded`, which knows the language.
    fn into_response(self) -> Response<Body> {
        let refusal = match self {
            Self::Refused(refusal) => *refusal,
            Self::Unavailable(cause) => {
                tracing::error!(%cause, "a request could not be answered now");
                let seconds = Some(5);
                Refusal {
                    retry_after_s: seconds,
                    ..Refusal::new(ProblemCode::Unavailable, "the server is not ready")
                }
            }
            Self::Internal(cause) => {
                tracing::error!(%cause, "a request failed");
                Refusal::new(ProblemCode::Internal, "the server failed; its log says why")
            }
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(seconds) = refusal.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(refusal);
        response
    }
}

/// A handler panicked: our fault, and no more than that is told.
pub fn panicked(cause: Box<dyn Any + Send>) -> Response<Body> {
    let cause = cause
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".into());
    Error::internal(cause).into_response()
}

/// The rate limit's refusals, as problem documents.
pub fn too_many_requests(error: GovernorError) -> Response<Body> {
    let error = match error {
        GovernorError::TooManyRequests { wait_time, .. } => {
            let seconds = u32::try_from(wait_time).unwrap_or(u32::MAX).max(1);
            Error::wait(
                ProblemCode::TooManyRequests,
                "too many requests from one address",
                seconds,
            )
        }
        other => Error::internal(other),
    };
    error.into_response()
}
