//! The SQL of providers and of who is linked to whom.

pub mod shard {
    //! Providers.

    use crate::platform::statements;

    statements! { Shard:
        /// ?1 tenant
        pub(in crate::identity::upstream) LIST = "list_providers", "SELECT provider_id, name, issuer, client_id
    FROM provider WHERE tenant_id = ?1 AND removed_at IS NULL ORDER BY provider_id LIMIT 20";

        /// A provider with its secret and what opens it. ?1 tenant ?2 provider
        pub(in crate::identity::upstream) FIND = "find_provider", "SELECT p.provider_id, p.name, p.issuer, p.client_id, p.sealed, t.wrapped_key
    FROM provider p JOIN tenant t ON t.tenant_id = p.tenant_id
    WHERE p.tenant_id = ?1 AND p.provider_id = ?2 AND p.removed_at IS NULL";

        /// The key that a provider's secret is sealed under. ?1 tenant
        pub(in crate::identity::upstream) TENANT_KEY = "providers_tenant_key", "SELECT wrapped_key FROM tenant WHERE tenant_id = ?1 AND deleted_at IS NULL";

        /// Adds a provider, if the person manages the tenant and it has fewer than `?9`.
        /// ?1 tenant ?2 provider ?3 name ?4 issuer ?5 client ?6 sealed secret ?7 person ?8 now ?9 most
        pub(in crate::identity::upstream) ADD = "add_provider", "INSERT INTO provider (tenant_id, provider_id, name, issuer, client_id, sealed, created_at)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?8
    WHERE EXISTS (SELECT 1 FROM membership me
        WHERE me.tenant_id = ?1 AND me.user_id = ?7 AND me.ended_at IS NULL AND me.role IN ('owner', 'admin'))
      AND (SELECT count(p.provider_id) FROM provider p WHERE p.tenant_id = ?1 AND p.removed_at IS NULL) < ?9";

        /// ?1 tenant ?2 provider ?3 sealed secret ?4 person
        pub(in crate::identity::upstream) REPLACE_SECRET = "replace_provider_secret", "UPDATE provider SET sealed = ?3
    WHERE tenant_id = ?1 AND provider_id = ?2 AND removed_at IS NULL AND EXISTS (SELECT 1 FROM membership me
        WHERE me.tenant_id = ?1 AND me.user_id = ?4 AND me.ended_at IS NULL AND me.role IN ('owner', 'admin'))";

        /// Ends a provider and forgets its secret. ?1 tenant ?2 provider ?3 now ?4 person
        pub(in crate::identity::upstream) REMOVE = "remove_provider", "UPDATE provider SET removed_at = ?3, sealed = ''
    WHERE tenant_id = ?1 AND provider_id = ?2 AND removed_at IS NULL AND EXISTS (SELECT 1 FROM membership me
        WHERE me.tenant_id = ?1 AND me.user_id = ?4 AND me.ended_at IS NULL AND me.role IN ('owner', 'admin'))";

        /// Providers that were removed and are not yet gone. ?1 now ?2 limit
        pub(in crate::identity::upstream) REMOVED = "removed_providers", "SELECT tenant_id, provider_id FROM provider WHERE removed_at <= ?1 LIMIT ?2";

        /// ?1 tenant ?2 provider
        pub(in crate::identity::upstream) FORGET = "forget_provider", "DELETE FROM provider WHERE tenant_id = ?1 AND provider_id = ?2 AND removed_at IS NOT NULL";
    }
}

pub mod directory {
    //! Who is linked to whom.

    use crate::platform::statements;

    statements! { Directory:
        /// Whom somebody upstream is here. ?1 tenant ?2 provider ?3 subject
        pub(in crate::identity::upstream) FIND_IDENTITY = "find_upstream_identity", "SELECT user_id FROM upstream_identity
    WHERE tenant_id = ?1 AND provider_id = ?2 AND subject = ?3";

        /// ?1 person
        pub(in crate::identity::upstream) IDENTITIES_OF_PERSON = "identities_of_person", "SELECT tenant_id, provider_id, label, created_at, used_at
    FROM upstream_identity WHERE user_id = ?1 LIMIT 200";

        /// Links somebody upstream to a person; a link that is there already, from either side, aborts the batch.
        /// ?1 tenant ?2 provider ?3 subject ?4 person ?5 label ?6 now
        pub(in crate::identity::upstream) LINK = "link_upstream_identity", "INSERT INTO upstream_identity (tenant_id, provider_id, subject, user_id, label, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

        /// ?1 person ?2 tenant ?3 provider
        pub(in crate::identity::upstream) UNLINK = "unlink_upstream_identity", "DELETE FROM upstream_identity
    WHERE user_id = ?1 AND tenant_id = ?2 AND provider_id = ?3";

        /// Ends the sessions that a provider began for a person. ?1 person ?2 tenant ?3 provider
        pub(in crate::identity::upstream) END_SESSIONS_THROUGH = "end_sessions_through_provider", "DELETE FROM session
    WHERE user_id = ?1 AND tenant_id = ?2 AND provider_id = ?3";

        /// A new person, unless somebody has the address: it makes nobody anybody's. ?1 id ?2 address ?3 name ?4 now
        pub(in crate::identity::upstream) ADD_NEWCOMER = "add_newcomer", "INSERT INTO person (user_id, email, name, created_at, proved_at)
    VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (email) DO NOTHING";

        /// Links somebody upstream to the person whom the statement before it made.
        /// ?1 tenant ?2 provider ?3 subject ?4 person ?5 label ?6 now
        pub(in crate::identity::upstream) LINK_NEWCOMER = "link_newcomer", "INSERT INTO upstream_identity (tenant_id, provider_id, subject, user_id, label, created_at)
    SELECT ?1, ?2, ?3, user_id, ?5, ?6 FROM person WHERE user_id = ?4 AND changes() = 1
    RETURNING user_id";

        /// Writes down that a link was used. ?1 tenant ?2 provider ?3 subject ?4 person ?5 now
        pub(in crate::identity::upstream) USE_IDENTITY = "use_upstream_identity", "UPDATE upstream_identity SET used_at = ?5
    WHERE tenant_id = ?1 AND provider_id = ?2 AND subject = ?3 AND user_id = ?4";

        /// Begins a session for that tenant alone if the statement before it used the link.
        /// ?1 tenant ?2 provider ?3 session's hash ?4 session's id ?5 browser ?6 now ?7 expiry ?8 subject ?9 when the person signed in there
        pub(in crate::identity::upstream) BEGIN_SESSION = "begin_session_by_provider", "INSERT INTO session (session_hash, session_id, user_id, method, browser, created_at, signed_in_at, seen_at, expires_at, tenant_id, provider_id)
    SELECT ?3, ?4, user_id, 'provider', ?5, ?6, ?9, ?6, ?7, tenant_id, provider_id FROM upstream_identity
    WHERE tenant_id = ?1 AND provider_id = ?2 AND subject = ?8 AND changes() = 1
    RETURNING session_hash";

        /// ?1 tenant ?2 provider
        pub(in crate::identity::upstream) END_SESSIONS_OF_PROVIDER = "end_sessions_of_provider", "DELETE FROM session WHERE tenant_id = ?1 AND provider_id = ?2";

        /// ?1 tenant ?2 provider
        pub(in crate::identity::upstream) END_IDENTITIES_OF_PROVIDER = "end_identities_of_provider", "DELETE FROM upstream_identity WHERE tenant_id = ?1 AND provider_id = ?2";
    }
}
