//! Runs futures step by step: to the end, until a crash, or several in a seeded order.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use postern::platform::Later;

use super::Random;

/// More steps than any simulation takes: beyond it, something waits for ever.
const STUCK: usize = 5_000_000;

/// Runs `future` to its end.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    run_until_crash(STUCK, future).expect("the future never ends")
}

/// Polls `future` at most `steps` times and then drops it, as an isolate that dies drops its request. Nothing when it
/// did not end by then. Every port call takes three steps: before its effect, after it, and its answer.
pub fn run_until_crash<T>(steps: usize, future: impl Future<Output = T>) -> Option<T> {
    let boxed: Later<'_, T> = Box::pin(future);
    interleave_until_crash(&Random::new(0), steps, vec![boxed]).pop().flatten()
}

/// Runs `futures` to their ends, each step of one chosen by `random`.
pub fn interleave<T>(random: &Random, futures: Vec<Later<'_, T>>) -> Vec<T> {
    interleave_until_crash(random, STUCK, futures)
        .into_iter()
        .map(|result| result.expect("a future never ends"))
        .collect()
}

/// Like [`interleave`], for `steps` steps in all; then what did not end is dropped.
pub fn interleave_until_crash<T>(
    random: &Random,
    steps: usize,
    futures: Vec<Later<'_, T>>,
) -> Vec<Option<T>> {
    let mut context = Context::from_waker(Waker::noop());
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    let mut running: Vec<(usize, Later<'_, T>)> = futures.into_iter().enumerate().collect();
    for _ in 0..steps {
        if running.is_empty() {
            break;
        }
        let chosen = usize::try_from(random.below(running.len() as u64)).unwrap();
        let (index, future) = &mut running[chosen];
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            results[*index] = Some(result);
            drop(running.swap_remove(chosen));
        }
    }
    results
}

/// Waits for one step.
pub fn yield_now() -> impl Future<Output = ()> {
    YieldNow(false)
}

struct YieldNow(bool);

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}
