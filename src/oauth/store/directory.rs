//! Clients, and requests that wait for a person's decision.

use crate::platform::statements;

statements! { Directory:
    /// ?1 client ?2 metadata ?3 now
    pub(in crate::oauth) ADD_CLIENT = "add_client", "INSERT INTO client (client_id, metadata, created_at, used_at) VALUES (?1, ?2, ?3, ?3)";

    /// A client that has not expired. ?1 client ?2 the earliest last use that still counts
    pub(in crate::oauth) FIND_CLIENT = "find_client", "SELECT client_id, metadata, used_at FROM client WHERE client_id = ?1 AND used_at > ?2";

    /// Writes down that a client was used. ?1 client ?2 now
    pub(in crate::oauth) TOUCH_CLIENT = "touch_client", "UPDATE client SET used_at = ?2 WHERE client_id = ?1 AND used_at < ?2";

    /// ?1 id ?2 session ?3 request ?4 now ?5 expiry
    pub(in crate::oauth) ADD_PENDING = "add_pending_authorization", "INSERT INTO pending_authorization (pending_id, session_hash, request, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";

    /// A request that this session may still decide. ?1 id ?2 session ?3 now
    pub(in crate::oauth) FIND_PENDING = "find_pending_authorization", "SELECT request FROM pending_authorization
WHERE pending_id = ?1 AND session_hash = ?2 AND decided_at IS NULL AND expires_at > ?3";

    /// Takes the decision: gives a row to exactly one caller. ?1 id ?2 session ?3 now
    pub(in crate::oauth) CLAIM_PENDING = "claim_pending_authorization", "UPDATE pending_authorization SET decided_at = ?3
WHERE pending_id = ?1 AND session_hash = ?2 AND decided_at IS NULL AND expires_at > ?3
RETURNING pending_id";
}
