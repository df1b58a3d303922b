//! A small programme in which things collide: points last three months, vouchers from half an hour to weeks,
//! tiers are near, and of one reward there are three.

use chrono_tz::Tz;
use loyalty_contract::programme::TierWindow;
use serde_json::{Value, json};

use crate::support::Api;

pub const ZONE: Tz = chrono_tz::Europe::Berlin;
pub const RETURN_WINDOW_DAYS: i64 = 2;
pub const POINTS_VALID_MONTHS: i32 = 3;
pub const MIN_SPEND: i64 = 50;
/// So many points are worth [`VALUE_MINOR`], which leaves something to round.
pub const VALUE_POINTS: i64 = 3;
pub const VALUE_MINOR: i64 = 2;
pub const PER_MINOR: i64 = 130;
pub const TIERS: [&str; 3] = ["green", "silver", "gold"];
pub const LADDER: [i64; 3] = [0, 700, 2500];
pub const PERMILLE: [i64; 3] = [1000, 1150, 1333];
/// Vouchers never lapse on the instants at which steps are made, which are ten minutes apart.
pub const VOUCHER_MINUTES: i64 = 26 * 60 + 5;
pub const ADJUSTED_A_DAY: i64 = 1000;

pub struct Reward {
    pub id: &'static str,
    pub cost: i64,
    pub stock: Option<i64>,
    pub per_member: Option<usize>,
    /// The rung of the ladder that it takes.
    pub tier: usize,
    pub minutes: i64,
}

pub const REWARDS: [Reward; 2] = [
    Reward {
        id: "extra-shot",
        cost: 60,
        stock: Some(3),
        per_member: Some(2),
        tier: 0,
        minutes: 35,
    },
    Reward {
        id: "oat-milk",
        cost: 40,
        stock: None,
        per_member: None,
        tier: 1,
        minutes: 40 * 24 * 60 + 5,
    },
];

/// Puts it into the place of the sample's, and lets the sample's till speak for every store.
pub async fn put(api: &Api, window: TierWindow) {
    change(api, |programme| {
        programme["time_zone"] = json!(ZONE.name());
        programme["return_window_days"] = json!(RETURN_WINDOW_DAYS);
        programme["points_valid_months"] = json!(POINTS_VALID_MONTHS);
        programme["min_spend_points"] = json!(MIN_SPEND);
        programme["voucher_valid_minutes"] = json!(VOUCHER_MINUTES);
        programme["point_value"] = json!({"points": VALUE_POINTS, "money": {"minor": VALUE_MINOR, "currency": "EUR"}});
        programme["earning"]["per_money"]["minor"] = json!(PER_MINOR);
        programme["tier_window"] = json!(window);
        programme["adjustment_limits"] = json!({"clerk": 0, "manager": ADJUSTED_A_DAY});
        for (place, tier) in TIERS.iter().enumerate() {
            assert_eq!(programme["tiers"][place]["id"], *tier);
            programme["tiers"][place]["threshold"] = json!(LADDER[place]);
            programme["tiers"][place]["multiplier_permille"] = json!(PERMILLE[place]);
        }
    })
    .await;
    for reward in &REWARDS {
        let (document,): (String,) = sqlx::query_as("select document from rewards where id = $1")
            .bind(reward.id)
            .fetch_one(&api.db)
            .await
            .unwrap();
        let mut changed: Value = serde_json::from_str(&document).unwrap();
        changed["cost_points"] = json!(reward.cost);
        changed["per_member"] = json!(reward.per_member);
        changed["voucher_valid_minutes"] = json!(reward.minutes);
        if reward.tier > 0 {
            changed["tier_required"] = json!(TIERS[reward.tier]);
        }
        sqlx::query("update rewards set document = $1, stock = $2 where id = $3")
            .bind(changed.to_string())
            .bind(reward.stock)
            .bind(reward.id)
            .execute(&api.db)
            .await
            .unwrap();
    }
    api.execute("update api_keys set store = null where id = 'demo-till'")
        .await;
    change(api, |_| {}).await;
}

/// From now on so many points are earned for each [`PER_MINOR`].
pub async fn put_rate(api: &Api, points: i64) {
    change(api, |programme| programme["earning"]["points"] = json!(points)).await;
}

async fn change(api: &Api, change: impl FnOnce(&mut Value)) {
    let (document,): (String,) = sqlx::query_as("select document from programme")
        .fetch_one(&api.db)
        .await
        .unwrap();
    let mut programme: Value = serde_json::from_str(&document).unwrap();
    change(&mut programme);
    sqlx::query("update programme set revision = revision + 1, document = $1")
        .bind(programme.to_string())
        .execute(&api.db)
        .await
        .unwrap();
}
