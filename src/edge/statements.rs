//! Every named statement there is: for the contract suite, and for the tests of the house and of the plans.

use super::store;
use crate::{delivery, desk, identity, media, networks, operator, platform::Sql, posts, profiles, tenants};

/// Each room's statements. A store with a line missing here fails a test.
const STORES: &[&[Sql]] = &[
    store::directory::STATEMENTS,
    store::shard::STATEMENTS,
    operator::STATEMENTS,
    operator::DIRECTORY_STATEMENTS,
    delivery::STATEMENTS,
    delivery::DIRECTORY_STATEMENTS,
    posts::STATEMENTS,
    media::STATEMENTS,
    profiles::STATEMENTS,
    networks::STATEMENTS,
    identity::STATEMENTS,
    tenants::STATEMENTS,
    tenants::DIRECTORY_STATEMENTS,
    desk::STATEMENTS,
];

/// The statements of every room.
pub fn statements() -> impl Iterator<Item = Sql> {
    let of_tables = tenants::TABLES.iter().flat_map(|table| [table.export, table.erase]);
    let of_rules = operator::RULES.iter().map(|rule| rule.sql);
    STORES.iter().copied().flatten().copied().chain(of_tables).chain(of_rules)
}
