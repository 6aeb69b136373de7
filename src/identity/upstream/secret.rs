//! A provider's client secret, and where it is sealed.

use crate::{
    desk::{ProviderId, TenantId},
    platform::{Entropy, Keyring, SealFault, Sealed},
};

/// What a provider knows this deployment by. It cannot be printed.
pub struct ClientSecret(String);

impl ClientSecret {
    /// 1 to 500 visible ASCII characters (RFC 6749, appendix A.2).
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=500).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The secret itself, for the request that it goes into.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// Whose secret it is, and whom it is for: a seal opens for no other.
pub(super) struct Place<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) provider: &'a ProviderId,
    pub(super) issuer: &'a str,
}

impl Place<'_> {
    /// Purpose, tenant, table, row, column and issuer.
    fn context(&self) -> [&str; 6] {
        ["client secret", self.tenant.as_str(), "provider", self.provider.as_str(), "sealed", self.issuer]
    }

    pub(super) fn seal(
        &self,
        keys: &Keyring,
        entropy: &dyn Entropy,
        wrapped_key: &Sealed,
        secret: &ClientSecret,
    ) -> Result<Sealed, SealFault> {
        let key = keys.tenant_key(self.tenant.as_str(), wrapped_key)?;
        key.seal(entropy, &self.context(), secret.0.as_bytes())
    }

    pub(super) fn open(
        &self,
        keys: &Keyring,
        wrapped_key: &Sealed,
        sealed: &Sealed,
    ) -> Result<ClientSecret, SealFault> {
        let key = keys.tenant_key(self.tenant.as_str(), wrapped_key)?;
        let bytes = key.open(&self.context(), sealed)?;
        String::from_utf8(bytes).map(ClientSecret).map_err(|_| SealFault)
    }
}
