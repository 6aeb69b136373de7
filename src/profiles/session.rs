//! Sessions with networks: opened from their seal, renewed by one at a time, and never given up before the next one is
//! stored.

use data_encoding::BASE64URL_NOPAD;

use super::{
    Profile,
    connect::link,
    store,
    vault::{Place, Secret, Vault},
};
use crate::{
    desk::TenantId,
    networks::{self, Connector, ErrorClass, NetworkError, Session, SignIn},
    platform::{
        Database, DatabaseFault, FromRow, Platform, Row, RowFault, Rows, Statement, Timestamp, random_array,
    },
};

/// A session is renewed when it ends within this many seconds.
const RENEW_BEFORE: i64 = 120;
/// How long one refresher has the field to itself, in seconds: longer than the network calls that it makes.
const LEASE: i64 = 60;
/// When to come back while another renews, in seconds.
const BUSY: i64 = 5;

/// The session of a profile, valid for two more minutes; nothing for networks without sessions.
///
/// What is about to end is renewed, or signed in again with the stored app password, by one caller at a time; the
/// others get the session that still stands, or [`ErrorClass::Retry`].
///
/// # Errors
/// [`ErrorClass::Reauthorise`] when a person must connect the account again; the network's and the database's others.
pub async fn session(
    platform: &Platform<'_>,
    database: &dyn Database,
    tenant: &TenantId,
    profile: &Profile,
) -> Result<Option<Session>, NetworkError> {
    let Some(desk) = SessionDesk::open(*platform, database, tenant, profile)? else { return Ok(None) };
    let secrets = desk.secrets().await?;
    match &secrets.session {
        Some(session) if !desk.ends_soon(session) => Ok(secrets.session),
        _ => desk.renewed(None).await.map(Some),
    }
}

/// The session that replaces `over`, which the network no longer accepts. When another caller has replaced it already,
/// that one's.
///
/// # Errors
/// As [`session`].
pub async fn renew_session(
    platform: &Platform<'_>,
    database: &dyn Database,
    tenant: &TenantId,
    profile: &Profile,
    over: &Session,
) -> Result<Option<Session>, NetworkError> {
    match SessionDesk::open(*platform, database, tenant, profile)? {
        None => Ok(None),
        Some(desk) => desk.renewed(Some(over)).await.map(Some),
    }
}

/// Marks a healthy profile as one that a person must connect again, for `why`.
///
/// # Errors
/// The database's.
pub async fn mark_reauthorise(
    database: &dyn Database,
    tenant: &TenantId,
    profile: &Profile,
    why: &str,
) -> Result<(), DatabaseFault> {
    let why: String = why.chars().take(500).collect();
    let mark = store::MARK_REAUTHORISE.with([tenant.into(), (&profile.id).into(), why.into()]);
    database.batch(vec![mark]).await.map(drop)
}

/// Everything that renewing one profile's session takes.
struct SessionDesk<'a> {
    platform: Platform<'a>,
    database: &'a dyn Database,
    tenant: &'a TenantId,
    profile: &'a Profile,
    server: &'a str,
    connector: &'static dyn Connector,
}

/// What is stored, opened.
struct Secrets {
    vault: Vault,
    app_password: Option<String>,
    session: Option<Session>,
}

impl<'a> SessionDesk<'a> {
    fn open(
        platform: Platform<'a>,
        database: &'a dyn Database,
        tenant: &'a TenantId,
        profile: &'a Profile,
    ) -> Result<Option<Self>, NetworkError> {
        let connector = networks::connector(profile.account.network);
        if !connector.needs_session() {
            return Ok(None);
        }
        let server = profile.account.server.as_deref().ok_or_else(no_credentials)?;
        Ok(Some(Self { platform, database, tenant, profile, server, connector }))
    }

    fn ends_soon(&self, session: &Session) -> bool {
        let soon = self.platform.now().plus_seconds(RENEW_BEFORE);
        session.expires_at.is_some_and(|end| end <= soon)
    }

    fn is_over(&self, session: &Session) -> bool {
        session.expires_at.is_some_and(|end| end <= self.platform.now())
    }

    async fn secrets(&self) -> Result<Secrets, NetworkError> {
        let mut rows = self.batch(self.reading()).await?.into_iter();
        self.opened(&rows.next().unwrap_or_default(), &rows.next().unwrap_or_default())
    }

    fn reading(&self) -> Vec<Statement> {
        vec![
            store::TENANT_KEY.with([self.tenant.into()]),
            store::SECRETS.with([self.tenant.into(), (&self.profile.id).into()]),
        ]
    }

    /// Renews under the lease. `over` is a session that is known to be of no more use.
    async fn renewed(&self, over: Option<&Session>) -> Result<Session, NetworkError> {
        let token = BASE64URL_NOPAD.encode(&random_array::<16>(self.platform.entropy));
        let now = self.platform.now();
        let take = store::LEASE_TAKE.with([
            self.tenant.into(),
            (&self.profile.id).into(),
            token.as_str().into(),
            now.plus_seconds(LEASE).into(),
            now.into(),
        ]);
        let mut statements = vec![take];
        statements.extend(self.reading());
        let mut rows = self.batch(statements).await?.into_iter();
        let leased = rows.next().is_some_and(|taken| !taken.is_empty());
        let secrets = self.opened(&rows.next().unwrap_or_default(), &rows.next().unwrap_or_default());
        if !leased {
            return secrets.and_then(|secrets| self.standing(secrets, over));
        }
        let outcome = match secrets {
            Ok(secrets) => self.replaced(&secrets, over, &token).await,
            Err(fault) => Err(fault),
        };
        // Should this fail, the lease ends by itself.
        let end = store::LEASE_END.with([self.tenant.into(), (&self.profile.id).into(), token.into()]);
        let _ = self.batch(vec![end]).await;
        outcome
    }

    /// What serves while another renews.
    fn standing(&self, secrets: Secrets, over: Option<&Session>) -> Result<Session, NetworkError> {
        secrets.session.filter(|stored| !self.is_over(stored) && !same(over, stored)).ok_or_else(|| {
            NetworkError {
                retry_at: Some(self.platform.now().plus_seconds(BUSY)),
                ..NetworkError::of(ErrorClass::Retry, "session_busy")
            }
        })
    }

    async fn replaced(
        &self,
        secrets: &Secrets,
        over: Option<&Session>,
        token: &str,
    ) -> Result<Session, NetworkError> {
        match &secrets.session {
            Some(stored) if !self.ends_soon(stored) && !same(over, stored) => return Ok(stored.clone()),
            _ => {}
        }
        let next = self.next_session(secrets).await?;
        self.check(&next)?;
        self.store(&secrets.vault, &next, token).await?;
        Ok(next)
    }

    /// Renews the session; where that is no longer possible, signs in again.
    async fn next_session(&self, secrets: &Secrets) -> Result<Session, NetworkError> {
        if let Some(session) = &secrets.session {
            match self.connector.renew(self.server, session, link(&self.platform)).await {
                Err(error) if ends_the_session(error.class) => {}
                outcome => return outcome,
            }
        }
        let secret = secrets.app_password.as_deref().ok_or_else(no_credentials)?;
        let identifier = &self.profile.account.remote_id;
        self.connector.sign_in(SignIn { server: self.server, identifier, secret }, link(&self.platform)).await
    }

    /// Whether a new session may take the old one's place: it is one, and for this account.
    fn check(&self, session: &Session) -> Result<(), NetworkError> {
        if session.expose().is_empty() {
            return Err(NetworkError::of(ErrorClass::Retry, "empty_session"));
        }
        match self.connector.identity(session) {
            Some(identity) if identity.remote_id == self.profile.account.remote_id => Ok(()),
            _ => Err(NetworkError::of(ErrorClass::Reauthorise, "another_account")),
        }
    }

    async fn store(&self, vault: &Vault, session: &Session, token: &str) -> Result<(), NetworkError> {
        let place = Place { tenant: self.tenant, profile: &self.profile.id, origin: self.server };
        let sealed = vault
            .seal(self.platform.entropy, &place, Secret::Session, session.expose())
            .map_err(|_| unreadable())?;
        let renewed = store::SESSION_RENEWED.with([
            self.tenant.into(),
            (&self.profile.id).into(),
            token.into(),
            self.server.into(),
            sealed.into(),
            session.expires_at.into(),
            self.platform.now().into(),
        ]);
        self.batch(vec![renewed]).await.map(drop)
    }

    fn opened(&self, key: &Rows, secrets: &Rows) -> Result<Secrets, NetworkError> {
        let vault = Vault::open(&self.platform.config.keys, self.tenant, key).map_err(|_| unreadable())?;
        let place = Place { tenant: self.tenant, profile: &self.profile.id, origin: self.server };
        let mut opened = Secrets { vault, app_password: None, session: None };
        for row in secrets {
            let row = SecretRow::from_row(row).map_err(DatabaseFault::from).map_err(database_error)?;
            // The profile as the caller has it may be older than its row: another server, other secrets.
            if row.origin != self.server {
                continue;
            }
            let Some(kind) = Secret::parse(&row.kind) else { continue };
            let text = opened.vault.reveal(&place, kind, &row.sealed).map_err(|_| unreadable())?;
            match kind {
                Secret::AppPassword => opened.app_password = Some(text),
                Secret::Session => opened.session = Some(Session::new(text, row.expires_at)),
            }
        }
        Ok(opened)
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, NetworkError> {
        self.database.batch(statements).await.map_err(database_error)
    }
}

struct SecretRow {
    kind: String,
    origin: String,
    sealed: crate::platform::Sealed,
    expires_at: Option<Timestamp>,
}

impl FromRow for SecretRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            kind: row.get("kind")?,
            origin: row.get("origin")?,
            sealed: row.get("sealed")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

fn same(over: Option<&Session>, stored: &Session) -> bool {
    over.is_some_and(|over| over.expose() == stored.expose())
}

const fn ends_the_session(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::Reauthorise | ErrorClass::SessionOver)
}

fn no_credentials() -> NetworkError {
    NetworkError::of(ErrorClass::Reauthorise, "no_credentials")
}

fn database_error(_: DatabaseFault) -> NetworkError {
    NetworkError::of(ErrorClass::Retry, "database")
}

/// A secret that does not open is of no use to anybody: only connecting again helps.
fn unreadable() -> NetworkError {
    NetworkError::of(ErrorClass::Reauthorise, "credentials_unreadable")
}
