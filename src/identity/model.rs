//! People and their addresses.

use std::{fmt, str::FromStr};

use crate::{
    desk::UserId,
    platform::{FromRow, FromValue, Row, RowFault, Value},
};

/// An e-mail address, as far as one can tell without writing to it. Compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

/// A text that is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailFault;

impl EmailAddress {
    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = EmailFault;

    /// At most 254 bytes (RFC 5321 section 4.5.3.1.3 less the brackets), one `@` with something on both sides, and no
    /// spaces or control characters.
    fn from_str(text: &str) -> Result<Self, EmailFault> {
        let (local, domain) = text.split_once('@').ok_or(EmailFault)?;
        let well_formed = text.len() <= 254
            && !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(EmailFault) }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
impl From<&EmailAddress> for Value {
    fn from(address: &EmailAddress) -> Self {
        Self::Text(address.0.clone())
    }
}
impl FromValue for EmailAddress {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value)?.parse().ok()
    }
}

/// How a person signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInMethod {
    /// By a one-time link that the operator printed.
    Link,
    /// By a one-time link that was sent to the person's address.
    Email,
    /// By the invitation that made the person.
    Invitation,
    /// By a passkey.
    Passkey,
    /// Through a tenant's provider, for that tenant alone.
    Provider,
}

impl SignInMethod {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Link, "link"),
        (Self::Email, "email"),
        (Self::Invitation, "invitation"),
        (Self::Passkey, "passkey"),
        (Self::Provider, "provider"),
    ];

    /// The method's name in the databases.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(method, _)| *method == self).map_or("", |(_, name)| name)
    }

    /// The method in plain words, after "signed in".
    pub const fn plain_words(self) -> &'static str {
        match self {
            Self::Link => "by a link from the operator",
            Self::Email => "by e-mail",
            Self::Invitation => "by an invitation",
            Self::Passkey => "by a passkey",
            Self::Provider => "through an organisation’s provider",
        }
    }
}

impl From<SignInMethod> for Value {
    fn from(method: SignInMethod) -> Self {
        method.as_str().into()
    }
}
impl FromValue for SignInMethod {
    fn from_value(value: &Value) -> Option<Self> {
        let text = String::from_value(value)?;
        Self::ALL.into_iter().find(|(_, name)| *name == text).map(|(method, _)| method)
    }
}

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The person's id.
    pub user_id: UserId,
    /// The person's e-mail address.
    pub email: EmailAddress,
    /// The person's name.
    pub name: String,
}

impl FromRow for Person {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { user_id: row.get("user_id")?, email: row.get("email")?, name: row.get("name")? })
    }
}
