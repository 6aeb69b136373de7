//! How many migrations each database has, as wrangler records them.

/// Of the directory.
pub mod directory {
    use crate::platform::statements;

    statements! { Directory:
        /// One row `version`: the number of the last migration.
        pub(in crate::edge) SCHEMA = "directory_schema", "SELECT coalesce(max(id), 0) AS version FROM d1_migrations";
    }
}

/// Of every shard.
pub mod shard {
    use crate::platform::statements;

    statements! { Shard:
        /// One row `version`: the number of the last migration.
        pub(in crate::edge) SCHEMA = "shard_schema", "SELECT coalesce(max(id), 0) AS version FROM d1_migrations";
    }
}
