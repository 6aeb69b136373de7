//! The networks' MCP tool.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Network, Rules, rules};
use crate::desk::{
    Caller, Code, Hints, Problem, Refusal, Scope, Scopes, Tool, ToolEntry, nearest, next_call,
};

/// The tools of this room.
pub const TOOLS: &[ToolEntry] = &[ToolEntry::of::<DescribeNetwork>()];

/// `describe_network`: what a network takes.
pub struct DescribeNetwork;

/// Its arguments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct DescribeInput {
    /// The network's name: wall or bluesky.
    network: String,
}

/// Its result.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Description {
    /// What the network takes.
    rules: Rules,
    /// Arguments of create_post that are right for this network.
    example: Value,
}

impl Tool for DescribeNetwork {
    const NAME: &'static str = "describe_network";
    const TITLE: &'static str = "Describe a network";
    const DESCRIPTION: &'static str = "What a social network takes: text limit and how it counts, pictures, threads, first comments, settings, with an example for create_post. Call it before writing for a network you have not used here. To check a particular text, use preview_post instead.";
    const NEEDS: Scopes = Scopes::of(&[Scope::SocialProfilesRead]);
    const HINTS: Hints = Hints::read();
    type Input = DescribeInput;
    type Output = Description;

    async fn call(caller: &Caller<'_>, input: DescribeInput) -> Result<Description, Refusal> {
        caller.facts().await?;
        let network =
            Network::parse(&input.network.trim().to_lowercase()).ok_or_else(|| not_found(&input.network))?;
        Ok(description(network))
    }
}

/// What a network takes.
pub(super) fn description(network: Network) -> Description {
    Description { rules: rules(network), example: example(network) }
}

fn not_found(named: &str) -> Problem {
    let names: Vec<&str> = Network::ALL.into_iter().map(Network::as_str).collect();
    let meant = nearest(named, names.iter().copied()).or_else(|| names.first().copied()).unwrap_or_default();
    Problem::new(Code::NetworkNotFound, "network", format!("Set network to one of: {}.", names.join(", ")))
        .next(next_call(DescribeNetwork::NAME, json!({ "network": meant })))
}

fn example(network: Network) -> Value {
    match network {
        Network::Wall => json!({
            "profiles": ["wall"],
            "text": "Our new harbour office is open.\n\nCome by on Friday: https://example.com/harbour",
            "media": [{ "url": "https://example.com/harbour.jpg", "alt": "A white house by the water" }],
            "when": "PT2H"
        }),
        Network::Bluesky => json!({
            "profiles": ["bluesky"],
            "text": "Our new harbour office is open. Come by on Friday! #harbour",
            "thread": [{ "text": "How to find us: https://example.com/harbour" }],
            "overrides": [{ "profiles": ["bluesky"], "settings": { "langs": ["en"] } }],
            "when": "PT2H"
        }),
    }
}
