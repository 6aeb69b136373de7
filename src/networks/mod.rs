//! Social networks: one folder per network, with its rules and its connector.
//!
//! A network renders a draft into what would be sent, tells what is wrong with it, and carries it out step by step.
//! It keeps nothing: what must be remembered is given back, stored by `delivery`, and handed in again. A new network
//! is a folder, a variant of [`Network`] and a line in each function below.

pub mod bluesky;
mod checks;
mod connector;
mod model;
mod resources;
pub mod spans;
mod tools;
pub mod wall;

use serde_json::Value;

use crate::desk::Problem;

pub use connector::{
    Connector, ErrorClass, Identity, Job, JobPart, Ladder, Link, NetworkError, PartState, Sent, Session,
    SignIn, Step, Verdict,
};
pub use model::{
    Account, Attachment, Count, Draft, DraftPart, Network, PartKind, Rendered, RenderedPart, Rules, Unit,
};
pub use resources::{NETWORKS, RESOURCES};
pub use tools::TOOLS;
pub use wall::STATEMENTS;

/// How a network is reached.
pub fn connector(network: Network) -> &'static dyn Connector {
    match network {
        Network::Wall => &wall::Wall,
        Network::Bluesky => &bluesky::Bluesky,
    }
}

/// What `draft` becomes on `network`, and what is wrong with it. Pure; what is sent is what this gives.
pub fn render(network: Network, draft: &Draft) -> Rendered {
    match network {
        Network::Wall => wall::render(draft),
        Network::Bluesky => bluesky::render(draft),
    }
}

/// The length of `text` in the measure of `network`.
pub fn measure(network: Network, text: &str) -> Count {
    checks::count(text, &rules(network))
}

/// What `network` takes.
pub fn rules(network: Network) -> Rules {
    match network {
        Network::Wall => wall::rules(),
        Network::Bluesky => bluesky::rules(),
    }
}

/// Everything that is wrong with a network's settings, which came from the argument `field`.
pub fn settings_problems(network: Network, settings: &Value, field: &str) -> Vec<Problem> {
    match network {
        Network::Wall => wall::settings_problems(settings, field),
        Network::Bluesky => bluesky::settings_problems(settings, field),
    }
}

/// The server that accounts of `network` sign in at unless the person names another; none where there is no signing in.
pub const fn default_server(network: Network) -> Option<&'static str> {
    match network {
        Network::Wall => None,
        Network::Bluesky => Some(bluesky::DEFAULT_SERVER),
    }
}
