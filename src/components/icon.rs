//! Pictures from the sprite `public/icons.svg`: each costs the program only its name.

use leptos::prelude::*;
use loyalty_contract::rewards::RewardKind;

/// A small picture beside a text; it says nothing by itself, so screen readers skip it.
#[component]
pub fn Icon(
    /// The symbol's name in the sprite.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=format!("/icons.svg#{name}") />
        </svg>
    }
}

/// A reward's picture, or the stand-in of its kind where the shop gave none.
#[component]
pub fn RewardPicture(
    /// The picture's address.
    image_url: Option<String>,
    /// What sort of thing it is.
    kind: RewardKind,
) -> impl IntoView {
    match image_url {
        Some(url) => {
            view! { <img src=url alt="" width="320" height="240" loading="lazy" decoding="async" /> }.into_any()
        }
        None => view! {
            <svg class="art" aria-hidden="true">
                <use href=format!("/icons.svg#kind-{}", kind_name(kind)) />
            </svg>
        }
        .into_any(),
    }
}

/// The kind as the sprite and the stylesheet name it.
pub fn kind_name(kind: RewardKind) -> &'static str {
    match kind {
        RewardKind::MoneyOff => "money_off",
        RewardKind::PercentOff => "percent_off",
        RewardKind::FreeProduct => "free_product",
        RewardKind::Upgrade => "upgrade",
        RewardKind::Delivery => "delivery",
        RewardKind::Experience => "experience",
        RewardKind::Donation => "donation",
        RewardKind::Other => "other",
    }
}
