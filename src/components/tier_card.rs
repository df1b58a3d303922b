//! How far the next tier is, and what keeps the one held.

use loyalty_contract::programme::Tier;
use loyalty_contract::status::TierStatus;
use loyalty_rules::tiers::percent;
use maud::{Markup, html};

use crate::intl::{self, DayStyle, t};
use crate::routes::Route;

/// The name of a tier, by its id.
pub fn tier_name<'a>(tiers: &'a [Tier], id: &'a str) -> &'a str {
    tiers.iter().find(|tier| tier.id == id).map_or(id, |tier| &tier.name)
}

/// Where a member stands on the ladder, and the way to all of it where the card is not on its screen.
pub fn tier_card(tier: &TierStatus, tiers: &[Tier], ladder: Option<&Route>) -> Markup {
    let current = tier_name(tiers, &tier.current);
    let next = tier.next.as_deref().map(|id| tier_name(tiers, id));
    let part = tier
        .threshold
        .map_or(100, |threshold| percent(tier.qualifying, threshold));
    let (title, progress) = match (next, tier.remaining) {
        (Some(next), Some(remaining)) => (
            t::tier::to_next(&intl::bare_points(remaining), next),
            t::tier::progress(next),
        ),
        _ => (t::tier::top(current), t::tier::top(current)),
    };
    html! {
        section.card {
            div.tier {
                div.ring role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=(part)
                    aria-label=(progress) data-part=(part) { (intl::percent(part)) }
                div.tier__body {
                    div.card__head { h2 { (title) } span.badge { (current) } }
                    @if let Some(keep) = &tier.keep {
                        @let missing = keep.needed - keep.collected;
                        p.muted {
                            (t::tier::yours_until(current, &intl::last_day(keep.by, DayStyle::Full))) " "
                            @if missing.0 <= 0 { (t::tier::kept()) } @else { (t::tier::keep(&intl::points(missing))) }
                        }
                        @if keep.at_risk { span.badge data-tone="warm" { (t::tier::at_risk()) } }
                    } @else {
                        p.muted { (t::tier::collected(&intl::points(tier.qualifying))) }
                    }
                    @if let Some(ladder) = ladder { a.link href=(ladder.path()) { (t::ladder::see()) } }
                }
            }
        }
    }
}
