//! Whether a member can have a reward now, and every reason why not.

use loyalty_contract::programme::Tier;
use loyalty_contract::rewards::{Availability, Reason, Reward};
use loyalty_contract::status::MemberState;
use loyalty_contract::{Instant, Points};

use crate::{Overflow, difference};

/// What a reward asks of a member.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// What they can use now.
    pub available: Points,
    /// The tier they hold, by its id.
    pub tier: Option<&'a str>,
    /// What they can do.
    pub state: MemberState,
}

/// Whether `holder` can have `reward` now. `tiers` is the programme's ladder, from the bottom up.
///
/// # Errors
/// [`Overflow`] where the number of missing points does not fit.
pub fn availability(
    reward: &Reward,
    tiers: &[Tier],
    holder: Holder<'_>,
    now: Instant,
) -> Result<Availability, Overflow> {
    let mut reasons = Vec::new();
    if holder.state == MemberState::Paused {
        reasons.push(Reason::MemberPaused);
    }
    if reward.valid_until.is_some_and(|end| end <= now) {
        reasons.push(Reason::Ended);
    }
    if let Some(at) = reward.valid_from.filter(|&begin| now < begin) {
        reasons.push(Reason::NotStarted { at });
    }
    if reward.stock_left == Some(0) {
        reasons.push(Reason::OutOfStock);
    }
    if reward.per_member_left == Some(0) {
        reasons.push(Reason::LimitReached);
    }
    if let Some(tier) = &reward.tier_required {
        let rank = |id: &str| tiers.iter().position(|tier| tier.id == id);
        if holder.tier.and_then(rank) < rank(tier) {
            reasons.push(Reason::TierRequired { tier: tier.clone() });
        }
    }
    if holder.available < reward.cost_points {
        reasons.push(Reason::InsufficientBalance {
            required: reward.cost_points,
            available: holder.available,
            missing: difference(reward.cost_points, holder.available)?,
        });
    }
    Ok(if reasons.is_empty() {
        Availability::Ready
    } else {
        Availability::NotYet { reasons }
    })
}

/// Whether only points or a beginning are missing: what a wallet lists as *soon*.
pub fn is_soon(availability: &Availability) -> bool {
    match availability {
        Availability::Ready => false,
        Availability::NotYet { reasons } => reasons
            .iter()
            .all(|reason| matches!(reason, Reason::InsufficientBalance { .. } | Reason::NotStarted { .. })),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use loyalty_contract::rewards::RewardKind;
    use loyalty_contract::{Currency, Money};

    use super::*;

    fn tier(id: &str, threshold: i64) -> Tier {
        Tier {
            id: id.into(),
            name: id.into(),
            threshold: Points(threshold),
            multiplier_permille: 1000,
            benefits: vec![],
        }
    }

    fn reward() -> Reward {
        Reward {
            id: "coffee".into(),
            kind: RewardKind::FreeProduct,
            category: String::new(),
            title: String::new(),
            description: String::new(),
            image_url: None,
            cost_points: Points(500),
            points_worth: Money::new(250, Currency::parse("EUR").expect("EUR")),
            shop_price: None,
            conditions: vec![],
            valid_from: None,
            valid_until: None,
            voucher_valid_minutes: 30,
            stock_left: None,
            per_member_left: None,
            tier_required: None,
            availability: None,
        }
    }

    #[track_caller]
    fn check(reward: &Reward, available: i64, tier_held: &str, expected: &[Reason], soon: bool) {
        let ladder = [tier("green", 0), tier("silver", 800), tier("gold", 2000)];
        let holder = Holder {
            available: Points(available),
            tier: Some(tier_held),
            state: MemberState::Active,
        };
        let found = availability(reward, &ladder, holder, Instant::UNIX_EPOCH).expect("fits");
        let reasons = match &found {
            Availability::Ready => vec![],
            Availability::NotYet { reasons } => reasons.clone(),
        };
        assert_eq!(reasons, expected);
        assert_eq!(is_soon(&found), soon);
    }

    #[test]
    fn every_reason_is_named_and_exact() {
        let now = Instant::UNIX_EPOCH;
        let missing = |available, missing| Reason::InsufficientBalance {
            required: Points(500),
            available: Points(available),
            missing: Points(missing),
        };
        check(&reward(), 500, "green", &[], false);
        check(&reward(), 499, "green", &[missing(499, 1)], true);
        check(&reward(), -40, "green", &[missing(-40, 540)], true);
        let gold = Reward {
            tier_required: Some("gold".into()),
            ..reward()
        };
        check(&gold, 500, "gold", &[], false);
        check(
            &gold,
            500,
            "silver",
            &[Reason::TierRequired { tier: "gold".into() }],
            false,
        );
        let over = Reward {
            valid_until: Some(now),
            stock_left: Some(0),
            per_member_left: Some(0),
            ..reward()
        };
        check(
            &over,
            500,
            "gold",
            &[Reason::Ended, Reason::OutOfStock, Reason::LimitReached],
            false,
        );
        let at = now + TimeDelta::seconds(1);
        check(
            &Reward {
                valid_from: Some(at),
                ..reward()
            },
            300,
            "green",
            &[Reason::NotStarted { at }, missing(300, 200)],
            true,
        );
        check(
            &Reward {
                valid_from: Some(now),
                valid_until: Some(at),
                ..reward()
            },
            500,
            "green",
            &[],
            false,
        );
    }
}
