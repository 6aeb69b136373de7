//! Why nobody was signed in or linked, and how people are told.

use crate::{
    http::{DocumentFault, Notice, Response},
    platform::DatabaseFault,
};

/// Why signing in through a provider, or linking, came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamFault {
    /// The state is not this browser's for this provider, is too old, or was used.
    State,
    /// The answer is of another issuer than the one that was asked (RFC 9207 section 2.4).
    OtherIssuer,
    /// The person, or the provider, said no.
    Declined,
    /// The provider answered with another error.
    ProviderError,
    /// The provider's own description cannot be had.
    Unreachable(DocumentFault),
    /// What it says of itself is of another issuer.
    IssuerMismatch,
    /// What it says of itself lacks something, or names an address that may not be asked.
    Description,
    /// It did not take the code, or gave no ID token for it.
    Code,
    /// The ID token is not one for this sign-in, or nobody's signature is under it.
    IdToken,
    /// It is nobody here.
    NotLinked,
    /// It is somebody here who does not belong to the organisation.
    NotAMember,
    /// It is linked already: to somebody else, or another of the provider's to this person.
    LinkedAlready,
    /// The databases did not do their part.
    Database,
}

impl From<DatabaseFault> for UpstreamFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Database
    }
}

impl From<DocumentFault> for UpstreamFault {
    fn from(fault: DocumentFault) -> Self {
        Self::Unreachable(fault)
    }
}

impl UpstreamFault {
    /// Its name in the audit; nothing when it is no refusal but a fault of ours.
    pub const fn outcome(self) -> Option<&'static str> {
        match self {
            Self::State => Some("state_not_valid"),
            Self::OtherIssuer => Some("other_issuer"),
            Self::Declined => Some("declined"),
            Self::ProviderError => Some("provider_error"),
            Self::Unreachable(_) => Some("provider_unreachable"),
            Self::IssuerMismatch => Some("issuer_mismatch"),
            Self::Description => Some("provider_description"),
            Self::Code => Some("code_refused"),
            Self::IdToken => Some("id_token_refused"),
            Self::NotLinked => Some("not_linked"),
            Self::NotAMember => Some("not_a_member"),
            Self::LinkedAlready => Some("linked_already"),
            Self::Database => None,
        }
    }

    /// What is the matter, in words for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::State => {
                "This sign-in was begun in another browser, was used already, or is more than ten minutes old. Begin again."
            }
            Self::OtherIssuer => {
                "The answer came from another provider than the one that was asked. Begin again, and if it happens twice, tell whoever runs your organisation’s sign-in."
            }
            Self::Declined => "You, or your organisation’s provider, said no.",
            Self::ProviderError => {
                "Your organisation’s provider answered with an error. Try again, and if it happens twice, tell whoever runs it."
            }
            Self::Unreachable(_) => {
                "Your organisation’s provider does not answer as it should. Try again in some minutes."
            }
            Self::IssuerMismatch => {
                "The provider at this address says that it is another one. The issuer must be written exactly as the provider writes it."
            }
            Self::Description => {
                "What the provider says of itself cannot be used: it must offer the authorization code flow with PKCE (S256), take a client secret, and have public https addresses."
            }
            Self::Code => {
                "Your organisation’s provider did not confirm the sign-in. Its client secret here may be wrong or over: tell whoever manages your organisation here."
            }
            Self::IdToken => {
                "What your organisation’s provider says about you could not be verified. Begin again, and if it happens twice, tell whoever runs it."
            }
            Self::NotLinked => {
                "Nobody here is linked to this sign-in. If you have an account, sign in another way, and link it on your account page. If you have none, ask your organisation for an invitation."
            }
            Self::NotAMember => {
                "You do not belong to this organisation, or not any more. Ask it for an invitation."
            }
            Self::LinkedAlready => {
                "This sign-in is linked to another account already, or your account to another sign-in of the same provider. Take that link away first."
            }
            Self::Database => {
                "Postern cannot reach its database at this moment. Wait a minute and try again."
            }
        }
    }

    const fn status(self) -> u16 {
        match self {
            Self::State | Self::OtherIssuer | Self::ProviderError => 400,
            Self::Declined | Self::NotLinked | Self::NotAMember | Self::IdToken => 403,
            Self::LinkedAlready => 409,
            Self::Unreachable(_) | Self::IssuerMismatch | Self::Description | Self::Code => 502,
            Self::Database => 503,
        }
    }

    /// The page that tells of it.
    pub fn response(self) -> Response {
        Notice { heading: "You are not signed in by this", words: self.sentence() }.response(self.status())
    }
}
