//! Whether it lives, and whether it can be sent requests: for whatever watches over it.

use std::sync::Arc;

use axum::extract::State;

use super::App;
use super::error::Result;

/// 200 as long as the process answers.
pub async fn healthz() -> &'static str {
    "ok"
}

/// 200 once the database answers and has a programme, 503 before.
pub async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str> {
    app.shop().await.map(|_| "ready")
}
