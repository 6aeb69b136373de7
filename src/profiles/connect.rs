//! Connecting an account: a request that its own person uses once, and what comes of it.

use super::{
    Profile, store,
    vault::{Place, Secret, Vault},
};
use crate::{
    desk::{Act, Caller, ConnectId, Facts, ProfileId, Refusal, WorkspaceId},
    http::GuardedClient,
    networks::{self, ErrorClass, Identity, Link, Network, NetworkError, Session, SignIn},
    platform::{FromRow, Platform, Row, RowFault, SealFault, Statement, Timestamp, Value},
};

/// What a person types to connect an account of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A handle and a display name: the account is made here.
    Handle,
    /// A server, a handle and an app password.
    AppPassword,
}

impl Way {
    pub(super) const fn of(network: Network) -> Self {
        match network {
            Network::Wall => Self::Handle,
            Network::Bluesky => Self::AppPassword,
        }
    }
}

/// A request, as its own person sees it.
pub(super) struct Connect {
    pub(super) workspace_id: WorkspaceId,
    pub(super) workspace_name: String,
    pub(super) network: Network,
    pub(super) expires_at: Timestamp,
    pub(super) used_at: Option<Timestamp>,
    /// The profile to connect again; once used, the one that was connected.
    pub(super) profile: Option<Known>,
}

/// A profile that a request is about.
pub(super) struct Known {
    pub(super) id: ProfileId,
    pub(super) handle: String,
    pub(super) name: String,
    pub(super) remote_id: String,
    pub(super) server: Option<String>,
}

impl FromRow for Connect {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let profile = match row.get::<Option<ProfileId>>("profile_id")? {
            None => None,
            Some(id) => Some(Known {
                id,
                handle: row.get("handle")?,
                name: row.get("name")?,
                remote_id: row.get("remote_id")?,
                server: row.get("server")?,
            }),
        };
        Ok(Self {
            workspace_id: row.get("workspace_id")?,
            workspace_name: row.get("workspace_name")?,
            network: row.get("network")?,
            expires_at: row.get("expires_at")?,
            used_at: row.get("used_at")?,
            profile,
        })
    }
}

/// What the person typed. The secret is never given back.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) server: String,
    pub(super) handle: String,
    pub(super) name: String,
    pub(super) app_password: String,
}

/// The fields of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Server,
    Handle,
    Name,
    AppPassword,
}

/// What is wrong with a field, in words for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldFault {
    pub(super) field: Field,
    pub(super) words: String,
}

/// Why nothing was connected.
pub(super) enum ConnectFault {
    /// The person can mend it.
    Fields(Vec<FieldFault>),
    /// The request was used or has expired meanwhile, or something else changed at the same moment.
    Overtaken,
    /// The gate or the database.
    Refused(Refusal),
}

impl ConnectFault {
    fn at(field: Field, words: impl Into<String>) -> Self {
        Self::Fields(vec![FieldFault { field, words: words.into() }])
    }
}

impl From<Refusal> for ConnectFault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Conflict => Self::Overtaken,
            other => Self::Refused(other),
        }
    }
}

impl From<SealFault> for ConnectFault {
    fn from(_: SealFault) -> Self {
        let fault = crate::platform::DatabaseFault::Rejected("a secret could not be sealed".to_owned());
        Self::Refused(Refusal::Fault(fault))
    }
}

/// The request with this id, if it is this caller's own, and who the caller is.
///
/// # Errors
/// When the gate is closed or the database fails.
pub(super) async fn find(caller: &Caller<'_>, id: &ConnectId) -> Result<(Facts, Option<Connect>), Refusal> {
    let find = store::CONNECT_FIND.with([(&caller.tenant().id).into(), id.into(), caller.user_id().into()]);
    let mut answer = caller.read(vec![find]).await?;
    let connect = answer.next_first()?;
    Ok((answer.facts, connect))
}

/// Connects what the person typed and uses the request up, in one batch.
///
/// # Errors
/// See [`ConnectFault`]; nothing has changed then.
pub(super) async fn carry_out(
    caller: &Caller<'_>,
    id: &ConnectId,
    connect: &Connect,
    typed: &Typed,
) -> Result<(), ConnectFault> {
    match Way::of(connect.network) {
        Way::Handle => make(caller, id, connect, typed).await,
        Way::AppPassword => sign_in(caller, id, connect, typed).await,
    }
}

/// What a profile becomes.
struct Target<'a> {
    id: ProfileId,
    handle: &'a str,
    name: &'a str,
    remote_id: &'a str,
    server: Option<&'a str>,
}

/// Uses the request up and saves the profile, with `secrets` after it.
async fn save(
    caller: &Caller<'_>,
    id: &ConnectId,
    connect: &Connect,
    target: Target<'_>,
    secrets: Vec<Statement>,
) -> Result<(), Refusal> {
    let tenant = Value::from(&caller.tenant().id);
    let now = caller.now();
    let mut statements = vec![
        store::CONNECT_USE.with([
            tenant.clone(),
            id.into(),
            caller.user_id().into(),
            now.into(),
            (&target.id).into(),
        ]),
        Caller::require_changes(1),
        store::PROFILE_SAVE.with([
            tenant.clone(),
            (&target.id).into(),
            (&connect.workspace_id).into(),
            connect.network.as_str().into(),
            target.handle.into(),
            target.name.into(),
            target.remote_id.into(),
            target.server.into(),
            now.into(),
        ]),
        store::RESUME_DELIVERIES.with([
            tenant,
            (&connect.workspace_id).into(),
            (&target.id).into(),
            now.into(),
        ]),
    ];
    statements.extend(secrets);
    let act = Act { name: "connect_page", subjects: &[id.as_str(), target.id.as_str()] };
    caller.write(act, statements).await.map(drop)
}

/// Makes an account of our own, such as a Wall.
async fn make(
    caller: &Caller<'_>,
    id: &ConnectId,
    connect: &Connect,
    typed: &Typed,
) -> Result<(), ConnectFault> {
    let handle = handle_of(&typed.handle).to_lowercase();
    let name = typed.name.trim();
    let faults = faults_of_own(connect, &handle, name);
    if !faults.is_empty() {
        return Err(ConnectFault::Fields(faults));
    }
    let profile_id = connect.profile.as_ref().map_or_else(|| new_id(caller), |known| known.id.clone());
    let target = Target {
        remote_id: profile_id.as_str(),
        id: profile_id.clone(),
        handle: &handle,
        name,
        server: None,
    };
    match save(caller, id, connect, target, Vec::new()).await {
        Err(Refusal::Conflict) => match find(caller, id).await?.1 {
            // The request still stands, so it was the handle that stood in the way.
            Some(still) if still.used_at.is_none() && still.expires_at > caller.now() => Err(
                ConnectFault::at(Field::Handle, "This handle is taken in your organisation. Choose another."),
            ),
            _ => Err(ConnectFault::Overtaken),
        },
        outcome => outcome.map_err(Into::into),
    }
}

fn faults_of_own(connect: &Connect, handle: &str, name: &str) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    match &connect.profile {
        Some(known) if known.handle != handle => {
            faults.push(FieldFault { field: Field::Handle, words: another_account(&known.handle) });
        }
        _ if !is_own_handle(handle) => faults.push(FieldFault {
            field: Field::Handle,
            words: "Use 2 to 40 of a–z, 0–9 and hyphens, with no hyphen at either end.".to_owned(),
        }),
        _ => {}
    }
    if !(1..=100).contains(&name.chars().count()) {
        let words = "Give a name of 1 to 100 characters.".to_owned();
        faults.push(FieldFault { field: Field::Name, words });
    }
    faults
}

fn is_own_handle(handle: &str) -> bool {
    (2..=40).contains(&handle.len())
        && !handle.starts_with('-')
        && !handle.ends_with('-')
        && handle.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Signs in to an account on another server with an app password.
async fn sign_in(
    caller: &Caller<'_>,
    id: &ConnectId,
    connect: &Connect,
    typed: &Typed,
) -> Result<(), ConnectFault> {
    let platform = caller.platform();
    let (server, handle) = address_of(platform, typed).map_err(ConnectFault::Fields)?;
    let credentials = SignIn { server: &server, identifier: &handle, secret: typed.app_password.trim() };
    let connector = networks::connector(connect.network);
    let session = connector
        .sign_in(credentials, link(platform))
        .await
        .map_err(|error| sign_in_fault(&error, &server))?;
    let identity =
        connector.identity(&session).filter(|_| !session.expose().is_empty()).ok_or_else(|| {
            ConnectFault::at(
                Field::Server,
                "The server accepted the sign-in but did not say whose account it is.",
            )
        })?;
    match &connect.profile {
        Some(known) if known.remote_id != identity.remote_id => {
            Err(ConnectFault::at(Field::Handle, another_account(&known.handle)))
        }
        _ => keep(caller, id, connect, &server, &identity, &session, typed).await,
    }
}

/// Saves a signed-in account with its sealed secrets. The profile of the same account is kept, with its history.
async fn keep(
    caller: &Caller<'_>,
    id: &ConnectId,
    connect: &Connect,
    server: &str,
    identity: &Identity,
    session: &Session,
    typed: &Typed,
) -> Result<(), ConnectFault> {
    let tenant = &caller.tenant().id;
    let present = store::PROFILE_OF_ACCOUNT.with([
        tenant.into(),
        (&connect.workspace_id).into(),
        connect.network.as_str().into(),
        identity.remote_id.as_str().into(),
    ]);
    let mut answer = caller.read(vec![store::TENANT_KEY.with([tenant.into()]), present]).await?;
    let vault = Vault::open(&caller.platform().config.keys, tenant, &answer.next_rows())?;
    let present: Option<Profile> = answer.next_first()?;
    let profile_id = present.as_ref().map_or_else(|| new_id(caller), |profile| profile.id.clone());
    let place = Place { tenant, profile: &profile_id, origin: server };
    let secret = |kind: Secret, text: &str, expires_at: Option<Timestamp>| {
        let sealed = vault.seal(caller.platform().entropy, &place, kind, text)?;
        Ok::<_, SealFault>(store::SECRET_SAVE.with([
            tenant.into(),
            (&profile_id).into(),
            kind.as_str().into(),
            server.into(),
            sealed.into(),
            expires_at.into(),
            caller.now().into(),
        ]))
    };
    let secrets = vec![
        secret(Secret::AppPassword, typed.app_password.trim(), None)?,
        secret(Secret::Session, session.expose(), session.expires_at)?,
    ];
    // A name that somebody here chose stays.
    let name = present
        .as_ref()
        .filter(|profile| profile.name != profile.account.handle)
        .map_or(identity.name.as_str(), |profile| profile.name.as_str());
    let target = Target {
        id: profile_id.clone(),
        handle: &identity.handle,
        name,
        remote_id: &identity.remote_id,
        server: Some(server),
    };
    save(caller, id, connect, target, secrets).await.map_err(Into::into)
}

/// The server's origin and the handle, if both can be used and there is an app password.
fn address_of(platform: &Platform<'_>, typed: &Typed) -> Result<(String, String), Vec<FieldFault>> {
    let mut faults = Vec::new();
    let mut fault = |field, words: &str| faults.push(FieldFault { field, words: words.to_owned() });
    let server = typed.server.trim();
    let server = if server.contains("://") { server.to_owned() } else { format!("https://{server}") };
    let address = GuardedClient::new(platform.http, platform.config).address(&server);
    if let Err(why) = &address {
        fault(Field::Server, why.sentence());
    }
    let handle = handle_of(&typed.handle);
    if handle.is_empty() || handle.len() > 253 || handle.contains(char::is_whitespace) {
        fault(Field::Handle, "Give the handle as the network shows it, such as name.bsky.social.");
    }
    if typed.app_password.trim().is_empty() {
        fault(Field::AppPassword, "Give an app password.");
    }
    match address {
        Ok(address) if faults.is_empty() => Ok((address.origin(), handle)),
        _ => Err(faults),
    }
}

/// A handle without `@`, spaces around it, and the invisible marks that come along when it is copied from a page.
fn handle_of(typed: &str) -> String {
    let is_mark = |letter: char| matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let visible: String = typed.chars().filter(|letter| !is_mark(*letter)).collect();
    visible.trim().trim_start_matches('@').to_owned()
}

/// What a failed sign-in means, beside the field that can mend it.
fn sign_in_fault(error: &NetworkError, server: &str) -> ConnectFault {
    let (field, words) = match (error.class, error.code.as_str()) {
        (_, "AuthFactorTokenRequired") => (
            Field::AppPassword,
            "That is the account's main password. Make an app password and type that instead.".to_owned(),
        ),
        (_, "AccountDeactivated" | "AccountTakedown") => {
            (Field::Handle, "The network says that this account is switched off.".to_owned())
        }
        (ErrorClass::Retry, "RateLimitExceeded" | "http_429") => (
            Field::Server,
            format!("{server} asks to wait: there were too many sign-ins. Try again in a few minutes."),
        ),
        (_, "unreadable_answer" | "http_404" | "http_405") => (
            Field::Server,
            format!("{server} does not answer like a server of this network. Check the address."),
        ),
        (ErrorClass::Reauthorise | ErrorClass::SessionOver, _) => (
            Field::AppPassword,
            "The server does not accept this handle with this app password. Check both; the app password may have been removed.".to_owned(),
        ),
        (ErrorClass::Retry | ErrorClass::Verify, _) => {
            (Field::Server, format!("{server} could not be reached. Check the address, or try again."))
        }
        _ => (Field::Server, format!("{server} refused the sign-in ({}).", error.code)),
    };
    ConnectFault::at(field, words)
}

fn another_account(handle: &str) -> String {
    format!(
        "This page connects @{handle} again. To connect another account, ask the assistant for a new address."
    )
}

fn new_id(caller: &Caller<'_>) -> ProfileId {
    ProfileId::new(caller.now(), caller.platform().entropy)
}

/// What a connector reaches the world by while nobody is signed in.
pub(super) fn link<'a>(platform: &Platform<'a>) -> Link<'a> {
    Link {
        web: GuardedClient::new(platform.http, platform.config),
        session: None,
        content_origin: &platform.config.content_origin,
        now: platform.now(),
    }
}
