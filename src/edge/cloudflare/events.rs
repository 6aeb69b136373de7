//! A stream of events as the answer to a request: what was sent ahead of it, then the answer itself.
//!
//! The work goes on by itself, whether the client reads or has gone; what it sends finds nobody then.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::Future,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;

use crate::{http::Response, platform::Notices};

/// What was sent and not read yet.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<String>,
    reader: Option<Waker>,
    ended: bool,
}

/// Where messages go in. Nothing arrives any more once the [`Receiver`] is gone.
#[derive(Clone)]
pub(super) struct Sender(Weak<RefCell<Queue>>);

/// Where messages come out.
pub(super) struct Receiver(Rc<RefCell<Queue>>);

/// A queue, and its way in.
pub(super) fn channel() -> (Sender, Receiver) {
    let queue = Rc::default();
    (Sender(Rc::downgrade(&queue)), Receiver(queue))
}

impl Sender {
    fn put(&self, message: Option<String>) -> bool {
        let Some(queue) = self.0.upgrade() else { return false };
        let mut queue = queue.borrow_mut();
        match message {
            Some(message) => queue.waiting.push_back(message),
            None => queue.ended = true,
        }
        if let Some(reader) = queue.reader.take() {
            reader.wake();
        }
        true
    }
}

impl Notices for Sender {
    fn send(&self, message: String) -> bool {
        self.put(Some(message))
    }
}

/// Work that no client waits for.
pub(super) struct Nobody;

impl Notices for Nobody {
    fn send(&self, _message: String) -> bool {
        false
    }
}

impl Receiver {
    /// The next message; nothing at the end.
    fn poll_message(&mut self, context: &Context<'_>) -> Poll<Option<String>> {
        let mut queue = self.0.borrow_mut();
        match queue.waiting.pop_front() {
            Some(message) => Poll::Ready(Some(message)),
            None if queue.ended => Poll::Ready(None),
            None => {
                queue.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// What comes first: the answer alone, or a message ahead of it, and the answer if that is there by then too.
pub(super) enum Beginning<T> {
    Answer(T),
    Message(String, Option<T>),
}

/// Waits for whichever comes first.
pub(super) async fn beginning<T>(
    answering: &mut (impl Future<Output = T> + Unpin),
    sent: &mut Receiver,
) -> Beginning<T> {
    std::future::poll_fn(|context| {
        let answered = Pin::new(&mut *answering).poll(context);
        match (sent.poll_message(context), answered) {
            (Poll::Ready(Some(message)), Poll::Ready(answer)) => {
                Poll::Ready(Beginning::Message(message, Some(answer)))
            }
            (Poll::Ready(Some(message)), Poll::Pending) => Poll::Ready(Beginning::Message(message, None)),
            (_, answered) => answered.map(Beginning::Answer),
        }
    })
    .await
}

/// Where the answer goes in once it is there.
pub(super) struct Ending(Sender);

impl Ending {
    /// Sends the answer as the last event.
    pub(super) fn send(self, body: Vec<u8>) {
        self.0.put(String::from_utf8(body).ok());
        self.0.put(None);
    }
}

/// The events of an answer whose first message is `first`.
pub(super) fn stream(first: String, sent: Receiver) -> (Ending, Events) {
    let ending = Ending(Sender(Rc::downgrade(&sent.0)));
    sent.0.borrow_mut().waiting.push_front(first);
    (ending, Events(sent))
}

/// Events as bytes.
pub(super) struct Events(Receiver);

impl Stream for Events {
    type Item = Result<Vec<u8>, worker::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0
            .poll_message(context)
            .map(|message| message.map(|text| Ok(Response::event(&text).into_bytes())))
    }
}
