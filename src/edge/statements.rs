//! Every named statement there is: for the contract suite, and for the tests of the house and of the plans.

use super::store;
use crate::{
    audit, delivery, desk, identity, media, networks, oauth, operator, platform::Sql, posts, profiles,
    tenants,
};

/// Each room's statements. A store with a line missing here fails a test.
const STORES: &[&[Sql]] = &[
    store::directory::STATEMENTS,
    store::shard::STATEMENTS,
    oauth::DIRECTORY_STATEMENTS,
    oauth::SHARD_STATEMENTS,
    oauth::PERSONAL_STATEMENTS,
    operator::STATEMENTS,
    operator::DIRECTORY_STATEMENTS,
    delivery::STATEMENTS,
    delivery::DIRECTORY_STATEMENTS,
    posts::STATEMENTS,
    media::STATEMENTS,
    profiles::STATEMENTS,
    networks::STATEMENTS,
    identity::STATEMENTS,
    identity::UPSTREAM_STATEMENTS,
    identity::PROVIDER_STATEMENTS,
    tenants::STATEMENTS,
    tenants::MEMBER_STATEMENTS,
    tenants::DOMAIN_STATEMENTS,
    tenants::DIRECTORY_STATEMENTS,
    audit::DIRECTORY_STATEMENTS,
    audit::STATEMENTS,
    desk::DIRECTORY_STATEMENTS,
    desk::STATEMENTS,
];

/// The statements of every room.
pub fn statements() -> impl Iterator<Item = Sql> {
    STORES.iter().copied().flatten().copied()
}
