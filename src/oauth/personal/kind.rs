//! The two kinds of personal access token.

use crate::{
    desk::{ADDRESS_TOKENS, HEADER_TOKENS, Scope, Scopes},
    platform::Value,
};

/// How a token is presented. One kind is refused where the other belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum Kind {
    /// In the `Authorization` header.
    Header,
    /// As the last segment of the endpoint's address.
    Address,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Header, Self::Address];

    /// What its tokens begin with.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Header => "pst_",
            Self::Address => "psu_",
        }
    }

    /// The client that its grants are for. No client of that id can register.
    pub(super) const fn client_id(self) -> &'static str {
        match self {
            Self::Header => HEADER_TOKENS,
            Self::Address => ADDRESS_TOKENS,
        }
    }

    /// That client's name under connected apps.
    pub(super) const fn client_name(self) -> &'static str {
        match self {
            Self::Header => "Personal access tokens",
            Self::Address => "Tokens in addresses",
        }
    }

    /// The act of making one.
    pub(super) const fn creation(self) -> &'static str {
        match self {
            Self::Header => "create_personal_token",
            Self::Address => "create_address_token",
        }
    }

    /// Most days that one lives.
    pub(super) const fn longest_days(self) -> i64 {
        match self {
            Self::Header => 365,
            Self::Address => 90,
        }
    }

    /// What one may be given at most. What an address may destroy, `Caller::may_destroy` says besides.
    pub(super) const fn grantable(self) -> Scopes {
        let whole = Scopes::EVERY.without(Scopes::of(&[Scope::OfflineAccess]));
        match self {
            Self::Header => whole,
            Self::Address => whole.without(Scopes::of(&[
                Scope::PostsPublish,
                Scope::WorkflowsRead,
                Scope::WorkflowsWrite,
                Scope::WorkflowsRun,
            ])),
        }
    }

    /// The kind that a text claims to be.
    pub(super) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))
    }
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        (kind == Kind::Address).into()
    }
}
