//! Whichever is there first: what was kept of an earlier answer, or the answer.

use std::pin::Pin;

use futures::future::{Either, select};

use crate::api::{ApiError, Known};

/// An answer on its way.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<Known<T>, ApiError>>>>;

/// What was kept, with the answer that is still on its way, or the answer itself; if that failed, what was kept and
/// why it failed.
pub async fn sooner<T: 'static>(kept: Answer<T>, answer: Answer<T>) -> (Result<Known<T>, ApiError>, Option<Answer<T>>) {
    match select(kept, answer).await {
        Either::Left((Ok(kept), answer)) => (Ok(kept), Some(answer)),
        Either::Left((Err(_), answer)) => (answer.await, None),
        Either::Right((Ok(known), _)) => (Ok(known), None),
        Either::Right((Err(error), kept)) => match kept.await {
            Ok(kept) if error != ApiError::SignedOut => (Ok(kept), Some(Box::pin(async move { Err(error) }))),
            _ => (Err(error), None),
        },
    }
}
