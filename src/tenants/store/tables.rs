//! Every table of a shard that holds a tenant's data: what of it is exported, and in which order it is erased.

use crate::platform::{Home, Sql};

/// A table of a shard whose rows belong to a tenant.
pub struct TenantTable {
    /// Its name.
    pub name: &'static str,
    /// Its key, less the tenant.
    pub key: &'static [&'static str],
    /// What is exported besides the tenant and the key.
    pub columns: &'static [&'static str],
    /// What never leaves: secrets and their hashes, and what is made from other columns.
    pub secret: &'static [&'static str],
    /// A page of its rows. ?1 tenant, then the key of the row before, then the limit.
    pub export: Sql,
    /// Erases some of its rows and gives one row for each. ?1 tenant ?2 limit
    pub erase: Sql,
}

/// The parameters of a key of one to three columns after `?1`, and of the limit behind them.
macro_rules! after_key {
    ($a:ident) => {
        "?1, ?2"
    };
    ($a:ident $b:ident) => {
        "?1, ?2, ?3"
    };
    ($a:ident $b:ident $c:ident) => {
        "?1, ?2, ?3, ?4"
    };
}
macro_rules! limit_after_key {
    ($a:ident) => {
        "?3"
    };
    ($a:ident $b:ident) => {
        "?4"
    };
    ($a:ident $b:ident $c:ident) => {
        "?5"
    };
}

macro_rules! tenant_tables {
    ($( $table:ident ($($key:ident),+) [$($column:ident),*] secret [$($secret:ident),*]; )*) => {
        /// Every such table, those that refer to others first.
        pub const TABLES: &[TenantTable] = &[$(TenantTable {
            name: stringify!($table),
            key: &[$(stringify!($key)),+],
            columns: &[$(stringify!($column)),*],
            secret: &[$(stringify!($secret)),*],
            export: Sql {
                name: concat!("export_", stringify!($table)),
                text: concat!(
                    "-- export_", stringify!($table), "\nSELECT tenant_id",
                    $(", ", stringify!($key),)+ $(", ", stringify!($column),)*
                    " FROM ", stringify!($table),
                    " WHERE tenant_id = ?1 AND (tenant_id", $(", ", stringify!($key),)+
                    ") > (", after_key!($($key)+),
                    ") ORDER BY tenant_id", $(", ", stringify!($key),)+ " LIMIT ", limit_after_key!($($key)+)
                ),
                home: Home::Shard,
            },
            erase: Sql {
                name: concat!("erase_", stringify!($table)),
                text: concat!(
                    "-- erase_", stringify!($table), "\nDELETE FROM ", stringify!($table),
                    " WHERE (tenant_id", $(", ", stringify!($key),)+
                    ") IN (SELECT tenant_id", $(", ", stringify!($key),)+
                    " FROM ", stringify!($table), " WHERE tenant_id = ?1 LIMIT ?2) RETURNING tenant_id"
                ),
                home: Home::Shard,
            },
        }),*];
    };
}

tenant_tables! {
    wall_entry (entry_id) [profile_id, delivery_id, position, content, published_at] secret [];
    attempt (delivery_id, number) [position, started_at, ended_at, step, outcome, code, words] secret [];
    publishing_pause (workspace_id, profile_id) [until, reason, user_id, created_at] secret [];
    delivery_part (delivery_id, position) [kind, state, handle, remote_id, url, armed_at, settled_at] secret [];
    delivery (delivery_id) [post_id, profile_id, workspace_id, network, state, due_at, next_at, attempts, claims, reason,
        reason_code, reason_text, provider_words, plan, url, published_at, removed_at, created_at, updated_at] secret [lease_token];
    change (change_id) [holder, act, posts, at, undone_at] secret [];
    post_revision (post_id, revision) [content, due_at, due_local, due_zone, deleted, at] secret [];
    post_group (post_id) [workspace_id, revision, content, content_hash, due_at, due_local, due_zone, user_id,
        grant_id, scheduled_by, created_at, updated_at, deleted_at] secret [searched];
    media (media_id) [workspace_id, hash, content_type, bytes, width, height, alt, created_at] secret [];
    connect_request (connect_id) [workspace_id, network, profile_id, user_id, created_at, expires_at, used_at]
        secret [];
    profile_secret (profile_id, kind) [origin, expires_at, updated_at] secret [sealed];
    profile (profile_id) [workspace_id, network, handle, name, remote_id, server, state, state_why, settings,
        not_before, created_at, updated_at] secret [lease_token, lease_until];
    idempotency (holder, tool, key) [created_at] secret [body_hash, result];
    audit (audit_id) [at, user_id, client_id, grant_id, act, subjects, outcome] secret [];
    refresh_family (family_id) [grant_id, resource, token_number, rotated_at, first_uses, replays, expires_at,
        ended_at] secret [secret];
    personal_token (grant_id) [in_address, label] secret [token_hash];
    auth_code (grant_id, created_at) [client_id, redirect_uri, redirect_given, resource, expires_at, used_at]
        secret [code_hash, challenge];
    grant_workspace (grant_id, workspace_id) [] secret [];
    oauth_grant (grant_id) [app_id, user_id, client_id, capabilities, offline, client_auth, signed_in_by, generation,
        created_at, expires_at, used_at, used_from, selection, wanted, wanted_at, revoked_at, revoked_why] secret [];
    app_entry (app_id) [user_id, client_id, client_name, created_at] secret [];
    provider (provider_id) [name, issuer, client_id, created_at, removed_at] secret [sealed];
    mail_domain (domain) [role, token, created_at, proved_at] secret [];
    workspace (workspace_id) [name, time_zone, grace_seconds, notice_seconds, hold_seconds, created_at] secret [];
    invitation (invitation_id) [email, user_id, role, approver, mailed, invited_by, created_at, expires_at, used_at,
        used_by, withdrawn_at] secret [link_hash];
    membership (user_id) [role, approver, name, email, created_at, ended_at] secret [];
    tenant (safename) [name, settings, created_at, deleted_at, step] secret [wrapped_key];
}
