//! The routing table: every path that is answered, on which origin, and what it is.

use super::RequestMethod::{self, Get, Post};

/// Which of the two origins a path belongs to. Each answers 404 to the other's paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Pages, OAuth and MCP.
    App,
    /// What tenants write.
    Content,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Whether the worker and its databases are well.
    Health,
    /// What an operator's shell may ask.
    Operator,
    /// The page that starts signing in, and takes the address of whoever wants a link.
    SignIn,
    /// A one-time sign-in link: shown, then used.
    SignInLink,
    /// Signs in by a passkey.
    SignInPasskey,
    /// Ends the session.
    SignOut,
    /// The script with which pages use passkeys.
    PasskeyScript,
    /// The signed-in person's account: browsers and ways to sign in.
    Account,
    /// Ends sessions from the account page.
    AccountSessions,
    /// Adds and removes passkeys from the account page.
    AccountPasskeys,
    /// Who the person is at providers of their organisations.
    AccountProviders,
    /// The signed-in person's tenants.
    Home,
    /// OAuth authorization endpoint.
    Authorize,
    /// The consent page.
    Consent,
    /// OAuth token endpoint.
    Token,
    /// OAuth dynamic client registration.
    Register,
    /// OAuth token revocation.
    Revoke,
    /// RFC 8414 metadata.
    ServerMetadata,
    /// RFC 9728 metadata of a tenant's MCP endpoint.
    ResourceMetadata,
    /// A tenant's MCP endpoint.
    Mcp,
    /// The same with the token in the address.
    McpByAddress,
    /// Personal access tokens: listed and made.
    Tokens,
    /// What an owner allows of them.
    TokensSetting,
    /// Ends one.
    TokenRevoke,
    /// A post, as a member sees it.
    PostPage,
    /// Cancels a post from its page.
    PostCancel,
    /// Says on its page what became of a post whose outcome is unknown.
    PostConfirm,
    /// The apps that a member has connected.
    Apps,
    /// A workspace's settings.
    Settings,
    /// Who did what in a tenant.
    Audit,
    /// The same as a file.
    AuditExport,
    /// Who belongs to a tenant, and invitations to it.
    Members,
    /// An invitation's link: shown, then accepted.
    Invitation,
    /// The OpenID providers and e-mail domains of a tenant.
    Providers,
    /// Signing in to a tenant: its providers.
    TenantSignIn,
    /// Sends a browser to a provider.
    ProviderSignIn,
    /// Takes it back from there.
    ProviderCallback,
    /// Connects an account.
    Connect,
    /// A Wall: a profile's public page.
    Wall,
    /// One entry of a Wall.
    WallEntry,
    /// A Wall as Atom.
    WallAtom,
    /// A Wall as JSON Feed.
    WallJson,
    /// A media file.
    Media,
}

impl Route {
    /// The route's name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Operator => "operator",
            Self::SignIn => "sign_in",
            Self::SignInLink => "sign_in_link",
            Self::SignInPasskey => "sign_in_passkey",
            Self::SignOut => "sign_out",
            Self::PasskeyScript => "passkey_script",
            Self::Account => "account",
            Self::AccountSessions => "account_sessions",
            Self::AccountPasskeys => "account_passkeys",
            Self::AccountProviders => "account_providers",
            Self::Home => "home",
            Self::Authorize => "authorize",
            Self::Consent => "consent",
            Self::Token => "token",
            Self::Register => "register",
            Self::Revoke => "revoke",
            Self::ServerMetadata => "server_metadata",
            Self::ResourceMetadata => "resource_metadata",
            Self::Mcp => "mcp",
            Self::McpByAddress => "mcp_by_address",
            Self::Tokens => "tokens",
            Self::TokensSetting => "tokens_setting",
            Self::TokenRevoke => "token_revoke",
            Self::PostPage => "post_page",
            Self::PostCancel => "post_cancel",
            Self::PostConfirm => "post_confirm",
            Self::Apps => "apps",
            Self::Settings => "settings",
            Self::Audit => "audit",
            Self::AuditExport => "audit_export",
            Self::Members => "members",
            Self::Invitation => "invitation",
            Self::Providers => "providers",
            Self::TenantSignIn => "tenant_sign_in",
            Self::ProviderSignIn => "provider_sign_in",
            Self::ProviderCallback => "provider_callback",
            Self::Connect => "connect",
            Self::Wall => "wall",
            Self::WallEntry => "wall_entry",
            Self::WallAtom => "wall_atom",
            Self::WallJson => "wall_json",
            Self::Media => "media",
        }
    }
}

struct Entry {
    origin: Origin,
    pattern: &'static str,
    methods: &'static [RequestMethod],
    route: Route,
}

const fn on(origin: Origin, pattern: &'static str, methods: &'static [RequestMethod], route: Route) -> Entry {
    Entry { origin, pattern, methods, route }
}

const TABLE: &[Entry] = &[
    on(Origin::App, "/healthz", &[Get], Route::Health),
    on(Origin::App, "/operator", &[Post], Route::Operator),
    on(Origin::App, "/sign-in", &[Get, Post], Route::SignIn),
    on(Origin::App, "/sign-in/link/{}", &[Get, Post], Route::SignInLink),
    on(Origin::App, "/sign-in/passkey", &[Post], Route::SignInPasskey),
    on(Origin::App, "/sign-out", &[Post], Route::SignOut),
    on(Origin::App, "/passkeys.js", &[Get], Route::PasskeyScript),
    on(Origin::App, "/account", &[Get], Route::Account),
    on(Origin::App, "/account/sessions", &[Post], Route::AccountSessions),
    on(Origin::App, "/account/passkeys", &[Post], Route::AccountPasskeys),
    on(Origin::App, "/account/providers", &[Get, Post], Route::AccountProviders),
    on(Origin::App, "/", &[Get], Route::Home),
    on(Origin::App, "/authorize", &[Get], Route::Authorize),
    on(Origin::App, "/consent/{}", &[Get, Post], Route::Consent),
    on(Origin::App, "/token", &[Post], Route::Token),
    on(Origin::App, "/register", &[Post], Route::Register),
    on(Origin::App, "/revoke", &[Post], Route::Revoke),
    on(Origin::App, "/.well-known/oauth-authorization-server", &[Get], Route::ServerMetadata),
    on(Origin::App, "/.well-known/oauth-protected-resource/{}/mcp", &[Get], Route::ResourceMetadata),
    on(Origin::App, "/{}/mcp", &[Get, Post, RequestMethod::Delete, RequestMethod::Other], Route::Mcp),
    on(Origin::App, "/{}/mcp/{}", &[Post], Route::McpByAddress),
    on(Origin::App, "/{}/tokens", &[Get, Post], Route::Tokens),
    on(Origin::App, "/{}/tokens/setting", &[Post], Route::TokensSetting),
    on(Origin::App, "/{}/tokens/{}/revoke", &[Post], Route::TokenRevoke),
    on(Origin::App, "/{}/posts/{}", &[Get], Route::PostPage),
    on(Origin::App, "/{}/posts/{}/cancel", &[Post], Route::PostCancel),
    on(Origin::App, "/{}/posts/{}/confirm", &[Post], Route::PostConfirm),
    on(Origin::App, "/{}/apps", &[Get, Post], Route::Apps),
    on(Origin::App, "/{}/settings/{}", &[Get, Post], Route::Settings),
    on(Origin::App, "/{}/audit", &[Get], Route::Audit),
    on(Origin::App, "/{}/audit/export", &[Post], Route::AuditExport),
    on(Origin::App, "/{}/members", &[Get, Post], Route::Members),
    on(Origin::App, "/{}/invitation/{}", &[Get, Post], Route::Invitation),
    on(Origin::App, "/{}/providers", &[Get, Post], Route::Providers),
    on(Origin::App, "/{}/sign-in", &[Get], Route::TenantSignIn),
    on(Origin::App, "/{}/sign-in/{}", &[Get], Route::ProviderSignIn),
    on(Origin::App, "/{}/sign-in/{}/callback", &[Get], Route::ProviderCallback),
    on(Origin::App, "/{}/connect/{}", &[Get, Post], Route::Connect),
    on(Origin::Content, "/media/{}/{}/{}", &[Get], Route::Media),
    on(Origin::Content, "/{}/{}", &[Get], Route::Wall),
    on(Origin::Content, "/{}/{}/feed.atom", &[Get], Route::WallAtom),
    on(Origin::Content, "/{}/{}/feed.json", &[Get], Route::WallJson),
    on(Origin::Content, "/{}/{}/{}", &[Get], Route::WallEntry),
];

/// Names that no tenant may have although no route of ours starts with them: the platform's own.
const PLATFORM_NAMES: [&str; 3] = ["cdn-cgi", ".well-known", "www"];

/// Every path there is: its origin, its pattern, in which `{}` stands for a variable segment, and its methods.
pub fn paths() -> impl Iterator<Item = (Origin, &'static str, &'static [RequestMethod])> {
    TABLE.iter().map(|entry| (entry.origin, entry.pattern, entry.methods))
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed<'a> {
    /// To this route, with the values of its variable segments.
    To(Route, Vec<&'a str>),
    /// The path is answered, but to these methods only.
    OtherMethods(Route, Vec<&'static str>),
    /// Nowhere.
    Nowhere,
}

/// Finds the route of a path; one trailing slash is ignored.
pub fn route(origin: Origin, method: RequestMethod, path: &str) -> Routed<'_> {
    let path = path.strip_suffix('/').filter(|rest| !rest.is_empty() && !rest.ends_with('/')).unwrap_or(path);
    let found = TABLE
        .iter()
        .filter(|entry| entry.origin == origin)
        .find_map(|entry| matched(entry.pattern, path).map(|values| (entry, values)));
    match found {
        None => Routed::Nowhere,
        Some((entry, values)) if method == RequestMethod::Options || entry.methods.contains(&method) => {
            Routed::To(entry.route, values)
        }
        // A Wall's path may be one of the other origin's: to what nobody reads with, it is not there.
        Some((entry, _)) if entry.origin == Origin::Content => Routed::Nowhere,
        Some((entry, _)) => {
            let allowed = entry.methods.iter().filter_map(|method| method.name()).collect();
            Routed::OtherMethods(entry.route, allowed)
        }
    }
}

/// The first segments of all routes and the platform's own names: no tenant may be called so.
pub fn reserved_names() -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .filter_map(|entry| entry.pattern.split('/').nth(1))
        .filter(|segment| !segment.is_empty() && *segment != "{}")
        .chain(PLATFORM_NAMES)
}

fn matched<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut values = Vec::new();
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(values),
            (Some("{}"), Some(value)) if !value.is_empty() => values.push(value),
            (Some(literal), Some(segment)) if literal == segment => {}
            _ => return None,
        }
    }
}
