//! Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14).
//!
//! A family is one row: the current token's number and a sealed secret. Token n is `tenant.family.n.HMAC(secret, n)`, so
//! that rotating stores nothing but a number, the same token can be given again after a lost reply, and neither the
//! database nor the keys alone are enough to forge one.

use data_encoding::BASE64URL_NOPAD;

use super::{
    client::{AuthMethod, Presented},
    grant::{End, Holder},
    params::Params,
    store::shard as sql,
    token::{TokenFault, Tokens, check_resource},
};
use crate::{
    desk::{Caller, FamilyId, GrantId, Refusal, Scope, Scopes, Tenant, TenantId, UserId},
    platform::{
        Config, FromRow, Platform, Row, RowFault, SealFault, Sealed, SecretKey, Statement, Timestamp, Value,
        first, only, random_array,
    },
    tenants,
};

/// A family ends 30 days after its last use.
const IDLE_SECONDS: i64 = 30 * 86_400;
/// A token may be repeated for 120 s after its successor was used first.
const GRACE_SECONDS: i64 = 120;
/// Most first uses that a family remembers.
const MOST_USES: usize = 32;
/// Last use is written at most once an hour.
const TOUCH_SECONDS: i64 = 3600;
/// Parallel refreshes of one family that overtake one call before it gives up.
const MOST_ATTEMPTS: usize = 8;

/// A refresh token. It cannot be printed.
pub(super) struct RefreshToken {
    tenant_id: TenantId,
    family_id: FamilyId,
    number: i64,
    tag: Vec<u8>,
}

impl RefreshToken {
    fn make(tenant_id: TenantId, family_id: FamilyId, number: i64, secret: &SecretKey) -> Self {
        let tag = secret.hmac(number.to_string().as_bytes()).to_vec();
        Self { tenant_id, family_id, number, tag }
    }

    /// Parses a token's four parts. Nothing is known of its worth yet.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (tenant, family, number, tag) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let written: i64 = number.parse().ok()?;
        let well_formed = parts.next().is_none() && written.to_string() == number;
        well_formed.then_some(())?;
        Some(Self {
            tenant_id: tenant.parse().ok()?,
            family_id: family.parse().ok()?,
            number: written,
            tag: BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?,
        })
    }

    /// The token, for the client that it is issued to.
    pub(super) fn expose(&self) -> String {
        let tag = BASE64URL_NOPAD.encode(&self.tag);
        format!("{}.{}.{}.{tag}", self.tenant_id, self.family_id, self.number)
    }

    fn is_made_with(&self, secret: &SecretKey) -> bool {
        secret.verify(self.number.to_string().as_bytes(), &self.tag)
    }
}

/// What a genuine token is to its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The newest: it is rotated. So is one that is newer than the row, which a restore from backup put back.
    Newest,
    /// Its successor was never used, or not long ago: a lost reply or a parallel refresh. The current pair is given.
    Superseded,
    /// Older: somebody holds a copy.
    Replayed,
}

/// A family as it is stored, with its grant.
struct Family {
    id: FamilyId,
    holder: Holder,
    client_auth: AuthMethod,
    secret: SecretKey,
    resource: String,
    granted: Scopes,
    number: i64,
    /// When each of the tokens before the current one was used first, the latest last.
    first_uses: Vec<Timestamp>,
    expires_at: Timestamp,
    ended: bool,
    grant_used_at: Option<Timestamp>,
    grant_expires_at: Timestamp,
}

struct FamilyRow {
    grant_id: GrantId,
    generation: i64,
    user_id: UserId,
    client_id: String,
    client_auth: AuthMethod,
    secret: Sealed,
    wrapped_key: Sealed,
    resource: String,
    granted: Scopes,
    number: i64,
    first_uses: Vec<Timestamp>,
    expires_at: Timestamp,
    ended_at: Option<Timestamp>,
    grant_used_at: Option<Timestamp>,
    grant_expires_at: Timestamp,
}

impl FromRow for FamilyRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let uses: String = row.get("first_uses")?;
        Ok(Self {
            grant_id: row.get("grant_id")?,
            generation: row.get("generation")?,
            user_id: row.get("user_id")?,
            client_id: row.get("client_id")?,
            client_auth: row.get("client_auth")?,
            secret: row.get("secret")?,
            wrapped_key: row.get("wrapped_key")?,
            resource: row.get("resource")?,
            granted: row.get("capabilities")?,
            number: row.get("token_number")?,
            first_uses: serde_json::from_str(&uses).map_err(|_| RowFault { column: "first_uses" })?,
            expires_at: row.get("expires_at")?,
            ended_at: row.get("ended_at")?,
            grant_used_at: row.get("used_at")?,
            grant_expires_at: row.get("grant_expires_at")?,
        })
    }
}

impl FamilyRow {
    fn open(self, config: &Config, tenant: &Tenant, id: FamilyId) -> Result<Family, SealFault> {
        let key = config.keys.tenant_key(tenant.id.as_str(), &self.wrapped_key)?;
        let secret = key.open(&secret_place(config, &tenant.id, &id), &self.secret)?;
        let secret = <[u8; 32]>::try_from(secret).map_err(|_| SealFault)?;
        Ok(Family {
            id,
            secret: SecretKey::from_bytes(secret),
            holder: Holder {
                tenant: tenant.clone(),
                grant_id: self.grant_id,
                generation: self.generation,
                user_id: self.user_id,
                client_id: self.client_id,
            },
            client_auth: self.client_auth,
            resource: self.resource,
            granted: self.granted,
            number: self.number,
            first_uses: self.first_uses,
            expires_at: self.expires_at,
            ended: self.ended_at.is_some(),
            grant_used_at: self.grant_used_at,
            grant_expires_at: self.grant_expires_at,
        })
    }
}

/// Where a family's secret stands and what it is for; sealed for one family, it opens for no other.
fn secret_place<'a>(config: &'a Config, tenant: &'a TenantId, family: &'a FamilyId) -> [&'a str; 6] {
    ["refresh", tenant.as_str(), "refresh_family", family.as_str(), "secret", &config.public_origin]
}

impl Family {
    fn token(&self, number: i64) -> RefreshToken {
        RefreshToken::make(self.holder.tenant.id.clone(), self.id.clone(), number, &self.secret)
    }

    fn is_live(&self, now: Timestamp) -> bool {
        !self.ended && now < self.expires_at
    }

    fn standing(&self, number: i64, now: Timestamp) -> Standing {
        if number >= self.number {
            return Standing::Newest;
        }
        // The token before the current one has a successor that was never used; the one before that has the token whose
        // first use is the latest; and so on.
        let Some(back) = self.number.checked_sub(number + 2).filter(|back| *back >= 0) else {
            return Standing::Superseded;
        };
        let successor_used =
            usize::try_from(back).ok().and_then(|back| self.first_uses.iter().rev().nth(back));
        match successor_used {
            Some(used) if now < used.plus_seconds(GRACE_SECONDS) => Standing::Superseded,
            _ => Standing::Replayed,
        }
    }

    /// The first uses to remember once the newest token is used at `now`.
    fn uses_after(&self, now: Timestamp) -> String {
        let forgotten = (self.first_uses.len() + 1).saturating_sub(MOST_USES);
        let uses: Vec<Timestamp> = self.first_uses.iter().skip(forgotten).copied().chain([now]).collect();
        serde_json::json!(uses).to_string()
    }

    fn expiry(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(IDLE_SECONDS).min(self.grant_expires_at)
    }

    /// Makes the token after `number` the current one.
    fn rotate(&self, number: i64, now: Timestamp, from: Option<&str>) -> Vec<Statement> {
        let rotate = sql::ROTATE_FAMILY.with([
            Value::from(&self.holder.tenant.id),
            (&self.id).into(),
            self.number.into(),
            (number + 1).into(),
            now.into(),
            self.uses_after(now).into(),
            self.expiry(now).into(),
        ]);
        let touched = self.grant_used_at.is_some_and(|used| now < used.plus_seconds(TOUCH_SECONDS));
        let touch = sql::TOUCH_GRANT.with([
            Value::from(&self.holder.tenant.id),
            (&self.holder.grant_id).into(),
            now.into(),
            from.map_or(Value::Null, Value::from),
        ]);
        [rotate, Caller::require_changes(1)].into_iter().chain((!touched).then_some(touch)).collect()
    }

    /// Tries once to give a pair for this family's `token`, whose client has proved itself.
    async fn attempt(
        &self,
        platform: &Platform<'_>,
        token: &RefreshToken,
        parameters: &Params,
        from: Option<&str>,
    ) -> Result<Attempt, TokenFault> {
        check_resource(platform, parameters, &self.resource)?;
        let scopes = narrowed(self.granted, parameters.get("scope"))?;
        let now = platform.now();
        if !self.is_live(now) {
            return Err(TokenFault::Grant);
        }
        let (number, statements) = match self.standing(token.number, now) {
            Standing::Newest => (token.number + 1, self.rotate(token.number, now, from)),
            Standing::Superseded => (self.number, self.repeat(now)),
            Standing::Replayed => return Ok(Attempt::Replay),
        };
        match self.holder.caller(platform)?.keep_up(statements).await {
            Ok(answer) => Ok(Attempt::Won { number, scopes: scopes.intersection(answer.facts.allowed) }),
            Err(Refusal::Conflict) => Ok(Attempt::Overtaken),
            Err(refusal) => Err(refusal.into()),
        }
    }

    fn repeat(&self, now: Timestamp) -> Vec<Statement> {
        let count = sql::COUNT_REPEAT.with([
            Value::from(&self.holder.tenant.id),
            (&self.id).into(),
            self.number.into(),
            now.into(),
            self.expiry(now).into(),
        ]);
        vec![count, Caller::require_changes(1)]
    }
}

/// A new family's first token, and the statement that adds the family.
pub(super) fn begin(
    platform: &Platform<'_>,
    holder: &Holder,
    resource: &str,
    wrapped_key: &Sealed,
    grant_expires_at: Timestamp,
) -> Result<(RefreshToken, Statement), TokenFault> {
    let now = platform.now();
    let tenant_id = &holder.tenant.id;
    let id = FamilyId::new(now, platform.entropy);
    let secret: [u8; 32] = random_array(platform.entropy);
    let sealed = platform
        .config
        .keys
        .tenant_key(tenant_id.as_str(), wrapped_key)
        .and_then(|key| key.seal(platform.entropy, &secret_place(platform.config, tenant_id, &id), &secret))
        .map_err(|_| TokenFault::Unavailable)?;
    let add = sql::ADD_FAMILY.with([
        Value::from(tenant_id),
        (&id).into(),
        (&holder.grant_id).into(),
        sealed.into(),
        resource.into(),
        1_i64.into(),
        now.into(),
        now.plus_seconds(IDLE_SECONDS).min(grant_expires_at).into(),
    ]);
    Ok((RefreshToken::make(tenant_id.clone(), id, 1, &SecretKey::from_bytes(secret)), add))
}

/// Gives a new pair for a refresh token. Rotating is one conditional update: of parallel calls one wins, and the others
/// read again and give the pair that it made. The gate in its batch checks membership, role and tenant again, and what
/// the role has come to forbid is not in the new access token. `from`: the network that it is asked from.
pub(super) async fn refresh(
    platform: &Platform<'_>,
    client: &Presented,
    parameters: &Params,
    from: Option<&str>,
) -> Result<Tokens, TokenFault> {
    let token = parameters.get("refresh_token").ok_or(TokenFault::Parameter("refresh_token is missing."))?;
    let token = RefreshToken::parse(token).ok_or(TokenFault::Grant)?;
    let mut is_proven = false;
    for _ in 0..MOST_ATTEMPTS {
        let tenant = tenants::find_by_id(platform, &token.tenant_id).await?.ok_or(TokenFault::Grant)?;
        let family = find(platform, &tenant, &token).await?.ok_or(TokenFault::Grant)?;
        let attempt = async {
            if family.holder.client_id != client.id {
                return Err(TokenFault::Grant);
            }
            if !is_proven {
                client.prove(platform, family.client_auth).await?;
            }
            family.attempt(platform, &token, parameters, from).await
        };
        match attempt.await {
            Ok(Attempt::Won { number, scopes }) => {
                let refresh = Some(family.token(number));
                return Ok(Tokens { holder: family.holder, resource: family.resource, scopes, refresh });
            }
            Ok(Attempt::Overtaken) => is_proven = true,
            Ok(Attempt::Replay) => {
                family.holder.end(platform, End::RefreshReplayed).await?;
                return Err(TokenFault::Grant);
            }
            Err(fault) => {
                fault.note(platform, &family.holder, "refresh_token").await;
                return Err(fault);
            }
        }
    }
    Err(TokenFault::Unavailable)
}

/// What came of one attempt at a refresh.
enum Attempt {
    /// This token is given now, and this is what the access token may do.
    Won { number: i64, scopes: Scopes },
    /// Another call changed the family meanwhile: it is to be read again.
    Overtaken,
    /// Somebody holds a copy.
    Replay,
}

/// The holder of a token that is genuine, whatever became of it and its tenant since.
pub(super) async fn holder_of(
    platform: &Platform<'_>,
    token: &RefreshToken,
) -> Result<Option<Holder>, TokenFault> {
    let Some(tenant) = tenants::find_even_closed(platform, &token.tenant_id).await? else { return Ok(None) };
    Ok(find(platform, &tenant, token).await?.map(|family| family.holder))
}

/// The family of a genuine token.
async fn find(
    platform: &Platform<'_>,
    tenant: &Tenant,
    token: &RefreshToken,
) -> Result<Option<Family>, TokenFault> {
    let shard = platform.shard(tenant.shard).ok_or(TokenFault::Unavailable)?;
    let find = sql::FIND_FAMILY.with([Value::from(&tenant.id), (&token.family_id).into()]);
    let Some(row) = first::<FamilyRow>(&only(shard, find).await?)? else { return Ok(None) };
    let family = row.open(platform.config, tenant, token.family_id.clone()).ok();
    Ok(family.filter(|family| token.is_made_with(&family.secret)))
}

/// What the access token may do: everything granted, or the part of it that was asked for (RFC 6749 section 6). Whoever
/// may refresh may also ask for that by name, granted or not.
fn narrowed(granted: Scopes, asked: Option<&str>) -> Result<Scopes, TokenFault> {
    let Some(asked) = asked else { return Ok(granted) };
    let askable = granted.with(Scope::OfflineAccess);
    let all_known = asked
        .split_ascii_whitespace()
        .all(|name| name.parse::<Scope>().is_ok_and(|scope| askable.contains(Scopes::of(&[scope]))));
    if all_known { Ok(Scopes::parse(asked).intersection(granted)) } else { Err(TokenFault::Scope) }
}
