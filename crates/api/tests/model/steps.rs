//! What can happen in a shop, at random.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::programme::REWARDS;

/// In tens of minutes.
const DAY: i64 = 24 * 6;

/// The members of a story. Purchases are made by others too.
pub const MEMBERS: usize = 2;

/// Something happens, some time after what happened before.
#[derive(Clone, Debug)]
pub struct Step {
    /// Tens of minutes.
    pub wait: i64,
    /// What was due meanwhile is not done by the worker, but by whoever comes next.
    pub worker_sleeps: bool,
    /// The request is sent once more, with the same key.
    pub twice: bool,
    pub what: What,
}

/// Of purchases, quotes and vouchers, `which` is counted from the latest; of vouchers first among those in whose state
/// this can be done.
#[derive(Clone, Debug)]
pub enum What {
    Buy {
        by: By,
        harbour: bool,
        minor: i64,
        hours_ago: i64,
    },
    BuyAgain {
        which: usize,
        in_other_words: bool,
    },
    /// So many thousandths of what is left of the purchase; more than there are is too much.
    Return {
        which: usize,
        permille: i64,
        number: usize,
    },
    Quote {
        member: usize,
        wish: Wish,
        redeemed: bool,
    },
    Redeem {
        which: usize,
    },
    Release {
        which: usize,
    },
    Capture {
        which: usize,
        basket: Option<i64>,
    },
    Refund {
        which: usize,
    },
    Adjust {
        member: usize,
        points: i64,
    },
    Pause {
        member: usize,
        paused: bool,
    },
    Rate {
        points: i64,
    },
    Look,
}

/// Who buys.
#[derive(Clone, Debug)]
pub enum By {
    Member(usize),
    Anonymous,
    Unknown,
}

/// What somebody wants for their points.
#[derive(Clone, Debug)]
pub enum Wish {
    Points(i64),
    Minor(i64),
    Reward(usize),
}

pub fn any_steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let episode = prop_oneof![25 => any_step().prop_map(|step| vec![step]), 1 => late_twice()];
    vec(episode, most / 2..=most).prop_map(|episodes| episodes.concat())
}

/// Points that come back after their end, are used once more, and come back late again: what happens seldom by itself.
fn late_twice() -> impl Strategy<Value = Vec<Step>> {
    (0..MEMBERS, 90 * DAY..130 * DAY, 0..6 * DAY, 3 * DAY..20 * DAY).prop_map(|(member, months, days, weeks)| {
        let quote = |points| What::Quote {
            member,
            wish: Wish::Points(points),
            redeemed: true,
        };
        let capture = What::Capture { which: 0, basket: None };
        let refund = What::Refund { which: 0 };
        let steps = [
            (0, What::Pause { member, paused: false }),
            (0, What::Adjust { member, points: 300 }),
            (0, quote(250)),
            (0, capture.clone()),
            (months, refund.clone()),
            (days, quote(200)),
            (0, capture),
            (weeks, refund),
        ];
        let calm = |(wait, what)| Step {
            wait,
            worker_sleeps: false,
            twice: false,
            what,
        };
        steps.map(calm).to_vec()
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        20 => Just(0),
        8 => 1..4i64,
        4 => 4..DAY / 4,
        8 => DAY / 4..6 * DAY,
        1 => 25 * DAY..100 * DAY,
        1 => 100 * DAY..426 * DAY,
    ];
    (wait, any::<bool>(), prop::bool::weighted(0.2), any_what()).prop_map(|(wait, worker_sleeps, twice, what)| Step {
        wait,
        worker_sleeps,
        twice,
        what,
    })
}

fn any_what() -> impl Strategy<Value = What> {
    let which = || 0..3usize;
    let by = prop_oneof![8 => (0..MEMBERS).prop_map(By::Member), 1 => Just(By::Anonymous), 1 => Just(By::Unknown)];
    let hours_ago = prop_oneof![3 => Just(0), 1 => 1..160i64];
    let share = prop_oneof![3 => 1..1000i64, 3 => Just(1000), 1 => Just(1001)];
    let wish = prop_oneof![
        3 => (1..600i64).prop_map(Wish::Points),
        1 => (0..300i64).prop_map(Wish::Minor),
        3 => (0..REWARDS.len()).prop_map(Wish::Reward),
    ];
    prop_oneof![
        5 => (by, any::<bool>(), 0..15_000i64, hours_ago)
            .prop_map(|(by, harbour, minor, hours_ago)| What::Buy { by, harbour, minor, hours_ago }),
        1 => (which(), any::<bool>()).prop_map(|(which, in_other_words)| What::BuyAgain { which, in_other_words }),
        4 => (which(), share, 0..4usize)
            .prop_map(|(which, permille, number)| What::Return { which, permille, number }),
        7 => (0..MEMBERS, wish, prop::bool::weighted(0.8))
            .prop_map(|(member, wish, redeemed)| What::Quote { member, wish, redeemed }),
        4 => which().prop_map(|which| What::Redeem { which }),
        3 => which().prop_map(|which| What::Release { which }),
        5 => (which(), option::of(1..400i64)).prop_map(|(which, basket)| What::Capture { which, basket }),
        4 => which().prop_map(|which| What::Refund { which }),
        3 => (0..MEMBERS, -300..600i64)
            .prop_map(|(member, points)| What::Adjust { member, points: if points == 0 { 1 } else { points } }),
        1 => (0..MEMBERS, prop::bool::weighted(0.3)).prop_map(|(member, paused)| What::Pause { member, paused }),
        1 => prop_oneof![Just(7), Just(10), Just(13)].prop_map(|points| What::Rate { points }),
        1 => Just(What::Look),
    ]
}
