//! The networks' resources: what each network takes.

use super::{Network, rules, tools::description};
use crate::desk::{
    Arguments, Caller, Code, Complete, Contents, ListedResource, Problem, Refusal, ResourceEntry, Scope,
    Scopes,
};

/// The resources of this room.
pub const RESOURCES: &[ResourceEntry] = &[ResourceEntry {
    name: "network_rules",
    title: "Rules of a network",
    description: "What a social network takes: text limit and how it counts, pictures, threads, first comments, settings, with an example for create_post.",
    mime_type: "application/json",
    template: "postern://networks/{network}",
    needs: Scopes::of(&[Scope::SocialProfilesRead]),
    list: |_| {
        Network::ALL
            .into_iter()
            .map(|network| ListedResource {
                uri: format!("postern://networks/{}", network.as_str()),
                title: format!("Rules of {}", rules(network).name),
            })
            .collect()
    },
    read: |caller, variables| Box::pin(read(caller, variables)),
    completes: &[("network", NETWORKS)],
}];

/// Completes a network's name.
pub const NETWORKS: Complete = |caller, _| {
    Box::pin(async move {
        caller.facts().await?;
        Ok(Network::ALL.into_iter().map(|network| network.as_str().to_owned()).collect())
    })
};

async fn read(caller: &Caller<'_>, variables: Arguments) -> Result<Vec<Contents>, Refusal> {
    caller.facts().await?;
    let network = variables
        .get("network")
        .and_then(Network::parse)
        .ok_or_else(|| Problem::new(Code::NetworkNotFound, "network", ""))?;
    Ok(vec![Contents::json(&description(network))])
}
