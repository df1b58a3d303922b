//! A reward in a row or in the catalogue.

use loyalty_contract::programme::{Programme, Tier};
use loyalty_contract::rewards::{Availability, Reason, Reward};
use loyalty_contract::{Money, Points};
use loyalty_rules::{earning, tiers};
use maud::{Markup, html};

use super::icon::reward_picture;
use super::tier_card::tier_name;
use crate::intl::{self, DayStyle, t};
use crate::routes::Route;

/// A picture, what it is, what it costs, and what is missing.
pub fn reward_card(reward: &Reward, missing: Option<&Missing>) -> Markup {
    let state = match missing {
        None => "ready",
        Some(missing) if missing.is_gone => "gone",
        Some(_) => "not-yet",
    };
    html! {
        a.reward href=(Route::Reward(reward.id.clone()).path()) data-kind=(reward.kind.as_str()) data-state=(state) {
            span.reward__picture { (reward_picture(reward.image_url.as_deref(), reward.kind)) }
            span.reward__body {
                span.reward__title { (reward.title) }
                span.reward__cost {
                    b { (intl::points(reward.cost_points)) }
                    span { (intl::money(reward.shop_price.unwrap_or(reward.points_worth))) }
                }
                @if let Some(missing) = missing {
                    @if let Some(part) = missing.part { span.reward__missing data-part=(part) {} }
                    span.muted { (missing.short) }
                }
            }
        }
    }
}

/// What stands between a member and a reward, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// In a few words, for a card.
    pub short: String,
    /// Every reason in a sentence, for the reward's own page.
    pub sentences: Vec<String>,
    /// How far the points are, in percent, where only points are missing.
    pub part: Option<u8>,
    /// Nothing that the member does can help.
    pub is_gone: bool,
}

impl Missing {
    /// Words it for a member of a programme who earns at a rate (in thousandths of the programme's).
    pub fn of(reward: &Reward, programme: &Programme, multiplier_permille: u32) -> Option<Self> {
        let Some(Availability::NotYet { reasons }) = &reward.availability else {
            return None;
        };
        let worded = Worded {
            programme,
            multiplier_permille,
        };
        let first = reasons.first()?;
        let part = match reasons.as_slice() {
            [
                Reason::InsufficientBalance {
                    required, available, ..
                },
            ] => Some(tiers::percent(*available, *required)),
            _ => None,
        };
        let is_gone = reasons.iter().any(|reason| {
            matches!(
                reason,
                Reason::OutOfStock | Reason::LimitReached | Reason::Ended | Reason::MemberPaused
            )
        });
        Some(Self {
            short: worded.short(first),
            sentences: reasons.iter().map(|reason| worded.sentence(reason)).collect(),
            part,
            is_gone,
        })
    }
}

struct Worded<'a> {
    programme: &'a Programme,
    multiplier_permille: u32,
}

impl Worded<'_> {
    fn short(&self, reason: &Reason) -> String {
        match reason {
            Reason::InsufficientBalance { missing, .. } => match self.shopping(*missing) {
                Some(money) => t::missing::points_short(&intl::bare_points(*missing), &intl::short_money(money)),
                None => t::missing::points_only(&intl::bare_points(*missing)),
            },
            Reason::TierRequired { tier } => t::missing::tier_short(tier_name(&self.programme.tiers, tier)),
            Reason::OutOfStock => t::missing::out_of_stock_short(),
            Reason::LimitReached => t::missing::limit_short(),
            Reason::NotStarted { at } => t::missing::not_started_short(&intl::day(*at, DayStyle::Short)),
            Reason::Ended => t::missing::ended_short(),
            Reason::MemberPaused => t::missing::paused_short(),
            Reason::Unknown => t::missing::unknown(),
        }
    }

    fn sentence(&self, reason: &Reason) -> String {
        match reason {
            Reason::InsufficientBalance { missing, available, .. } => {
                let (missing_text, available) = (intl::points(*missing), intl::points(*available));
                match self.shopping(*missing) {
                    Some(money) => t::missing::points(&available, &missing_text, &intl::money(money)),
                    None => t::missing::points_without_shopping(&available, &missing_text),
                }
            }
            Reason::TierRequired { tier } => t::missing::tier(tier_name(&self.programme.tiers, tier)),
            Reason::OutOfStock => t::missing::out_of_stock(),
            Reason::LimitReached => t::missing::limit(),
            Reason::NotStarted { at } => t::missing::not_started(&intl::day(*at, DayStyle::Full)),
            Reason::Ended => t::missing::ended(),
            Reason::MemberPaused => t::missing::paused(),
            Reason::Unknown => t::missing::unknown(),
        }
    }

    /// What buying would bring the points, rounded up to what people speak in: whole units of the currency, thousands
    /// where it has no smaller ones, and never coarser than the programme's own rule.
    fn shopping(&self, missing: Points) -> Option<Money> {
        let minor = earning::minor_for(missing, &self.programme.earning, self.multiplier_permille)?;
        let whole = match self.programme.currency.decimals() {
            0 => 1000,
            decimals => 10i64.pow(decimals),
        };
        let step = whole.min(self.programme.earning.per_money.minor).max(1);
        let rounded = minor.checked_add(step - 1)? / step * step;
        Some(Money::new(rounded, self.programme.currency))
    }
}

/// At which rate a holder of this tier earns, in thousandths of the programme's.
pub fn multiplier(tiers: &[Tier], held: Option<&str>) -> u32 {
    tiers
        .iter()
        .find(|tier| Some(tier.id.as_str()) == held)
        .map_or(earning::PLAIN_RATE_PERMILLE, |tier| tier.multiplier_permille)
}
