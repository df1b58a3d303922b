//! The printed card, for somebody without a phone.

use loyalty_contract::Page;
use loyalty_contract::account::{Card, PrintedCard};

use super::{ApiError, Known, Way, delete, encoded, get, post, url};

/// The card that counts, if there is one.
pub async fn list_cards(way: Way) -> Result<Known<Vec<Card>>, ApiError> {
    let page: Known<Page<Card>> = get(way, &url("/me/cards", &[])).await?;
    Ok(page.map(|page| page.items))
}

/// A new card, in place of any other. What it says is told this once.
pub async fn create_card() -> Result<PrintedCard, ApiError> {
    post("/me/cards", &()).await
}

/// Ends a card.
pub async fn end_card(id: &str) -> Result<(), ApiError> {
    delete(&("/me/cards/".to_owned() + &encoded(id))).await
}
