//! Clients, and requests that wait for a person's decision.

use crate::platform::statements;

statements! { Directory:
    /// Keeps a client that registers itself, unless this hour's registrations are used up; a row when it was kept.
    /// ?1 client ?2 metadata ?3 now ?4 expiry ?5 hour ?6 address ?7 most of all ?8 most of the address
    pub(in crate::oauth) REGISTER_CLIENT = "register_client", "INSERT INTO client (client_id, metadata, created_at, expires_at)
SELECT ?1, ?2, ?3, ?4
WHERE coalesce((SELECT registrations FROM registration_count WHERE origin = 'everyone' AND hour = ?5), 0) < ?7
  AND coalesce((SELECT registrations FROM registration_count WHERE origin = ?6 AND hour = ?5), 0) < ?8
RETURNING client_id";

    /// Counts a registration, if the statement before it wrote one row. ?1 origin ?2 hour
    pub(in crate::oauth) COUNT_REGISTRATION = "count_registration", "INSERT INTO registration_count (origin, hour, registrations)
SELECT ?1, ?2, 1 WHERE changes() = 1
ON CONFLICT (origin, hour) DO UPDATE SET registrations = registrations + 1";

    /// A client of the operator's. ?1 client ?2 metadata ?3 now
    pub(in crate::oauth) ADD_CLIENT = "add_client", "INSERT INTO client (client_id, metadata, created_at) VALUES (?1, ?2, ?3)";

    /// The clients of the operator's. ?1 after this id ?2 most
    pub(in crate::oauth) LIST_CLIENTS = "list_clients", "SELECT client_id, metadata, created_at FROM client
WHERE expires_at IS NULL AND client_id > ?1 ORDER BY client_id LIMIT ?2";

    /// Removes a client of the operator's; a row if there was one. ?1 client
    pub(in crate::oauth) REMOVE_CLIENT = "remove_client", "DELETE FROM client WHERE client_id = ?1 AND expires_at IS NULL RETURNING client_id";

    /// A client that has not expired. ?1 client ?2 now
    pub(in crate::oauth) FIND_CLIENT = "find_client", "SELECT client_id, metadata, expires_at FROM client
WHERE client_id = ?1 AND (expires_at IS NULL OR expires_at > ?2)";

    /// Lets a client that was used live on. ?1 client ?2 expiry
    pub(in crate::oauth) TOUCH_CLIENT = "touch_client", "UPDATE client SET expires_at = ?2 WHERE client_id = ?1 AND expires_at < ?2";

    /// Uses a client's assertion up: gives a row to exactly one caller. ?1 hash of client and id ?2 until when it could be used
    pub(in crate::oauth) USE_ASSERTION = "use_client_assertion", "INSERT INTO client_assertion (assertion_hash, expires_at) VALUES (?1, ?2)
ON CONFLICT (assertion_hash) DO NOTHING RETURNING assertion_hash";

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
