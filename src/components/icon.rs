//! Pictures from the sprite `public/icons.svg`: each costs the program only its name.

use loyalty_contract::rewards::RewardKind;
use maud::{Markup, html};

use crate::browser::document;

/// A small picture beside a text; it says nothing by itself, so screen readers skip it.
pub fn icon(name: &str) -> Markup {
    html! { svg.icon aria-hidden="true" { use href={ "/icons.svg#" (name) } {} } }
}

/// A reward's picture, or the stand-in of its kind where the shop gave none.
pub fn reward_picture(image_url: Option<&str>, kind: RewardKind) -> Markup {
    html! {
        @match image_url {
            Some(url) => img src=(document::from_api(url)) alt="" width="320" height="240" loading="lazy" decoding="async";,
            None => svg.art aria-hidden="true" { use href={ "/icons.svg#kind-" (kind.as_str()) } {} },
        }
    }
}
