//! What would happen, without doing it.

use loyalty_contract::quotes::{Quote, QuoteRequest};

use super::{ApiError, post};

/// Asks what an intent would cost or bring.
pub async fn create_quote(intent: &QuoteRequest) -> Result<Quote, ApiError> {
    post("/quotes", intent).await
}
