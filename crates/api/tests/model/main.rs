//! Random sequences of everything that moves points, over real HTTP, against a plain model in memory: they agree after
//! each step.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod books;
#[path = "../api/database.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod database;
mod programme;
mod shop;
mod steps;
#[path = "../api/support.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod support;

use loyalty_contract::programme::TierWindow;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::steps::any_steps;

/// How many histories are told by each way of counting towards a tier, and how long they are.
const HISTORIES: u32 = 20;
const STEPS: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_agrees_with_the_model_over_the_last_twelve_months() {
    check(TierWindow::Rolling12Months);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_agrees_with_the_model_over_the_calendar_year() {
    check(TierWindow::CalendarYear);
}

fn check(window: TierWindow) {
    let runtime = Handle::current();
    let mut runner = TestRunner::new(Config {
        cases: HISTORIES,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let told = runner.run(&any_steps(STEPS), |steps| {
        block_in_place(|| runtime.block_on(shop::tell(window, steps)));
        Ok(())
    });
    if let Err(error) = told {
        panic!("{error}");
    }
}
