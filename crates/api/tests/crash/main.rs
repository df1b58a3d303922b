//! The server is killed at random moments while clients write, and started again on the same database: every answer
//! that they got holds, and what they ask again for want of an answer happens once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod books;
mod client;
#[path = "../api/database.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod database;
mod dice;
mod process;
#[path = "../api/support.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::RwLock;

use crate::client::Client;
use crate::database::OwnDatabase;
use crate::dice::Dice;
use crate::process::Process;

/// Decides what clients ask for, and after how many milliseconds of a life the end comes.
const SEED: u64 = 20_261_122;
const LIVES: usize = 50;
const CLIENTS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_invented_or_doubled_by_a_crash() {
    eprintln!("the seed is {SEED}");
    let mut dice = Dice::new(SEED);
    let own = OwnDatabase::seeded().await;
    books::prepare(&own.url, CLIENTS).await;

    // Where the server is; whoever asks something of it holds this, so that nobody does while its books are checked.
    let place = Arc::new(RwLock::new(String::new()));
    let has_closed = Arc::new(AtomicBool::new(false));
    let mut server = Process::start(&own.url);
    let mut clients = vec![];
    let mut records = vec![];
    for number in 0..CLIENTS {
        let client = Client::sign_in(
            number,
            &server.base,
            Arc::clone(&place),
            Dice::new(SEED + 1 + number as u64),
        )
        .await;
        records.push(Arc::clone(&client.record));
        clients.push(tokio::spawn(client.work(Arc::clone(&has_closed))));
    }
    for _ in 0..LIVES {
        let mut closed = place.write().await;
        closed.clone_from(&server.base);
        drop(closed);
        tokio::time::sleep(Duration::from_millis(100 + dice.below(300))).await;
        server.kill();
        let closed = place.write().await;
        server = Process::start(&own.url);
        books::check_between_lives(&own.url, &records).await;
        drop(closed);
        assert!(
            !clients.iter().any(tokio::task::JoinHandle::is_finished),
            "a client gave up"
        );
    }
    has_closed.store(true, Ordering::Relaxed);
    place.write().await.clone_from(&server.base);
    let mut unanswered = 0;
    let mut replayed = 0;
    for client in clients {
        let done = client.await.unwrap();
        unanswered += done.unanswered;
        replayed += done.replayed;
    }
    books::check_at_the_end(&own.url, &records).await;
    eprintln!("{unanswered} requests had no answer, {replayed} of them had happened");
    assert!(
        unanswered > 0,
        "nobody was asking for anything when the server was killed"
    );
}
