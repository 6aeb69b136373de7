//! The tools of profiles.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Profile, ProfileView, in_sight, model::choose_to_reconnect, store, view};
use crate::{
    desk::{
        Act, Caller, ConnectId, Hints, Moment, NextCall, Problems, Refusal, Scope, Scopes, TimeZoneName,
        Tool, ToolEntry, WorkspaceId, next_call, open_cursor, page_limit, seal_cursor,
    },
    networks::Network,
    platform::{DatabaseFault, Statement, Value},
};

/// The tools of this room.
pub const TOOLS: &[ToolEntry] =
    &[ToolEntry::of::<ListSocialProfiles>(), ToolEntry::of::<ConnectSocialProfile>()];

/// A request to connect an account can be used for an hour.
const CONNECT_SECONDS: i64 = 3600;

/// Lists the connected accounts.
pub struct ListSocialProfiles;

/// Which profiles to list.
#[derive(Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ListInput {
    /// Id or name of a workspace; all of the grant's workspaces when left out.
    pub workspace: Option<String>,
    /// How many, 1 to 50; 20 when left out.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(range(min = 1, max = 50)))]
    pub limit: Option<u32>,
    /// next_cursor of the page before.
    pub cursor: Option<String>,
}

/// A page of profiles.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ListOutput {
    /// The profiles, oldest first.
    pub profiles: Vec<ProfileView>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Tool for ListSocialProfiles {
    const NAME: &'static str = "list_social_profiles";
    const TITLE: &'static str = "List social profiles";
    const DESCRIPTION: &'static str = "Lists the connected accounts that posts can go to, with their health. Use it when whoami's \
         overview is not enough, to find a profile's handle or id, or to see why one cannot be posted to; `next` then \
         holds the call that mends it. It does not show accounts that are not connected: connect_social_profile adds them.";
    const NEEDS: Scopes = Scopes::of(&[Scope::SocialProfilesRead]);
    const HINTS: Hints = Hints::read();
    type Input = ListInput;
    type Output = ListOutput;

    async fn call(caller: &Caller<'_>, input: ListInput) -> Result<ListOutput, Refusal> {
        let mut problems = Problems::default();
        let workspace = match &input.workspace {
            None => None,
            named => {
                let facts = caller.facts().await?;
                Some(problems.keep_or(facts.workspace(named.as_deref()), facts.stand_in())?.id.clone())
            }
        };
        let list = format!("list_social_profiles/{}", workspace.as_ref().map_or("", WorkspaceId::as_str));
        let after: String = match &input.cursor {
            None => String::new(),
            Some(cursor) => problems.keep(open_cursor(caller, &list, cursor)).unwrap_or_default(),
        };
        problems.refuse_if_any()?;
        let limit = page_limit(input.limit);
        let mut answer = caller.read(vec![page_of(caller, workspace.as_ref(), &after, limit + 1)]).await?;
        let mut profiles: Vec<Profile> = answer.next_as()?;
        let more = profiles.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            profiles.pop();
        }
        let next_cursor = match profiles.last().filter(|_| more) {
            None => None,
            Some(last) => Some(seal_cursor(caller, &list, &last.id).map_err(|_| unsealable())?),
        };
        Ok(ListOutput { profiles: profiles.iter().map(view).collect(), next_cursor })
    }
}

fn page_of(caller: &Caller<'_>, workspace: Option<&WorkspaceId>, after: &str, limit: i64) -> Statement {
    let (tenant, grant) = caller.sight();
    store::PROFILES_PAGE.with([
        tenant,
        grant,
        workspace.map_or(Value::Null, Value::from),
        after.into(),
        limit.into(),
    ])
}

fn unsealable() -> Refusal {
    Refusal::Fault(DatabaseFault::Rejected("a cursor could not be sealed".to_owned()))
}

/// Asks a person to connect an account.
pub struct ConnectSocialProfile;

/// Which account is to be connected.
#[derive(Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ConnectInput {
    /// Id or name of the workspace that gets the profile; may be left out when the grant has only one.
    pub workspace: Option<String>,
    /// The network.
    pub network: Network,
    /// The profile to connect again (id, handle or name), when list_social_profiles says that it needs it. Its posts stay.
    pub reconnect: Option<String>,
}

/// Where the person connects the account.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ConnectOutput {
    /// The address that the person opens.
    pub connect_url: String,
    /// Until when it can be used.
    pub expires: Moment,
    /// The workspace that gets the profile.
    pub workspace: String,
    /// The network.
    pub network: Network,
    /// What happens there.
    pub what_happens: String,
    /// What to tell the person.
    pub tell_the_person: String,
    /// What to call when the person says that it is done.
    pub next: NextCall,
}

impl Tool for ConnectSocialProfile {
    const NAME: &'static str = "connect_social_profile";
    const TITLE: &'static str = "Connect a social profile";
    const DESCRIPTION: &'static str = "Gives an address on which the person connects an account, or connects one again whose access \
         ended. Show the address to the person and wait; it works once, for an hour, for this person only. Never ask for a \
         password, app password or token in the conversation: secrets are typed on that page and nowhere else.";
    const NEEDS: Scopes = Scopes::of(&[Scope::SocialProfilesWrite]);
    const HINTS: Hints = Hints::write();
    type Input = ConnectInput;
    type Output = ConnectOutput;

    async fn call(caller: &Caller<'_>, input: ConnectInput) -> Result<ConnectOutput, Refusal> {
        let mut answer = caller.read(vec![in_sight(caller)]).await?;
        let profiles: Vec<Profile> = answer.next_as()?;
        let mut problems = Problems::default();
        let named = answer.facts.workspace(input.workspace.as_deref());
        let workspace = problems.keep_or(named, answer.facts.stand_in())?;
        let network = input.network;
        let profile = input.reconnect.as_ref().and_then(|wanted| {
            problems.keep(choose_to_reconnect(&profiles, &workspace.id, network, wanted, "reconnect"))
        });
        problems.refuse_if_any()?;
        let id = ConnectId::new(caller.now(), caller.platform().entropy);
        let expires_at = caller.now().plus_seconds(CONNECT_SECONDS);
        let (tenant, grant) = caller.sight();
        let ask = store::CONNECT_ASK.with([
            tenant,
            grant,
            (&id).into(),
            (&workspace.id).into(),
            network.as_str().into(),
            profile.map(|profile| Value::from(&profile.id)).into(),
            caller.user_id().into(),
            caller.now().into(),
            expires_at.into(),
        ]);
        let act = Act { name: Self::NAME, subjects: &[id.as_str()] };
        caller.write(act, vec![ask, Caller::require_changes(1)]).await?;
        let origin = &caller.platform().config.public_origin;
        let connect_url = format!("{origin}/{}/connect/{id}", caller.tenant().safename);
        Ok(ConnectOutput {
            tell_the_person: format!(
                "Open {connect_url} within the hour and follow the page; only you can use it. Tell me when it is done."
            ),
            connect_url,
            expires: Moment::new(expires_at, &TimeZoneName::or_utc(&workspace.time_zone), caller.now()),
            workspace: workspace.name.clone(),
            network,
            what_happens: what_happens(network).to_owned(),
            next: next_call("list_social_profiles", json!({ "workspace": workspace.id })),
        })
    }
}

const fn what_happens(network: Network) -> &'static str {
    match network {
        Network::Wall => {
            "The person signs in here if needed, sees the organisation and the workspace, and chooses a handle and a \
             display name. The public page exists from then on."
        }
        Network::Bluesky => {
            "The person signs in here if needed, sees the organisation and the workspace, and types the server, the \
             handle and an app password made in the account's settings. It is tried at once and kept sealed."
        }
    }
}
