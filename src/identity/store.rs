//! The SQL of people, links, attempts and sessions.

use crate::platform::statements;

statements! { Directory:
    /// A live session and its person. ?1 hash ?2 now ?3 the earliest last use that still counts
    pub(super) FIND_SESSION = "find_session", "SELECT s.session_hash, s.session_id, s.user_id, s.tenant_id, s.method, s.signed_in_at, s.seen_at, p.name, p.email
FROM session s JOIN person p ON p.user_id = s.user_id
WHERE s.session_hash = ?1 AND s.expires_at > ?2 AND s.seen_at > ?3";

    /// Writes down that a session was used. ?1 hash ?2 now
    pub(super) TOUCH_SESSION = "touch_session", "UPDATE session SET seen_at = ?2 WHERE session_hash = ?1 AND seen_at < ?2";

    /// A person's live sessions. ?1 person ?2 now ?3 the earliest last use that still counts
    pub(super) SESSIONS_OF_PERSON = "sessions_of_person", "SELECT session_id, method, browser, signed_in_at, seen_at FROM session
WHERE user_id = ?1 AND expires_at > ?2 AND seen_at > ?3 LIMIT 200";

    /// ?1 hash
    pub(super) END_SESSION = "end_session", "DELETE FROM session WHERE session_hash = ?1";

    /// ?1 person ?2 session
    pub(super) END_SESSION_OF_PERSON = "end_session_of_person", "DELETE FROM session WHERE user_id = ?1 AND session_id = ?2";

    /// ?1 person
    pub(super) END_SESSIONS_OF_PERSON = "end_sessions_of_person", "DELETE FROM session WHERE user_id = ?1";

    /// Links that were not used work no more. ?1 person ?2 now
    pub(super) END_LINKS_OF_PERSON = "end_links_of_person", "UPDATE sign_in_link SET used_at = ?2 WHERE user_id = ?1 AND used_at IS NULL";

    /// Ends a browser's former session if the new one has begun. ?1 former hash or NULL ?2 new hash
    pub(super) END_FORMER_SESSION = "end_former_session", "DELETE FROM session
WHERE session_hash = ?1 AND EXISTS (SELECT 1 FROM session WHERE session_hash = ?2)";

    /// A link that works in every browser. ?1 hash ?2 person ?3 now ?4 expiry
    pub(super) ADD_LINK = "add_link", "INSERT INTO sign_in_link (link_hash, user_id, method, created_at, expires_at)
VALUES (?1, ?2, 'link', ?3, ?4)";

    /// A link for whoever has this address, if anybody has. ?1 hash ?2 address ?3 browser ?4 code's tag ?5 now ?6 expiry
    pub(super) ADD_MAILED_LINK = "add_mailed_link", "INSERT INTO sign_in_link (link_hash, user_id, method, browser_hash, code_tag, created_at, expires_at)
SELECT ?1, user_id, 'email', ?3, ?4, ?5, ?6 FROM person WHERE email = ?2";

    /// Whom a link that still works signs in, and whether it does in this browser without a code. ?1 hash ?2 now ?3 browser or NULL
    pub(super) FIND_LINK = "find_link", "SELECT p.user_id, p.name, p.email, l.browser_hash IS NULL OR l.browser_hash IS ?3 AS here
FROM sign_in_link l JOIN person p ON p.user_id = l.user_id
WHERE l.link_hash = ?1 AND l.used_at IS NULL AND l.expires_at > ?2";

    /// Counts a code that was typed, and gives the tag of the right one as long as there are tries left. ?1 hash ?2 now ?3 tries
    pub(super) TRY_CODE = "try_code", "UPDATE sign_in_link SET tries = tries + 1
WHERE link_hash = ?1 AND used_at IS NULL AND expires_at > ?2 AND code_tag IS NOT NULL AND tries < ?3
RETURNING code_tag, user_id";

    /// Whose a link is or was. ?1 hash
    pub(super) PERSON_OF_LINK = "person_of_link", "SELECT user_id FROM sign_in_link WHERE link_hash = ?1";

    /// Uses a link up: changes one row for exactly one caller. ?1 hash ?2 now ?3 browser or NULL ?4 whether the right code was typed
    pub(super) USE_LINK = "use_link", "UPDATE sign_in_link SET used_at = ?2
WHERE link_hash = ?1 AND used_at IS NULL AND expires_at > ?2 AND (browser_hash IS NULL OR browser_hash IS ?3 OR ?4 = 1)";

    /// Begins a session if the statement before it used the link up.
    /// ?1 link's hash ?2 session's hash ?3 session's id ?4 browser ?5 now ?6 expiry
    pub(super) BEGIN_SESSION_BY_LINK = "begin_session_by_link", "INSERT INTO session (session_hash, session_id, user_id, method, browser, created_at, signed_in_at, seen_at, expires_at)
SELECT ?2, ?3, user_id, method, ?4, ?5, ?5, ?5, ?6 FROM sign_in_link WHERE link_hash = ?1 AND changes() = 1
RETURNING session_hash";

    /// Counts an attempt: gives a row as long as there are fewer than `?3`. ?1 subject ?2 when its hour began ?3 most
    pub(super) COUNT_ATTEMPT = "count_attempt", "INSERT INTO sign_in_attempt (subject, began_at, count) VALUES (?1, ?2, 1)
ON CONFLICT (subject, began_at) DO UPDATE SET count = count + 1 WHERE count < ?3
RETURNING count";

    /// The same, if the statement before it counted one.
    pub(super) COUNT_ATTEMPT_TOO = "count_attempt_too", "INSERT INTO sign_in_attempt (subject, began_at, count)
SELECT ?1, ?2, 1 WHERE changes() = 1
ON CONFLICT (subject, began_at) DO UPDATE SET count = count + 1 WHERE count < ?3
RETURNING count";

    /// ?1 address
    pub(super) FIND_PERSON = "find_person", "SELECT user_id, name, email FROM person WHERE email = ?1";

    /// Adds a person unless there is one with this address. ?1 id ?2 address ?3 name ?4 now ?5 when the address was proved, or NULL
    pub(super) ADD_PERSON = "add_person", "INSERT INTO person (user_id, email, name, created_at, proved_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (email) DO NOTHING";

    /// Ends the sessions of a person who was not proved, but for the one that proves the address: the person that is named,
    /// or whose session was begun by e-mail. ?1 person or NULL ?2 session or NULL
    pub(super) END_UNPROVED_SESSIONS = "end_unproved_sessions", "DELETE FROM session
WHERE session_hash IS NOT ?2 AND user_id = (SELECT p.user_id FROM person p
  WHERE p.proved_at IS NULL AND p.user_id = coalesce(?1, (SELECT s.user_id FROM session s WHERE s.session_hash = ?2 AND s.method = 'email')))";

    /// Takes away the passkeys of the same. ?1 person or NULL ?2 session or NULL
    pub(super) END_UNPROVED_PASSKEYS = "end_unproved_passkeys", "DELETE FROM passkey
WHERE user_id = (SELECT p.user_id FROM person p
  WHERE p.proved_at IS NULL AND p.user_id = coalesce(?1, (SELECT s.user_id FROM session s WHERE s.session_hash = ?2 AND s.method = 'email')))";

    /// Unlinks what the same is elsewhere. ?1 person or NULL ?2 session or NULL
    pub(super) END_UNPROVED_IDENTITIES = "end_unproved_identities", "DELETE FROM upstream_identity
WHERE user_id = (SELECT p.user_id FROM person p
  WHERE p.proved_at IS NULL AND p.user_id = coalesce(?1, (SELECT s.user_id FROM session s WHERE s.session_hash = ?2 AND s.method = 'email')))";

    /// Takes the address of the same for proved. ?1 person or NULL ?2 session or NULL ?3 now
    pub(super) PROVE_PERSON = "prove_person", "UPDATE person SET proved_at = ?3
WHERE proved_at IS NULL AND user_id = coalesce(?1, (SELECT s.user_id FROM session s WHERE s.session_hash = ?2 AND s.method = 'email'))";

    /// Lets a person in by an invitation: changes one row for exactly one caller. ?1 person ?2 now
    pub(super) ENTER = "enter", "UPDATE person SET entered_at = ?2 WHERE user_id = ?1 AND entered_at IS NULL";

    /// Begins a session if the statement before it let the person in.
    /// ?1 person ?2 session's hash ?3 session's id ?4 browser ?5 now ?6 expiry
    pub(super) BEGIN_SESSION_BY_INVITATION = "begin_session_by_invitation", "INSERT INTO session (session_hash, session_id, user_id, method, browser, created_at, signed_in_at, seen_at, expires_at)
SELECT ?2, ?3, user_id, 'invitation', ?4, ?5, ?5, ?5, ?6 FROM person WHERE user_id = ?1 AND changes() = 1
RETURNING session_hash";

    /// Uses a challenge up; one that was used before aborts the batch. ?1 hash ?2 expiry
    pub(super) USE_CHALLENGE = "use_challenge", "INSERT INTO used_challenge (challenge_hash, expires_at) VALUES (?1, ?2)";

    /// ?1 person
    pub(super) PASSKEYS_OF_PERSON = "passkeys_of_person", "SELECT passkey_id, credential_id, name, synced, created_at, used_at
FROM passkey WHERE user_id = ?1 LIMIT 100";

    /// Adds a passkey to a person who has fewer than `?9`; a credential that is there already aborts the batch.
    /// ?1 id ?2 credential ?3 person ?4 key ?5 counter ?6 synced ?7 name ?8 now ?9 most
    pub(super) ADD_PASSKEY = "add_passkey", "INSERT INTO passkey (passkey_id, credential_id, user_id, public_key, counter, synced, name, created_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
WHERE (SELECT count(passkey_id) FROM passkey WHERE user_id = ?3) < ?9
RETURNING passkey_id";

    /// ?1 person ?2 passkey
    pub(super) REMOVE_PASSKEY = "remove_passkey", "DELETE FROM passkey WHERE user_id = ?1 AND passkey_id = ?2";

    /// ?1 credential
    pub(super) FIND_PASSKEY = "find_passkey", "SELECT passkey_id, user_id, public_key, synced FROM passkey WHERE credential_id = ?1";

    /// Writes down that a passkey was used, if its counter went on or there is none: otherwise it was copied.
    /// ?1 passkey ?2 counter ?3 now
    pub(super) USE_PASSKEY = "use_passkey", "UPDATE passkey SET counter = ?2, used_at = ?3
WHERE passkey_id = ?1 AND (counter < ?2 OR counter = 0 AND ?2 = 0)";

    /// Begins a session if the statement before it used the passkey.
    /// ?1 passkey ?2 session's hash ?3 session's id ?4 browser ?5 now ?6 expiry
    pub(super) BEGIN_SESSION_BY_PASSKEY = "begin_session_by_passkey", "INSERT INTO session (session_hash, session_id, user_id, method, browser, created_at, signed_in_at, seen_at, expires_at)
SELECT ?2, ?3, user_id, 'passkey', ?4, ?5, ?5, ?5, ?6 FROM passkey WHERE passkey_id = ?1 AND changes() = 1
RETURNING session_hash";
}
