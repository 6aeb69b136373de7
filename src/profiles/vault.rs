//! Where a profile's secrets are sealed: under the tenant's key, each for one place and one origin.

use crate::{
    desk::{ProfileId, TenantId},
    platform::{Entropy, Keyring, Rows, SealFault, Sealed, TenantKey},
};

/// A kind of secret; its name is the row's `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    /// What a person made on the network for Postern.
    AppPassword,
    /// What the network gave for it.
    Session,
}

impl Secret {
    const ALL: [Self; 2] = [Self::AppPassword, Self::Session];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::AppPassword => "app_password",
            Self::Session => "session",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Whose secret it is, and for which server's origin.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) profile: &'a ProfileId,
    pub(super) origin: &'a str,
}

impl<'a> Place<'a> {
    /// Purpose, tenant, table, row, column and origin: what a seal is bound to.
    fn context(&self, kind: Secret) -> [&'a str; 7] {
        let (tenant, profile) = (self.tenant.as_str(), self.profile.as_str());
        ["credential", tenant, "profile_secret", profile, kind.as_str(), "sealed", self.origin]
    }
}

/// A tenant's key, for sealing and opening its profiles' secrets.
pub(super) struct Vault(TenantKey);

impl Vault {
    /// The vault of a tenant, from the row that [`TENANT_KEY`](super::store::TENANT_KEY) gave.
    ///
    /// # Errors
    /// When the tenant is gone, or its key is another's or wrapped under a retired one.
    pub(super) fn open(keys: &Keyring, tenant: &TenantId, rows: &Rows) -> Result<Self, SealFault> {
        let wrapped: Sealed = rows.first().and_then(|row| row.get("wrapped_key").ok()).ok_or(SealFault)?;
        keys.tenant_key(tenant.as_str(), &wrapped).map(Self)
    }

    pub(super) fn seal(
        &self,
        entropy: &dyn Entropy,
        place: &Place<'_>,
        kind: Secret,
        text: &str,
    ) -> Result<Sealed, SealFault> {
        self.0.seal(entropy, &place.context(kind), text.as_bytes())
    }

    pub(super) fn reveal(
        &self,
        place: &Place<'_>,
        kind: Secret,
        sealed: &Sealed,
    ) -> Result<String, SealFault> {
        let bytes = self.0.open(&place.context(kind), sealed)?;
        String::from_utf8(bytes).map_err(|_| SealFault)
    }
}
