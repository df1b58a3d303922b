//! What only a demo can do: let time pass, so that a test sees months of a programme in a second.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use loyalty_contract::Problem;
use serde::{Deserialize, Serialize};

use super::App;
use super::answer::made;
use super::error::{Error, Result};
use super::extract::Json;

/// Where the clock is, or is to be.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockReading {
    /// What time it is.
    pub now: DateTime<Utc>,
}

/// Moves the clock forward, and lets happen what is due by then. Only in a demo that was started with `--clock`.
#[utoipa::path(post, path = "/demo/clock", operation_id = "move_clock", tag = "demo",
    request_body = ClockReading,
    responses(
        (status = 200, body = ClockReading, description = "moved, and everything that is due is done"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn move_clock(State(app): State<Arc<App>>, Json(wanted): Json<ClockReading>) -> Result<Response> {
    if !app.demo || !app.clock_can_move {
        return Err(Error::not_found());
    }
    // Beyond, deadlines would leave the calendar.
    if wanted.now > app.clock.now() + chrono::TimeDelta::days(366 * 100) {
        return Err(Error::field("/now", "this is more than a hundred years away"));
    }
    if !app.clock.move_to(wanted.now) {
        return Err(Error::field("/now", "time does not go back"));
    }
    app.attend_all().await?;
    made(StatusCode::OK, &ClockReading { now: app.clock.now() })
}
