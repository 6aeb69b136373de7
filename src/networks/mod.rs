//! Social networks: one file or folder per network, with its rules and its connector.
//!
//! A network renders a draft into what would be sent, tells what is wrong with it, and carries it out step by step.
//! It keeps nothing: what must be remembered is given back, stored by `delivery`, and handed in again.

mod connector;
mod model;

pub use connector::{
    Connector, ErrorClass, Identity, Job, JobPart, Ladder, Link, NetworkError, PartState, Sent, Session, SignIn, Step,
    Verdict,
};
pub use model::{
    Account, Attachment, Count, Draft, DraftPart, Network, PartKind, Rendered, RenderedPart, Rules, Unit,
};
