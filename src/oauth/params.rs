//! Request parameters as RFC 6749 section 3.1 wants them read.

use crate::http::Query;

/// Parameters, each sent once at most.
pub(super) struct Params(Query);

/// Parameters that were sent more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeated {
    /// `resource`, which RFC 8707 section 2 allows and this server does not serve: a token is for one resource.
    Resource,
    /// Any other.
    Other,
}

impl Params {
    /// Takes parameters of which none is repeated.
    pub(super) fn once(query: Query) -> Result<Self, Repeated> {
        if query.all("resource").nth(1).is_some() {
            return Err(Repeated::Resource);
        }
        if query.repeated().is_some() { Err(Repeated::Other) } else { Ok(Self(query)) }
    }

    /// A parameter's value. One without a value counts as left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|value| !value.is_empty())
    }
}
