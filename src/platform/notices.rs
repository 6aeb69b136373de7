//! Messages to a client ahead of the answer to its request.

/// Takes messages that go out while a request is still worked on, where the client reads a stream of events. The answer
/// becomes the last event then.
pub trait Notices {
    /// Sends a message, the text of one event. False when the client has gone: nothing reaches it any more.
    fn send(&self, message: String) -> bool;
}
