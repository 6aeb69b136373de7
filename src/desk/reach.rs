//! How far a sign-in reaches.

use super::{TenantId, UserId};

/// A person, as far as a sign-in reaches: to all of the person's tenants, or to the one whose provider vouched for the
/// person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The person.
    pub user_id: UserId,
    /// The one tenant that the sign-in is valid for; nothing when it is valid for all.
    pub only: Option<TenantId>,
}

impl Reach {
    /// A person without any limit.
    pub const fn whole(user_id: UserId) -> Self {
        Self { user_id, only: None }
    }

    /// Whether it reaches this tenant.
    pub fn covers(&self, tenant: &TenantId) -> bool {
        self.only.as_ref().is_none_or(|only| only == tenant)
    }
}
