//! Several things at once, but not too many.

use std::task::Poll;

use crate::platform::Later;

/// Runs `futures` to their ends, at most `most` of them at a time, begun in their order.
pub(super) async fn at_most(most: usize, futures: Vec<Later<'_, ()>>) {
    let mut waiting = futures.into_iter();
    let mut running: Vec<Later<'_, ()>> = Vec::new();
    std::future::poll_fn(|context| {
        loop {
            running.extend(waiting.by_ref().take(most - running.len().min(most)));
            let before = running.len();
            running.retain_mut(|future| future.as_mut().poll(context).is_pending());
            if running.is_empty() && waiting.len() == 0 {
                return Poll::Ready(());
            }
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
}
