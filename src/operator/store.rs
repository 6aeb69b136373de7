//! The SQL of tokens, status and retention.

mod rules;

pub(super) use directory::*;
pub(super) use shard::*;

pub use directory::STATEMENTS as DIRECTORY_STATEMENTS;
pub use rules::{KEPT, RULES, Rule};
pub use shard::STATEMENTS;

mod directory {
    use crate::platform::statements;

    statements! { Directory:
        /// Uses a token up: gives a row to exactly one caller. ?1 token's id ?2 its expiry
        pub(in super::super) USE_TOKEN = "use_operator_token", "INSERT INTO operator_token (token_id, expires_at) VALUES (?1, ?2)
    ON CONFLICT (token_id) DO NOTHING RETURNING token_id";

        /// The number of the last migration, and the changes of tenants that are not yet carried out.
        pub(in super::super) DIRECTORY_STATUS = "directory_status", "SELECT (SELECT coalesce(max(id), 0) FROM d1_migrations) AS version,
    (SELECT count(tenant_id) FROM tenant WHERE pending = 1) AS pending";
    }
}

mod shard {
    use crate::platform::statements;

    statements! { Shard:
        /// The number of the last migration.
        pub(in super::super) SHARD_VERSION = "shard_version", "SELECT coalesce(max(id), 0) AS version FROM d1_migrations";

        /// Lets rows of the audit from before `?1` go.
        pub(in super::super) MOVE_AUDIT_HORIZON = "move_audit_horizon", "UPDATE audit_horizon SET before = ?1 WHERE before < ?1";
    }
}
