//! The way to a provider and back (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207).

use data_encoding::BASE64URL_NOPAD;
use url::Url;

use super::{Asserted, KnownProvider, UpstreamFault, discovery::Metadata, id_token};
use crate::{
    desk::{Act, ProviderId, Tenant, refusal_of_stranger, sha256_text},
    http::{Query, Request, Response},
    identity::{
        Session,
        browser::{self, KnownBrowser},
        challenge::{self, Challenge, Use},
        session,
    },
    platform::{Config, DatabaseFault, Event, Platform, Purpose, only},
};

/// What a person sets out to a provider for.
#[derive(Clone, Copy)]
pub enum Intent<'a> {
    /// To sign in; `again` has the provider ask the person anew.
    SignIn {
        /// Whether a sign-in is there already and is not recent enough.
        again: bool,
    },
    /// To link who the person is there to the person of this session.
    Link(&'a Session),
}

/// What a person came back for.
pub enum Errand {
    /// To be signed in.
    SignIn,
    /// To link who they are there to the person of this session.
    Link(Box<Session>),
}

/// Somebody whom a provider vouches for, back in the browser that set out.
pub struct Arrival {
    /// Who it is there.
    pub asserted: Asserted,
    /// What for.
    pub errand: Errand,
}

/// The address that a provider sends people back to: each provider has its own (RFC 9700 section 4.4.2).
pub fn callback_address(config: &Config, tenant: &Tenant, provider: &ProviderId) -> String {
    format!("{}/{}/sign-in/{provider}/callback", config.public_origin, tenant.safename)
}

/// What a state is bound to, besides what it is for.
struct Binding<'a> {
    tenant: &'a Tenant,
    provider: &'a ProviderId,
    browser: &'a str,
}

impl Binding<'_> {
    fn signing_in(&self) -> String {
        format!("{}\n{}\n{}", self.tenant.id, self.provider, self.browser)
    }

    fn linking(&self, session: &Session) -> String {
        format!("{}\n{}", self.signing_in(), session.hash)
    }
}

/// A secret that belongs to a state and is written nowhere: the nonce, or the verifier of PKCE.
fn of_state(platform: &Platform<'_>, state: &str, what: &str) -> Option<String> {
    let text = BASE64URL_NOPAD.decode(state.as_bytes()).ok()?;
    let id = std::str::from_utf8(&text).ok()?.split('.').next()?;
    let key = platform.config.keys.by_id(id, Purpose::UpstreamState)?;
    Some(BASE64URL_NOPAD.encode(&key.hmac(format!("{what}\n{state}").as_bytes())))
}

fn nonce(platform: &Platform<'_>, state: &str) -> Result<String, UpstreamFault> {
    of_state(platform, state, "nonce").ok_or(UpstreamFault::State)
}

fn verifier(platform: &Platform<'_>, state: &str) -> Result<String, UpstreamFault> {
    of_state(platform, state, "verifier").ok_or(UpstreamFault::State)
}

/// Sends a browser to a provider (section 3.1.2.1). Nothing is written down.
///
/// # Errors
/// When the provider does not describe itself well.
pub async fn depart(
    platform: &Platform<'_>,
    request: &Request,
    tenant: &Tenant,
    known: &KnownProvider,
    intent: Intent<'_>,
) -> Result<Response, UpstreamFault> {
    let provider = &known.provider;
    let metadata = Metadata::of(platform, &provider.issuer).await?;
    let browser = KnownBrowser::of(platform, request);
    let binding = Binding { tenant, provider: &provider.id, browser: &browser.hash() };
    let state = match intent {
        Intent::SignIn { .. } => {
            challenge::new_challenge(platform, Use::SignInUpstream, &binding.signing_in())
        }
        Intent::Link(session) => {
            challenge::new_challenge(platform, Use::LinkUpstream, &binding.linking(session))
        }
    };
    let mut location =
        Url::parse(&metadata.authorization_endpoint).map_err(|_| UpstreamFault::Description)?;
    location
        .query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", &callback_address(platform.config, tenant, &provider.id))
        .append_pair("scope", "openid email profile")
        .append_pair("state", &state)
        .append_pair("nonce", &nonce(platform, &state)?)
        .append_pair("code_challenge", &sha256_text(verifier(platform, &state)?.as_bytes()))
        .append_pair("code_challenge_method", "S256");
    if matches!(intent, Intent::SignIn { again: true }) {
        location.query_pairs_mut().append_pair("prompt", "login");
    }
    let response =
        Response::see_other(location.as_str()).no_store().with_header("referrer-policy", "no-referrer");
    Ok(browser.keep(platform, response))
}

/// Takes a browser back that a provider sent (sections 3.1.2.5 to 3.1.3.7): checks and uses up the state, then the issuer,
/// redeems the code and checks the ID token.
///
/// # Errors
/// Why nobody is vouched for.
pub async fn arrive(
    platform: &Platform<'_>,
    request: &Request,
    tenant: &Tenant,
    known: &KnownProvider,
) -> Result<Arrival, UpstreamFault> {
    let query = request.query();
    let provider = &known.provider;
    let given = query.get("state").filter(|_| query.repeated().is_none());
    let state = given.ok_or(UpstreamFault::State)?;
    let (challenge, errand) =
        find_errand(platform, request, tenant, &provider.id, state).await?.ok_or(UpstreamFault::State)?;
    only(platform.directory, challenge.use_up()).await.map_err(|fault| match fault {
        DatabaseFault::Aborted(_) => UpstreamFault::State,
        _ => UpstreamFault::Database,
    })?;
    let metadata = Metadata::of(platform, &provider.issuer).await?;
    check_answer(&query, &metadata, &provider.issuer)?;
    let code = query.get("code").filter(|code| !code.is_empty()).ok_or(UpstreamFault::ProviderError)?;
    let secret = known.secret(platform, &tenant.id).ok_or(UpstreamFault::Database)?;
    let redemption = id_token::Redemption {
        client_id: &provider.client_id,
        secret: &secret,
        code,
        verifier: &verifier(platform, state)?,
        redirect_uri: &callback_address(platform.config, tenant, &provider.id),
    };
    let token = redemption.redeem(platform, &metadata).await?;
    let wanted = id_token::Wanted {
        issuer: &provider.issuer,
        client_id: &provider.client_id,
        nonce: &nonce(platform, state)?,
    };
    let asserted = wanted.check(platform, &metadata, &token).await?;
    Ok(Arrival { asserted, errand })
}

/// What a state was made for, if it is this browser's.
async fn find_errand(
    platform: &Platform<'_>,
    request: &Request,
    tenant: &Tenant,
    provider: &ProviderId,
    state: &str,
) -> Result<Option<(Challenge, Errand)>, UpstreamFault> {
    let Some(browser) = browser::known_hash(platform, request) else { return Ok(None) };
    let Ok(text) = BASE64URL_NOPAD.decode(state.as_bytes()) else { return Ok(None) };
    let binding = Binding { tenant, provider, browser: &browser };
    let signing_in = challenge::answered(platform, Use::SignInUpstream, &binding.signing_in(), &text);
    if let Some(challenge) = signing_in {
        return Ok(Some((challenge, Errand::SignIn)));
    }
    let Some(session) = session::session(platform, request).await? else { return Ok(None) };
    let linking = challenge::answered(platform, Use::LinkUpstream, &binding.linking(&session), &text);
    Ok(linking.map(|challenge| (challenge, Errand::Link(Box::new(session)))))
}

/// The issuer of an answer first (RFC 9207 section 2.4), whether it is an error or not; then whether it is one.
fn check_answer(query: &Query, metadata: &Metadata, issuer: &str) -> Result<(), UpstreamFault> {
    match query.get("iss") {
        Some(given) if given != issuer => return Err(UpstreamFault::OtherIssuer),
        None if metadata.authorization_response_iss_parameter_supported => {
            return Err(UpstreamFault::OtherIssuer);
        }
        _ => {}
    }
    match query.get("error") {
        None => Ok(()),
        Some("access_denied") => Err(UpstreamFault::Declined),
        Some(_) => Err(UpstreamFault::ProviderError),
    }
}

/// Writes into the tenant's audit that nobody was signed in or linked. A shard that does not take it changes nothing about
/// the refusal; faults of ours are none.
pub async fn note_refusal(
    platform: &Platform<'_>,
    tenant: &Tenant,
    provider: &ProviderId,
    fault: UpstreamFault,
) {
    let (Some(outcome), Some(shard)) = (fault.outcome(), platform.shard(tenant.shard)) else { return };
    let act = Act { name: "sign_in_through_provider", subjects: &[provider.as_str()] };
    if only(shard, refusal_of_stranger(platform, &tenant.id, &act, outcome)).await.is_err() {
        platform.events.emit(Event::Fault { place: "audit_refusal", kind: "database" });
    }
}
