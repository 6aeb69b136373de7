//! E-mail domains whose people may join a tenant through its providers, once the tenant has proved by DNS that the domain is
//! its own.
//!
//! The proof is looked for again whenever somebody is about to join by it: one that is gone lets nobody in.

use super::{NewMember, directory, store};
use crate::{
    desk::{
        Act, AuditId, Caller, Code, Facts, Kept, Problem, RecentSignIn, Refusal, Role, Tenant,
        refusal_of_stranger,
    },
    http::{FetchFault, txt_records},
    platform::{
        DatabaseFault, FromRow, FromValue, Platform, Row, RowFault, Statement, Timestamp, Value, first, only,
    },
};

/// A tenant has at most so many.
const MOST: i64 = 20;

/// A name of DNS that e-mail addresses end in: at least two labels of letters, digits and hyphens (RFC 1123 section 2.1), in
/// lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

impl Domain {
    /// Parses a domain; one of other than ASCII letters in its encoded form (`xn--…`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let fits = text.len() <= 240 && text.contains('.') && text.split('.').all(is_label);
        fits.then_some(Self(text))
    }

    /// The domain of an e-mail address.
    pub fn of_address(email: &str) -> Option<Self> {
        Self::parse(email.rsplit_once('@')?.1)
    }

    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromValue for Domain {
    fn from_value(value: &Value) -> Option<Self> {
        Self::parse(&String::from_value(value)?)
    }
}

/// A domain that a tenant names.
pub struct MailDomain {
    /// The domain.
    pub domain: Domain,
    /// What its people join as.
    pub role: Role,
    /// What must stand in DNS; no secret.
    pub token: String,
    /// When the proof was seen; nothing when it never was, or is lost.
    pub proved_at: Option<Timestamp>,
}

impl FromRow for MailDomain {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            domain: row.get("domain")?,
            role: row.get("role")?,
            token: row.get("token")?,
            proved_at: row.get("proved_at")?,
        })
    }
}

/// The name of the record that proves a domain.
pub fn proof_name(domain: &Domain) -> String {
    format!("_postern.{}", domain.as_str())
}

/// The text of the record that proves a domain.
pub fn proof_text(token: &str) -> String {
    format!("postern-domain={token}")
}

async fn is_proved(platform: &Platform<'_>, domain: &Domain, token: &str) -> Result<bool, FetchFault> {
    let texts = txt_records(platform, &proof_name(domain)).await?;
    Ok(texts.contains(&proof_text(token)))
}

/// The domains of a caller's tenant, and who asks.
///
/// # Errors
/// When the gate is closed.
pub async fn domains(caller: &Caller<'_>) -> Result<(Facts, Vec<MailDomain>), Refusal> {
    let mut answer = caller.read(vec![store::LIST_DOMAINS.with([Value::from(&caller.tenant().id)])]).await?;
    let domains = answer.next_as()?;
    Ok((answer.facts, domains))
}

/// Names a domain, after a recent sign-in. `token` is random; people join as `role`, which manages nothing.
///
/// # Errors
/// `sign_in_again`, `role_not_allowed`, `too_many`; a conflict when it is named already; or when the gate is closed.
pub async fn add_domain(
    caller: &Caller<'_>,
    domain: &Domain,
    role: Role,
    token: &str,
    recent: Option<RecentSignIn>,
) -> Result<(), Refusal> {
    recent.ok_or_else(RecentSignIn::missing)?;
    if role.manages() {
        return Err(Problem::new(Code::RoleNotAllowed, "role", "Invite owners and admins one by one.").into());
    }
    let add = store::ADD_DOMAIN.with([
        Value::from(&caller.tenant().id),
        domain.as_str().into(),
        role.as_str().into(),
        token.into(),
        caller.user_id().into(),
        caller.now().into(),
        MOST.into(),
    ]);
    let act = Act { name: "add_domain", subjects: &[domain.as_str(), role.as_str()] };
    manage(caller, act, add).await
}

/// Looks for a domain's proof, after a recent sign-in; whether it is there. From then on its people may join.
///
/// # Errors
/// `sign_in_again`, `role_not_allowed`; `unavailable` when DNS does not answer; or when the gate is closed.
pub async fn prove_domain(
    caller: &Caller<'_>,
    domain: &Domain,
    recent: Option<RecentSignIn>,
) -> Result<bool, Refusal> {
    recent.ok_or_else(RecentSignIn::missing)?;
    let (_, named) = domains(caller).await?;
    let Some(named) = named.into_iter().find(|named| named.domain == *domain) else {
        return Err(Refusal::Conflict);
    };
    let silent =
        |_| Refusal::from(Problem::new(Code::Unavailable, "", "DNS did not answer. Try again in a minute."));
    if !is_proved(caller.platform(), domain, &named.token).await.map_err(silent)? {
        return Ok(false);
    }
    let prove = store::PROVE_DOMAIN.with([
        Value::from(&caller.tenant().id),
        domain.as_str().into(),
        named.token.into(),
        caller.user_id().into(),
        caller.now().into(),
    ]);
    manage(caller, Act { name: "prove_domain", subjects: &[domain.as_str()] }, prove).await?;
    Ok(true)
}

/// Takes a domain away: nobody joins by it any more; members stay.
///
/// # Errors
/// `role_not_allowed`; a conflict when there is no such domain; or when the gate is closed.
pub async fn remove_domain(caller: &Caller<'_>, domain: &Domain) -> Result<(), Refusal> {
    let remove = store::REMOVE_DOMAIN.with([
        Value::from(&caller.tenant().id),
        domain.as_str().into(),
        caller.user_id().into(),
    ]);
    manage(caller, Act { name: "remove_domain", subjects: &[domain.as_str()] }, remove).await
}

/// A change of one of them.
async fn manage(caller: &Caller<'_>, act: Act<'_>, change: Statement) -> Result<(), Refusal> {
    let list = store::LIST_DOMAINS.with([Value::from(&caller.tenant().id)]);
    Kept { list, most: MOST, of: "domains" }.change(caller, act, change).await
}

/// Whether people of a domain may join a tenant at this moment: the tenant names it, and its proof stands in DNS. A proof that
/// is lost is taken back; DNS that does not answer lets nobody in.
///
/// # Errors
/// When the shard fails.
pub async fn admits(
    platform: &Platform<'_>,
    tenant: &Tenant,
    domain: &Domain,
) -> Result<bool, DatabaseFault> {
    let database = directory::shard_of(platform, tenant)?;
    let id = || Value::from(&tenant.id);
    let find = store::FIND_DOMAIN.with([id(), domain.as_str().into()]);
    let Some(named): Option<MailDomain> = first(&only(database, find).await?)? else { return Ok(false) };
    if named.proved_at.is_none() {
        return Ok(false);
    }
    match is_proved(platform, domain, &named.token).await {
        Ok(true) => Ok(true),
        Ok(false) => {
            let act = Act { name: "join_by_domain", subjects: &[domain.as_str()] };
            let batch = vec![
                store::LOSE_PROOF.with([id(), domain.as_str().into(), named.token.into()]),
                refusal_of_stranger(platform, &tenant.id, &act, "domain_proof_lost"),
            ];
            database.batch(batch).await?;
            Ok(false)
        }
        Err(_) => Ok(false),
    }
}

/// Somebody new, and the domain by which they join.
pub struct Newcomer<'a> {
    /// Who.
    pub member: NewMember<'a>,
    /// By which domain.
    pub domain: &'a Domain,
}

/// Makes a member of somebody of a proved domain. Who is or was a member stays as they are. The pointer comes first: alone it
/// shows nothing.
///
/// # Errors
/// When a database fails. Repeating it is safe.
pub async fn join_by_domain(
    platform: &Platform<'_>,
    tenant: &Tenant,
    Newcomer { member, domain }: &Newcomer<'_>,
) -> Result<(), DatabaseFault> {
    let database = directory::shard_of(platform, tenant)?;
    only(platform.directory, store::POINT.with([member.user_id.into(), (&tenant.id).into()])).await?;
    let now = platform.now();
    let id = || Value::from(&tenant.id);
    let batch = vec![
        store::JOIN_BY_DOMAIN.with([
            id(),
            domain.as_str().into(),
            now.into(),
            member.user_id.into(),
            member.name.into(),
            member.email.into(),
        ]),
        store::AUDIT_JOIN.with([
            id(),
            AuditId::new(now, platform.entropy).into(),
            now.into(),
            member.user_id.into(),
            serde_json::json!([member.user_id, domain.as_str()]).to_string().into(),
            "join_by_domain".into(),
        ]),
    ];
    database.batch(batch).await.map(drop)
}
