//! The SQL of tokens, holds and status.

pub(super) use directory::*;
pub(super) use shard::*;

pub use directory::STATEMENTS as DIRECTORY_STATEMENTS;
pub use shard::STATEMENTS;

mod directory {
    use crate::platform::statements;

    statements! { Directory:
        /// Uses a token up: gives a row to exactly one caller. ?1 token's id ?2 its expiry
        pub(in super::super) USE_TOKEN = "use_operator_token", "INSERT INTO operator_token (token_id, expires_at) VALUES (?1, ?2)
    ON CONFLICT (token_id) DO NOTHING RETURNING token_id";

        /// ?1 shard ?2 now ?3 reason
        pub(in super::super) HOLD_SHARD = "hold_shard", "INSERT INTO shard (shard, held_since, held_why) VALUES (?1, ?2, ?3)
    ON CONFLICT (shard) DO UPDATE SET held_since = coalesce(shard.held_since, excluded.held_since), held_why = excluded.held_why";

        /// ?1 shard
        pub(in super::super) RELEASE_SHARD = "release_shard", "UPDATE shard SET held_since = NULL, held_why = NULL WHERE shard = ?1";

        /// The directory's version and backlog.
        pub(in super::super) DIRECTORY_STATUS = "directory_status", "SELECT v.version, (
    SELECT count(tenant_id) FROM tenant WHERE pending = 1) AS pending FROM schema_version v";

        /// Every shard that the directory knows.
        pub(in super::super) KNOWN_SHARDS = "known_shards", "SELECT shard, held_since, held_why FROM shard";

        /// The last tick of each shard.
        pub(in super::super) TICKS = "ticks", "SELECT shard, good_at, fault FROM tick";
    }
}

mod shard {
    use crate::platform::statements;

    statements! { Shard:
        /// A shard's version and work. Looks across tenants. ?1 now
        pub(in super::super) SHARD_STATUS = "shard_status", "SELECT v.version,
  (SELECT min(next_at) FROM delivery
    WHERE state IN ('waiting', 'retrying', 'claimed', 'preparing', 'armed', 'sent') AND next_at <= ?1) AS oldest_due,
  (SELECT count(delivery_id) FROM delivery WHERE state = 'unknown') AS unknown
FROM schema_version v";
    }
}
