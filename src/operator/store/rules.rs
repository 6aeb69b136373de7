//! Which rows go after how long.

use crate::platform::{Home, Sql};

/// Rows of a table that go once a time of theirs is so long past.
pub struct Rule {
    /// The table.
    pub table: &'static str,
    /// How long after that time the rows still live, in seconds.
    pub seconds: i64,
    /// Deletes at most 500 of them. ?1 the time before which they go
    pub sql: Sql,
}

const DAY: i64 = 86_400;

macro_rules! rules {
    ($( $home:ident $table:ident ($first:ident $(, $key:ident)*) by $time:ident after $seconds:expr $(, unless $unless:literal)?; )*) => {
        /// Every rule. A row goes when its time is further past than the rule's seconds.
        pub const RULES: &[Rule] = &[$(Rule {
            table: stringify!($table),
            seconds: $seconds,
            sql: Sql {
                name: concat!("retain_", stringify!($table)),
                text: concat!(
                    "-- retain_", stringify!($table), "\nDELETE FROM ", stringify!($table),
                    " WHERE (", stringify!($first), $(", ", stringify!($key),)*
                    ") IN (SELECT ", stringify!($first), $(", ", stringify!($key),)*
                    " FROM ", stringify!($table), " WHERE ", stringify!($time), " < ?1",
                    $(" AND NOT EXISTS (", $unless, ")",)?
                    " LIMIT 500)"
                ),
                home: Home::$home,
            },
        }),*];
    };
}

rules! {
    Directory operator_token (token_id) by expires_at after 0;
    Directory sign_in_link (link_hash) by expires_at after DAY;
    Directory used_challenge (challenge_hash) by expires_at after 0;
    Directory sign_in_attempt (subject, began_at) by began_at after DAY;
    Directory session (session_hash) by expires_at after 0;
    Directory pending_authorization (pending_id) by expires_at after DAY;
    Directory audit_queue (audit_id) by at after 7 * DAY;
    Directory client (client_id) by expires_at after 0;
    Directory client_assertion (assertion_hash) by expires_at after 0;
    Directory registration_count (origin, hour) by hour after DAY;
    Shard invitation (tenant_id, invitation_id) by expires_at after DAY;
    Shard auth_code (tenant_id, code_hash) by expires_at after DAY;
    Shard oauth_grant (tenant_id, grant_id) by expires_at after 90 * DAY;
    Shard connect_request (tenant_id, connect_id) by expires_at after DAY;
    Shard idempotency (tenant_id, holder, tool, key) by created_at after 7 * DAY;
    Shard change (tenant_id, change_id) by at after 30 * DAY;
    Shard publishing_pause (tenant_id, workspace_id, profile_id) by until after 30 * DAY;
    Shard attempt (tenant_id, delivery_id, number) by started_at after 90 * DAY;
    Shard post_revision (tenant_id, post_id, revision) by at after 90 * DAY;
    Shard audit (tenant_id, audit_id) by at after 365 * DAY;
    Shard post_group (tenant_id, post_id) by deleted_at after 30 * DAY,
        unless "SELECT 1 FROM delivery d JOIN delivery_state s ON s.state = d.state
            WHERE d.tenant_id = post_group.tenant_id AND d.post_id = post_group.post_id AND s.phase = 'busy'";
}

/// The tables without a rule, and why they need none.
pub const KEPT: &[(&str, &str)] = &[
    ("shard_epoch", "one row"),
    ("audit_horizon", "one row"),
    ("tenant_state", "a closed list"),
    ("role", "a closed list"),
    ("sign_in_method", "a closed list"),
    ("client_auth_method", "a closed list"),
    ("network", "a closed list"),
    ("profile_state", "a closed list"),
    ("delivery_state", "a closed list"),
    ("shard", "one row per shard"),
    ("tick", "one row per shard"),
    ("tenant", "names are never given out twice"),
    ("person", "goes with the person's last tenant"),
    ("passkey", "goes with its person"),
    ("upstream_identity", "goes with its person or its provider"),
    ("person_tenant", "goes with its tenant"),
    ("membership", "goes with its tenant"),
    ("provider", "goes with its tenant"),
    ("mail_domain", "goes with its tenant"),
    ("workspace", "goes with its tenant"),
    ("profile", "goes with its tenant"),
    ("profile_secret", "goes with its profile"),
    ("media", "a library that people keep"),
    ("wall_entry", "public until a person removes it"),
    ("app_entry", "goes with its last grant"),
    ("grant_workspace", "goes with its grant"),
    ("refresh_family", "goes with its grant"),
    ("personal_token", "goes with its grant"),
    ("delivery", "goes with its post"),
    ("delivery_part", "goes with its delivery"),
];
