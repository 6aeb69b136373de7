//! Ids: a prefix and a UUIDv7 in base32hex, so that they sort by the time they were made.

use std::{fmt, marker::PhantomData, str::FromStr, sync::LazyLock};

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::platform::{Entropy, FromValue, Timestamp, Value, random_array};

/// The length of an id without its prefix: 128 bits in base32.
const ENCODED: usize = 26;

static BASE32HEX: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789abcdefghijklmnopqrstuv");
    specification.encoding().ok()
});

/// What an id is of.
pub trait Kind {
    /// The prefix before the underscore.
    const PREFIX: &'static str;
}

/// An id of a `K`: `prefix_` and 26 characters.
pub struct Id<K> {
    text: String,
    kind: PhantomData<fn() -> K>,
}

/// A text that is not an id of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdFault;

impl<K: Kind> Id<K> {
    /// A new id made at `now` (RFC 9562, version 7).
    pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
        Self::made_of(now, random_array(entropy))
    }

    /// The id before every other that is made at `at` or later.
    pub fn earliest(at: Timestamp) -> Self {
        Self::made_of(at, [0; 10])
    }

    fn made_of(now: Timestamp, random: [u8; 10]) -> Self {
        let mut bytes = [0_u8; 16];
        let millis = now.as_millis().to_be_bytes();
        for (to, from) in bytes.iter_mut().zip(millis.iter().skip(2).chain(&random)) {
            *to = *from;
        }
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = (*version & 0x0f) | 0x70;
        *variant = (*variant & 0x3f) | 0x80;
        let encoded = BASE32HEX.as_ref().map(|encoding| encoding.encode(&bytes)).unwrap_or_default();
        Self::raw(format!("{}_{encoded}", K::PREFIX))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    const fn raw(text: String) -> Self {
        Self { text, kind: PhantomData }
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdFault;

    fn from_str(text: &str) -> Result<Self, IdFault> {
        let encoded = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(IdFault)?;
        let well_formed = encoded.len() == ENCODED
            && encoded.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'v').contains(&byte));
        if well_formed { Ok(Self::raw(text.to_owned())) } else { Err(IdFault) }
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|_| serde::de::Error::custom(format!("not an id that starts with {}_", K::PREFIX)))
    }
}
impl<K> From<&Id<K>> for Value {
    fn from(id: &Id<K>) -> Self {
        Self::Text(id.text.clone())
    }
}
impl<K> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Text(id.text)
    }
}
impl<K: Kind> FromValue for Id<K> {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value)?.parse().ok()
    }
}
#[cfg(not(target_arch = "wasm32"))]
impl<K: Kind> schemars::JsonSchema for Id<K> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        K::PREFIX.into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

macro_rules! ids {
    ($( $(#[$meta:meta])* $name:ident $marker:ident $prefix:literal; )*) => {
        $(
            #[doc = concat!("Marks ids that start with `", $prefix, "_`.")]
            pub enum $marker {}
            impl Kind for $marker {
                const PREFIX: &'static str = $prefix;
            }
            $(#[$meta])*
            pub type $name = Id<$marker>;
        )*
    };
}

ids! {
    /// A tenant.
    TenantId TenantKind "tnt";
    /// A person.
    UserId UserKind "usr";
    /// A browser in which a person is signed in.
    SessionId SessionKind "ses";
    /// A person's passkey.
    PasskeyId PasskeyKind "psk";
    /// An OpenID provider of a tenant.
    ProviderId ProviderKind "idp";
    /// An invitation to a tenant.
    InvitationId InvitationKind "inv";
    /// A workspace.
    WorkspaceId WorkspaceKind "wsp";
    /// A registered OAuth client.
    ClientId ClientKind "cli";
    /// A client that a person uses with a tenant.
    AppId AppKind "app";
    /// One authorization.
    GrantId GrantKind "grt";
    /// A refresh family.
    FamilyId FamilyKind "fam";
    /// An authorization request that waits for a decision.
    PendingId PendingKind "req";
    /// A connected account.
    ProfileId ProfileKind "prf";
    /// A request to connect an account.
    ConnectId ConnectKind "con";
    /// A media file.
    MediaId MediaKind "med";
    /// A post group.
    PostId PostKind "post";
    /// A post group on one profile.
    DeliveryId DeliveryKind "dlv";
    /// An entry on the Wall.
    EntryId EntryKind "ent";
    /// What one call changed.
    ChangeId ChangeKind "chg";
    /// A line of the audit.
    AuditId AuditKind "aud";
}

/// A tenant's name in addresses: 3 to 40 of `a-z0-9-`, neither starting nor ending with a hyphen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Safename(String);

/// A text that cannot be a safename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SafenameFault;

impl Safename {
    /// The safename as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Safename {
    type Err = SafenameFault;

    fn from_str(text: &str) -> Result<Self, SafenameFault> {
        let well_formed = (3..=40).contains(&text.len())
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if well_formed { Ok(Self(text.to_owned())) } else { Err(SafenameFault) }
    }
}

impl fmt::Display for Safename {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
impl From<&Safename> for Value {
    fn from(safename: &Safename) -> Self {
        Self::Text(safename.0.clone())
    }
}
impl FromValue for Safename {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value)?.parse().ok()
    }
}
