//! Authorization codes (RFC 6749 section 4.1.3): hashed, 60 seconds, redeemed once.

use data_encoding::BASE64URL_NOPAD;

use super::{
    client::{AuthMethod, Presented},
    grant::{self, End, Holder},
    params::Params,
    pkce::Challenge,
    refresh,
    store::shard as sql,
    token::{TokenFault, Tokens, check_resource},
};
use crate::{
    desk::{Act, Caller, GrantId, Tenant, TenantId, UserId, token_hash},
    platform::{
        Entropy, FromRow, Platform, Row, RowFault, Sealed, Timestamp, Value, first, only, random_array,
    },
    tenants,
};

/// A code, and a grant that was not redeemed, live for 60 seconds.
pub(super) const LIFE_SECONDS: i64 = 60;

/// The act of redeeming one.
const REDEEM: &str = "redeem_code";

/// A code: the tenant in clear, then a secret. It cannot be printed.
pub(super) struct Code {
    tenant_id: TenantId,
    secret: String,
}

impl Code {
    /// A fresh code.
    pub(super) fn new(tenant_id: TenantId, entropy: &dyn Entropy) -> Self {
        Self { tenant_id, secret: BASE64URL_NOPAD.encode(&random_array::<32>(entropy)) }
    }

    fn parse(text: &str) -> Option<Self> {
        let (tenant, secret) = text.split_once('.')?;
        Some(Self { tenant_id: tenant.parse().ok()?, secret: secret.to_owned() })
    }

    /// The code, for the client that it is issued to.
    pub(super) fn expose(&self) -> String {
        format!("{}.{}", self.tenant_id, self.secret)
    }

    /// What is stored of it.
    pub(super) fn hash(&self) -> String {
        token_hash(&self.secret)
    }
}

/// A code as it is stored, with its grant.
struct Issued {
    grant_id: GrantId,
    generation: i64,
    user_id: UserId,
    client_id: String,
    client_auth: AuthMethod,
    redirect_uri: String,
    redirect_given: bool,
    challenge: String,
    resource: String,
    offline: bool,
    consented_at: Timestamp,
    used_at: Option<Timestamp>,
    wrapped_key: Sealed,
}

impl FromRow for Issued {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            grant_id: row.get("grant_id")?,
            generation: row.get("generation")?,
            user_id: row.get("user_id")?,
            client_id: row.get("client_id")?,
            client_auth: row.get("client_auth")?,
            redirect_uri: row.get("redirect_uri")?,
            redirect_given: row.get("redirect_given")?,
            challenge: row.get("challenge")?,
            resource: row.get("resource")?,
            offline: row.get("offline")?,
            consented_at: row.get("consented_at")?,
            used_at: row.get("used_at")?,
            wrapped_key: row.get("wrapped_key")?,
        })
    }
}

impl Issued {
    fn holder(&self, tenant: &Tenant) -> Holder {
        Holder {
            tenant: tenant.clone(),
            grant_id: self.grant_id.clone(),
            generation: self.generation,
            user_id: self.user_id.clone(),
            client_id: self.client_id.clone(),
        }
    }

    /// Whether whoever presents the code is the client that asked for it (RFC 7636 section 4.6).
    fn is_proven_by(&self, client: &Presented, verifier: &str) -> bool {
        let challenge = Challenge::parse(&self.challenge);
        self.client_id == client.id && challenge.is_some_and(|challenge| challenge.answered_by(verifier))
    }

    /// RFC 6749 section 4.1.3: named at authorize, it must be named again, identically.
    fn is_for_address(&self, named: Option<&str>) -> bool {
        match named {
            Some(named) => named == self.redirect_uri,
            None => !self.redirect_given,
        }
    }
}

/// Redeems a code. Everything is checked before the code is used up, so that a stranger's attempt costs an honest client
/// nothing; using it up while it is unused and in time, letting the grant live on and beginning its refresh family are one
/// batch, which one caller wins. `from`: the network that it is redeemed from.
pub(super) async fn redeem(
    platform: &Platform<'_>,
    client: &Presented,
    parameters: &Params,
    from: Option<&str>,
) -> Result<Tokens, TokenFault> {
    let code = parameters.get("code").ok_or(TokenFault::Parameter("code is missing."))?;
    let verifier =
        parameters.get("code_verifier").ok_or(TokenFault::Parameter("code_verifier is missing."))?;
    let code = Code::parse(code).ok_or(TokenFault::Grant)?;
    let tenant = tenants::find_by_id(platform, &code.tenant_id).await?.ok_or(TokenFault::Grant)?;
    let issued = find(platform, &tenant, &code).await?;
    let holder = issued.holder(&tenant);
    let proven = issued.is_proven_by(client, verifier);
    if issued.used_at.is_some() && !proven {
        holder.end(platform, End::CodeStolen).await?;
        return Err(TokenFault::Grant);
    }
    let redeemed = async {
        if !proven || !issued.is_for_address(parameters.get("redirect_uri")) {
            return Err(TokenFault::Grant);
        }
        check_resource(platform, parameters, &issued.resource)?;
        client.prove(platform, issued.client_auth).await?;
        use_up(platform, holder.clone(), &code, &issued, from).await
    };
    let redeemed = redeemed.await;
    if let Err(fault) = &redeemed {
        fault.note(platform, &holder, REDEEM).await;
    }
    redeemed
}

async fn find(platform: &Platform<'_>, tenant: &Tenant, code: &Code) -> Result<Issued, TokenFault> {
    let shard = platform.shard(tenant.shard).ok_or(TokenFault::Unavailable)?;
    let find = sql::FIND_CODE.with([Value::from(&tenant.id), code.hash().into()]);
    first(&only(shard, find).await?)?.ok_or(TokenFault::Grant)
}

async fn use_up(
    platform: &Platform<'_>,
    holder: Holder,
    code: &Code,
    issued: &Issued,
    from: Option<&str>,
) -> Result<Tokens, TokenFault> {
    let now = platform.now();
    let ends = if issued.offline {
        issued.consented_at.plus_seconds(grant::LIFE_SECONDS)
    } else {
        now.plus_seconds(platform.config.access_token_seconds)
    };
    let tenant = || Value::from(&holder.tenant.id);
    let mut statements = vec![
        sql::USE_CODE.with([tenant(), code.hash().into(), now.into()]),
        Caller::require_changes(1),
        sql::BEGIN_GRANT.with([
            tenant(),
            (&holder.grant_id).into(),
            now.into(),
            ends.into(),
            from.map_or(Value::Null, Value::from),
        ]),
    ];
    let mut first_refresh = None;
    if issued.offline {
        let (token, add) = refresh::begin(platform, &holder, &issued.resource, &issued.wrapped_key, ends)?;
        statements.push(add);
        first_refresh = Some(token);
    }
    let act = Act { name: REDEEM, subjects: &[holder.grant_id.as_str()] };
    let facts = holder.caller(platform)?.write(act, statements).await?.facts;
    Ok(Tokens { scopes: facts.allowed, resource: issued.resource.clone(), refresh: first_refresh, holder })
}
