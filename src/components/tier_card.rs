//! How far the next tier is, and what keeps the one held.

use leptos::prelude::*;
use loyalty_contract::programme::Tier;
use loyalty_contract::status::TierStatus;
use loyalty_rules::tiers::percent;

use crate::intl::{self, DayStyle, t};

/// Where a member stands on the ladder.
#[component]
pub fn TierCard(
    /// Where.
    tier: TierStatus,
    /// The ladder, for the names.
    tiers: Vec<Tier>,
) -> impl IntoView {
    let name = |id: &str| {
        tiers
            .iter()
            .find(|tier| tier.id == id)
            .map_or_else(|| id.to_owned(), |tier| tier.name.clone())
    };
    let current = name(&tier.current);
    let next = tier.next.as_deref().map(name);
    let part = tier
        .threshold
        .map_or(100, |threshold| percent(tier.qualifying, threshold));
    let title = match (&next, tier.remaining) {
        (Some(next), Some(remaining)) => t::tier::to_next(&intl::bare_points(remaining), next),
        _ => t::tier::top(&current),
    };
    let progress = match &next {
        Some(next) => t::tier::progress(next),
        None => t::tier::top(&current),
    };
    let keep = tier.keep.map(|keep| {
        let until = intl::last_day(keep.by, DayStyle::Full);
        let yours = t::tier::yours_until(&current, &until);
        let missing = keep.needed - keep.collected;
        let keeping = if missing.0 <= 0 {
            t::tier::kept()
        } else {
            t::tier::keep(&intl::points(missing))
        };
        view! {
            <p class="muted">{yours} " " {keeping}</p>
            {keep.at_risk.then(|| view! { <span class="badge" data-tone="warm">{t::tier::at_risk()}</span> })}
        }
    });
    let collecting = tier.keep.is_none().then(|| {
        let collected = t::tier::collected(&intl::points(tier.qualifying));
        view! { <p class="muted">{collected}</p> }
    });
    view! {
        <section class="card">
            <div class="tier">
                <div
                    class="ring"
                    role="progressbar"
                    aria-valuemin="0"
                    aria-valuemax="100"
                    aria-valuenow=part.to_string()
                    aria-label=progress
                    style=("--part", format!("{part}%"))
                >
                    {intl::percent(part)}
                </div>
                <div class="tier__body">
                    <div class="card__head">
                        <h2>{title}</h2>
                        <span class="badge">{current}</span>
                    </div>
                    {keep}
                    {collecting}
                </div>
            </div>
        </section>
    }
}
