//! Token revocation (RFC 7009): a client gives a token back, and its grant ends.

use super::{
    access_token::{self, Audience},
    client::{PresentFault, Presented},
    grant::{End, Holder},
    params::Params,
    refresh::{self, RefreshToken},
    token::TokenFault,
    wire,
};
use crate::{
    http::{Request, Response},
    platform::{DatabaseFault, Platform},
    tenants,
};

enum RevokeFault {
    Malformed,
    Client,
    Unavailable,
}

impl From<PresentFault> for RevokeFault {
    fn from(fault: PresentFault) -> Self {
        match fault {
            PresentFault::NoId | PresentFault::Assertion => Self::Malformed,
            PresentFault::Unknown => Self::Client,
            PresentFault::Unavailable => Self::Unavailable,
        }
    }
}

impl From<DatabaseFault> for RevokeFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Unavailable
    }
}

impl From<TokenFault> for RevokeFault {
    fn from(_: TokenFault) -> Self {
        Self::Unavailable
    }
}

/// RFC 7009 section 2.2.1.
fn wire_error(fault: &RevokeFault) -> Response {
    match fault {
        RevokeFault::Malformed => {
            wire::error(400, "invalid_request", "Send token and client_id once each, as a form.")
        }
        RevokeFault::Client => wire::error(
            401,
            "invalid_client",
            "The client is not registered, or did not prove itself by private_key_jwt as it must.",
        ),
        RevokeFault::Unavailable => wire::unavailable(),
    }
}

/// `POST /revoke`: 200 whether or not there was anything to end, so that nobody learns which tokens are good. Another
/// client's token is left alone. What is given back while its tenant is closed is over too, should the tenant open again.
pub async fn revoke(platform: &Platform<'_>, request: &Request) -> Response {
    match try_revoke(platform, request).await {
        Ok(()) => wire::json(200, &serde_json::json!({})),
        Err(fault) => wire_error(&fault),
    }
}

async fn try_revoke(platform: &Platform<'_>, request: &Request) -> Result<(), RevokeFault> {
    let form = request.form().ok_or(RevokeFault::Malformed)?;
    let parameters = Params::once(form).map_err(|_| RevokeFault::Malformed)?;
    let token = parameters.get("token").ok_or(RevokeFault::Malformed)?;
    let client = Presented::read(platform, request, &parameters).await?;
    match holder_of(platform, token).await? {
        Some(holder) if holder.client_id == client.id => {
            let proved = client.prove(platform, holder.client_auth(platform).await?).await;
            if proved == Err(PresentFault::Unknown) {
                holder.note_denial(platform, REVOKE, "invalid_client").await;
            }
            proved?;
            Ok(holder.end(platform, End::ByClient).await?)
        }
        Some(holder) => {
            holder.note_denial(platform, REVOKE, "invalid_client").await;
            Ok(())
        }
        None => Ok(()),
    }
}

/// What a client is refused that holds another's token.
const REVOKE: &str = "revoke_token";

/// Whose a genuine token is. The hint of RFC 7009 section 2.1 is not needed to tell the kinds apart.
async fn holder_of(platform: &Platform<'_>, token: &str) -> Result<Option<Holder>, RevokeFault> {
    if let Some(token) = RefreshToken::parse(token) {
        return Ok(refresh::holder_of(platform, &token).await?);
    }
    let Some(verified) = access_token::verify(platform.config, platform.now(), token, Audience::Any) else {
        return Ok(None);
    };
    let tenant = tenants::find_even_closed(platform, &verified.tenant_id).await?;
    Ok(tenant.map(|tenant| Holder {
        tenant,
        grant_id: verified.grant_id,
        generation: verified.generation,
        user_id: verified.user_id,
        client_id: verified.client_id,
    }))
}
