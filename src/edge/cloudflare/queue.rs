//! The queue of errands, where one is bound.

use worker::{BatchMessageBuilder, MessageBuilder};

use crate::platform::{Errand, Later, Queue, QueueFault};

/// The binding's name.
pub(super) const BINDING: &str = "PUBLISH";

/// Where its faults are, in events.
pub(super) const PLACE: &str = "publish_queue";

/// The binding.
pub struct Errands(pub worker::Queue);

impl Queue for Errands {
    fn send(&self, errands: Vec<Errand>) -> Later<'_, Result<(), QueueFault>> {
        Box::pin(async move {
            let messages = errands
                .into_iter()
                .map(|errand| MessageBuilder::new(errand.body).delay_seconds(errand.delay_seconds).build());
            let batch = BatchMessageBuilder::new().messages(messages).build();
            self.0.send_batch(batch).await.map_err(|_| QueueFault)
        })
    }
}
