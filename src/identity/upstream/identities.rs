//! Who is linked to whom, and the sessions that it begins.

use super::{Asserted, Provider, UpstreamFault, store::directory};
use crate::{
    desk::{Act, ProviderId, RecentSignIn, Tenant, TenantId, UserId, change_by_person},
    http::{Request, Response},
    identity::{EmailAddress, Session, pages, session::NewSession},
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Timestamp, Value, only},
};

/// A person's link to who they are at a provider.
pub struct Linked {
    /// The tenant whose provider it is.
    pub tenant: TenantId,
    /// The provider.
    pub provider: ProviderId,
    /// What the person recognises it by.
    pub label: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

impl FromRow for Linked {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            tenant: row.get("tenant_id")?,
            provider: row.get("provider_id")?,
            label: row.get("label")?,
            created_at: row.get("created_at")?,
            used_at: row.get("used_at")?,
        })
    }
}

/// A person's links.
///
/// # Errors
/// When the directory fails.
pub async fn linked(platform: &Platform<'_>, person: &UserId) -> Result<Vec<Linked>, DatabaseFault> {
    let rows = only(platform.directory, directory::IDENTITIES_OF_PERSON.with([person.into()])).await?;
    Ok(rows.iter().map(Linked::from_row).collect::<Result<_, _>>()?)
}

/// The parameters `?1, ?2, ?3` of whoever it is at a provider.
fn upstream(tenant: &Tenant, provider: &Provider, asserted: &Asserted) -> [Value; 3] {
    [Value::from(&tenant.id), (&provider.id).into(), asserted.subject.as_str().into()]
}

/// Whom somebody at a provider is linked to.
///
/// # Errors
/// When the directory fails.
pub async fn find_upstream(
    platform: &Platform<'_>,
    tenant: &Tenant,
    provider: &Provider,
    asserted: &Asserted,
) -> Result<Option<UserId>, DatabaseFault> {
    let find = directory::FIND_IDENTITY.with(upstream(tenant, provider, asserted));
    let rows = only(platform.directory, find).await?;
    Ok(rows.first().map(|row| row.get("user_id")).transpose()?)
}

/// Links who a person is at a provider to the person of a session that was begun by another method.
///
/// # Errors
/// When either side is linked already, the session is a provider's own, or the directory fails.
pub async fn link_upstream(
    platform: &Platform<'_>,
    session: &Session,
    tenant: &Tenant,
    provider: &Provider,
    asserted: &Asserted,
) -> Result<(), UpstreamFault> {
    if session.only.is_some() {
        return Err(UpstreamFault::State);
    }
    let [tenant_id, provider_id, subject] = upstream(tenant, provider, asserted);
    let act = Act { name: "link_provider", subjects: &[provider.id.as_str()] };
    let batch = vec![
        directory::LINK.with([
            tenant_id,
            provider_id,
            subject,
            (&session.user_id).into(),
            asserted.label.as_str().into(),
            platform.now().into(),
        ]),
        change_by_person(platform, &session.user_id, Some(&tenant.id), &act),
    ];
    match platform.directory.batch(batch).await {
        Ok(_) => Ok(()),
        Err(DatabaseFault::Aborted(_)) => {
            let same = find_upstream(platform, tenant, provider, asserted).await?;
            if same.as_ref() == Some(&session.user_id) { Ok(()) } else { Err(UpstreamFault::LinkedAlready) }
        }
        Err(_) => Err(UpstreamFault::Database),
    }
}

/// Takes a link away, after a recent sign-in, and ends the sessions that it began. One that is not there stays so.
///
/// # Errors
/// When the directory fails.
pub async fn unlink(
    platform: &Platform<'_>,
    person: &UserId,
    linked: &Linked,
    _recent: RecentSignIn,
) -> Result<(), DatabaseFault> {
    let which = || [Value::from(person), (&linked.tenant).into(), (&linked.provider).into()];
    let act = Act { name: "unlink_provider", subjects: &[linked.provider.as_str()] };
    let batch = vec![
        directory::UNLINK.with(which()),
        change_by_person(platform, person, Some(&linked.tenant), &act),
        directory::END_SESSIONS_THROUGH.with(which()),
    ];
    platform.directory.batch(batch).await.map(drop)
}

/// Makes a new person of somebody whom a tenant lets join, linked from the beginning. Nothing when somebody has the address:
/// who that is, an address does not say.
///
/// # Errors
/// When the directory fails.
pub async fn join_upstream(
    platform: &Platform<'_>,
    tenant: &Tenant,
    provider: &Provider,
    asserted: &Asserted,
    email: &EmailAddress,
) -> Result<Option<UserId>, DatabaseFault> {
    let now = platform.now();
    let id = UserId::new(now, platform.entropy);
    let local = email.as_str().split('@').next().unwrap_or_default();
    let name = asserted.name.as_deref().unwrap_or(local);
    let [tenant_id, provider_id, subject] = upstream(tenant, provider, asserted);
    let label = Value::from(asserted.label.as_str());
    let batch = vec![
        directory::ADD_NEWCOMER.with([(&id).into(), email.into(), name.into(), now.into()]),
        directory::LINK_NEWCOMER.with([tenant_id, provider_id, subject, (&id).into(), label, now.into()]),
    ];
    let answers = platform.directory.batch(batch).await?;
    Ok(answers.get(1).is_some_and(|rows| !rows.is_empty()).then_some(id))
}

/// Begins a session, for that tenant alone, of the person to whom somebody at a provider is linked; the browser's former one
/// ends. When the person signed in is what the provider says, and now where it says nothing.
///
/// # Errors
/// When the link is gone, or the directory fails.
pub async fn enter_upstream(
    platform: &Platform<'_>,
    request: &Request,
    tenant: &Tenant,
    provider: &Provider,
    (asserted, person): (&Asserted, &UserId),
) -> Result<Response, UpstreamFault> {
    let new = NewSession::in_browser(platform, request);
    let [tenant_id, provider_id, subject] = upstream(tenant, provider, asserted);
    let [hash, id, browser, now, expires_at] = new.values();
    let signed_in_at = asserted.authenticated_at.map_or(platform.now(), |at| at.min(platform.now()));
    let batch = vec![
        directory::USE_IDENTITY.with([
            tenant_id.clone(),
            provider_id.clone(),
            subject.clone(),
            person.into(),
            now.clone(),
        ]),
        directory::BEGIN_SESSION.with([
            tenant_id,
            provider_id,
            hash,
            id,
            browser,
            now,
            expires_at,
            subject,
            signed_in_at.into(),
        ]),
        new.act(platform, Some(&tenant.id), provider.id.as_str()),
        new.end_former(),
    ];
    let answers = platform.directory.batch(batch).await?;
    if answers.get(1).is_some_and(|rows| !rows.is_empty()) {
        Ok(pages::signed_in(platform, request, &new))
    } else {
        Err(UpstreamFault::NotLinked)
    }
}
