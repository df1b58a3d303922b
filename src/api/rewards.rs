//! What points can be turned into.

use loyalty_contract::Page;
use loyalty_contract::rewards::{AvailabilityFilter, Reward, RewardKind, RewardSort};

use super::{ApiError, Known, Way, encoded, get, url};

/// Which rewards, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFilter {
    /// By whether they can be had.
    pub availability: AvailabilityFilter,
    /// Only this kind.
    pub kind: Option<RewardKind>,
    /// Words to look for; all spaces for none.
    pub words: String,
    /// In which order.
    pub sort: RewardSort,
}

impl Default for CatalogueFilter {
    fn default() -> Self {
        Self {
            availability: AvailabilityFilter::All,
            kind: None,
            words: String::new(),
            sort: RewardSort::Recommended,
        }
    }
}

/// A page of the catalogue, of so many rewards at most.
pub async fn list_rewards(
    way: Way,
    filter: &CatalogueFilter,
    limit: &str,
    after: Option<&str>,
) -> Result<Known<Page<Reward>>, ApiError> {
    let availability = match filter.availability {
        AvailabilityFilter::Ready => "ready",
        AvailabilityFilter::Soon => "soon",
        AvailabilityFilter::All => "all",
    };
    let sort = match filter.sort {
        RewardSort::Recommended => "recommended",
        RewardSort::Cost => "cost",
        RewardSort::CostDesc => "cost_desc",
        RewardSort::Title => "title",
    };
    let words = Some(filter.words.trim()).filter(|words| !words.is_empty());
    let query = [
        ("kind", filter.kind.map(RewardKind::as_str)),
        ("q", words),
        ("availability", Some(availability)),
        ("sort", Some(sort)),
        ("limit", Some(limit)),
        ("after", after),
    ];
    get(way, &url("/rewards", &query)).await
}

/// One reward.
pub async fn get_reward(way: Way, id: &str) -> Result<Known<Reward>, ApiError> {
    get(way, &url(&("/rewards/".to_owned() + &encoded(id)), &[])).await
}
