//! The SQL of deliveries, their parts and attempts, and of the epochs.

use crate::platform::statements;

/// What the tick looks at: the predicate of the index `delivery_due`, word for word.
macro_rules! looked_at {
    ($column:literal) => {
        concat!(
            $column,
            " IN ('waiting', 'retrying', 'paused', 'claimed', 'preparing', 'armed', 'sent', 'unknown')"
        )
    };
}

/// Whether the pause `h` holds now, which is ?1, for a delivery of this alias.
macro_rules! paused_now {
    ($delivery:literal) => {
        concat!(
            "h.tenant_id = ",
            $delivery,
            ".tenant_id AND h.workspace_id = ",
            $delivery,
            ".workspace_id AND h.profile_id IN ('', ",
            $delivery,
            ".profile_id) AND (h.until IS NULL OR h.until > ?1)"
        )
    };
}

statements! { Shard:
    /// The shard's epoch.
    pub(super) EPOCH = "delivery_epoch", "SELECT epoch FROM shard_epoch WHERE only_row = 1";

    /// Advances the shard's epoch and gives it, unless the shard is behind the directory. ?1 the directory's epoch
    pub(super) ADVANCE_EPOCH = "delivery_advance_epoch", "UPDATE shard_epoch SET epoch = epoch + 1 WHERE only_row = 1 AND epoch >= ?1 RETURNING epoch";

    /// Brings the shard's epoch up to one. ?1 epoch
    pub(super) RAISE_EPOCH = "delivery_raise_epoch", "UPDATE shard_epoch SET epoch = ?1 WHERE only_row = 1 AND epoch < ?1";

    /// Ends what is later than its workspace allows. ?1 now ?2 at most
    pub(super) MARK_MISSED = "delivery_mark_missed", concat!("UPDATE delivery
SET state = 'missed', reason = 'late', reason_code = 'late', next_at = NULL, lease_token = NULL, updated_at = ?1,
  reason_text = 'Its time passed while nothing could be sent, and it is later than the workspace allows.', provider_words = NULL
WHERE (tenant_id, delivery_id) IN (
  SELECT d.tenant_id, d.delivery_id FROM delivery d
  JOIN workspace w ON w.tenant_id = d.tenant_id AND w.workspace_id = d.workspace_id
  WHERE ", looked_at!("d.state"), " AND d.next_at <= ?1 AND d.state IN ('waiting', 'retrying')
    AND d.next_at + w.grace_seconds * 1000 < ?1
  LIMIT ?2)
RETURNING delivery_id");

    /// Puts on hold what is due while publishing is paused; at most ?2. ?1 now ?3 tenant or NULL for all
    pub(super) PUT_ON_HOLD = "delivery_put_on_hold", concat!("UPDATE delivery
SET state = 'paused', reason = 'on_hold', reason_code = 'publishing_paused', next_at = NULL, lease_token = NULL, provider_words = NULL,
  updated_at = ?1, reason_text = 'Publishing was paused when its time came. The reason given: ' || (
    SELECT h.reason FROM publishing_pause h WHERE ", paused_now!("delivery"), " ORDER BY h.profile_id LIMIT 1)
WHERE (tenant_id, delivery_id) IN (
  SELECT d.tenant_id, d.delivery_id FROM delivery d
  WHERE ", looked_at!("d.state"), " AND d.next_at <= ?1 AND d.state IN ('waiting', 'retrying', 'paused') AND (?3 IS NULL OR d.tenant_id = ?3)
    AND EXISTS (SELECT 1 FROM publishing_pause h WHERE ", paused_now!("d"), ")
  LIMIT ?2)");

    /// Puts off what is due while its network asked its account to wait; at most ?2. ?1 now
    pub(super) PUT_OFF = "delivery_put_off", concat!("UPDATE delivery
SET state = 'retrying', reason = 'retry', reason_code = 'asked_to_wait', lease_token = NULL, provider_words = NULL, updated_at = ?1,
  reason_text = 'The network asked this account to wait.',
  next_at = (SELECT p.not_before FROM profile p WHERE p.tenant_id = delivery.tenant_id AND p.profile_id = delivery.profile_id)
WHERE (tenant_id, delivery_id) IN (
  SELECT d.tenant_id, d.delivery_id FROM delivery d
  JOIN profile p ON p.tenant_id = d.tenant_id AND p.profile_id = d.profile_id AND p.not_before > ?1
  WHERE ", looked_at!("d.state"), " AND d.next_at <= ?1 AND d.state = 'waiting'
  LIMIT ?2)");

    /// Nothing is claimed for an account before its network lets it. ?1 tenant ?2 profile ?3 until
    pub(super) WAIT_FOR = "delivery_wait_for", "UPDATE profile SET not_before = max(coalesce(not_before, 0), ?3)
WHERE tenant_id = ?1 AND profile_id = ?2";

    /// Claims what is to be looked at, at most ?4 of each tenant and ?5 in all, the tenants by turns. A row comes to
    /// one caller only, until its lease ends: for a busy row next_at is that end. Of those whose last claim died, at most
    /// one, so that what kills its process takes no other down with it twice. What is paused, or waits because its network
    /// asked for it, is left; only what may be public already is looked at all the same. ?1 now ?2 token ?3 end of the lease ?6 1, or 0 where whoever
    /// carries it out is another, who may never come
    pub(super) CLAIM = "delivery_claim", concat!("UPDATE delivery
SET state = CASE WHEN state IN ('waiting', 'retrying', 'paused') THEN 'claimed' ELSE state END,
  lease_token = ?2, next_at = ?3, claims = claims + ?6, updated_at = ?1
WHERE (tenant_id, delivery_id) IN (
  SELECT tenant_id, delivery_id FROM (
    SELECT tenant_id, delivery_id, next_at, claims, row_number() OVER (PARTITION BY tenant_id ORDER BY next_at, delivery_id) AS turn,
      row_number() OVER (PARTITION BY claims > 0 ORDER BY claims, next_at, delivery_id) AS trial
    FROM delivery WHERE ", looked_at!("state"), " AND next_at <= ?1
      AND (state IN ('armed', 'unknown') OR NOT EXISTS (SELECT 1 FROM publishing_pause h WHERE ", paused_now!("delivery"), "))
      AND (state <> 'waiting' OR NOT EXISTS (SELECT 1 FROM profile p
        WHERE p.tenant_id = delivery.tenant_id AND p.profile_id = delivery.profile_id AND p.not_before > ?1)))
  WHERE turn <= ?4 AND (claims = 0 OR trial = 1) ORDER BY turn, next_at LIMIT ?5)");

    /// When something is to be looked at soon. ?1 after ?2 until
    pub(super) SOON = "delivery_soon", concat!("SELECT DISTINCT next_at FROM delivery WHERE ", looked_at!("state"), " AND next_at > ?1 AND next_at <= ?2
ORDER BY next_at LIMIT 500");

    /// Whoever was handed a claim begins with it. ?1 end of the lease ?2 token
    pub(super) TAKE_UP = "delivery_take_up", concat!("UPDATE delivery SET claims = claims + 1
WHERE ", looked_at!("state"), " AND next_at = ?1 AND lease_token = ?2");

    /// What a claim took, found by the end of its lease, so that it can be read again when the reply was lost.
    /// ?1 end of the lease ?2 token
    pub(super) CLAIMED = "delivery_claimed", concat!("SELECT d.tenant_id, t.safename, d.delivery_id, d.state AS delivery_state, d.reason, d.due_at, d.plan, d.claims,
  p.profile_id, p.workspace_id, p.network, p.handle, p.name, p.remote_id, p.server, p.state, p.state_why,
  g.content, w.grace_seconds, (g.deleted_at IS NOT NULL OR t.deleted_at IS NOT NULL) AS gone
FROM delivery d
JOIN tenant t ON t.tenant_id = d.tenant_id
JOIN profile p ON p.tenant_id = d.tenant_id AND p.profile_id = d.profile_id
JOIN post_group g ON g.tenant_id = d.tenant_id AND g.post_id = d.post_id
JOIN workspace w ON w.tenant_id = d.tenant_id AND w.workspace_id = d.workspace_id
WHERE ", looked_at!("d.state"), " AND d.next_at = ?1 AND d.lease_token = ?2
ORDER BY d.claims, d.due_at, d.delivery_id");

    /// The parts of what a claim took. ?1 end of the lease ?2 token
    pub(super) CLAIMED_PARTS = "delivery_claimed_parts", concat!("SELECT part.tenant_id, part.delivery_id, part.position, part.state, part.handle, part.remote_id, part.url, part.armed_at
FROM delivery d
JOIN delivery_part part ON part.tenant_id = d.tenant_id AND part.delivery_id = d.delivery_id
WHERE ", looked_at!("d.state"), " AND d.next_at = ?1 AND d.lease_token = ?2
ORDER BY part.tenant_id, part.delivery_id, part.position");

    /// Gives back what a claim took and nobody has touched. ?1 now ?2 token ?3 JSON list of [tenant, delivery]
    pub(super) GIVE_BACK = "delivery_give_back", "UPDATE delivery SET next_at = ?1, claims = max(claims - 1, 0)
WHERE lease_token = ?2 AND (tenant_id, delivery_id) IN (
  SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?3))";

    /// Moves a delivery on under its lease, and changes the lease's token.
    /// ?1 tenant ?2 delivery ?3 token ?4 state before ?5 new token ?6 state after ?7 next_at ?8 reason ?9 its code ?10 its
    /// words ?11 plan or NULL to keep it ?12 address or NULL ?13 time of publishing or NULL ?14 attempts logged ?15 now
    /// ?16 the network's words ?17 whether the claim ends with it
    pub(super) COMMIT = "delivery_commit", "UPDATE delivery
SET lease_token = ?5, state = ?6, next_at = ?7, reason = ?8, reason_code = ?9, reason_text = ?10, provider_words = ?16,
  plan = coalesce(?11, plan), url = coalesce(url, ?12), published_at = coalesce(published_at, ?13),
  attempts = attempts + ?14, claims = CASE WHEN ?17 THEN 0 ELSE claims END, updated_at = ?15
WHERE tenant_id = ?1 AND delivery_id = ?2 AND lease_token = ?3 AND state = ?4
RETURNING delivery_id";

    /// As COMMIT, before an irreversible call: only in the epoch that the tick advanced to, or a later one.
    /// ?1 tenant ?2 delivery ?3 token ?4 state before ?5 new token ?6 end of the lease ?7 plan ?8 now ?9 epoch
    pub(super) ARM = "delivery_arm", "UPDATE delivery
SET lease_token = ?5, state = 'armed', next_at = ?6, reason = NULL, reason_code = NULL, reason_text = NULL, provider_words = NULL,
  plan = ?7, updated_at = ?8
WHERE tenant_id = ?1 AND delivery_id = ?2 AND lease_token = ?3 AND state = ?4
  AND EXISTS (SELECT 1 FROM shard_epoch WHERE only_row = 1 AND epoch >= ?9)
RETURNING delivery_id";

    /// Arms a part of the delivery that the statement before it moved. A part that is armed already keeps what
    /// recognises it. ?1 tenant ?2 delivery ?3 new token ?4 position ?5 kind ?6 handle ?7 now
    pub(super) ARM_PART = "delivery_arm_part", "INSERT INTO delivery_part (tenant_id, delivery_id, position, kind, state, handle, armed_at)
SELECT ?1, ?2, ?4, ?5, 'armed', ?6, ?7 FROM delivery WHERE tenant_id = ?1 AND delivery_id = ?2 AND lease_token = ?3
ON CONFLICT (tenant_id, delivery_id, position) DO UPDATE
SET state = 'armed', handle = excluded.handle, armed_at = excluded.armed_at
WHERE delivery_part.state = 'pending'";

    /// Takes a part back to where nothing irreversible was tried. ?1 tenant ?2 delivery ?3 new token ?4 position
    pub(super) DISARM_PART = "delivery_disarm_part", "UPDATE delivery_part SET state = 'pending', armed_at = NULL
WHERE tenant_id = ?1 AND delivery_id = ?2 AND position = ?4 AND state = 'armed'
  AND EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = ?1 AND d.delivery_id = ?2 AND d.lease_token = ?3)";

    /// A part is public. ?1 tenant ?2 delivery ?3 new token ?4 position ?5 kind ?6 handle ?7 remote id ?8 address ?9 now
    pub(super) SETTLE_PART = "delivery_settle_part", "INSERT INTO delivery_part (tenant_id, delivery_id, position, kind, state, handle, remote_id, url, settled_at)
SELECT ?1, ?2, ?4, ?5, 'live', ?6, ?7, ?8, ?9 FROM delivery WHERE tenant_id = ?1 AND delivery_id = ?2 AND lease_token = ?3
ON CONFLICT (tenant_id, delivery_id, position) DO UPDATE
SET state = 'live', handle = excluded.handle, remote_id = excluded.remote_id, url = excluded.url, settled_at = excluded.settled_at
WHERE delivery_part.state IN ('pending', 'armed')";

    /// Logs an attempt of the delivery that the statement before it moved. Where that one moved nothing the number is
    /// NULL, which aborts the whole batch: so a connector's own statements, behind it, run under the lease only.
    /// ?1 tenant ?2 delivery ?3 new token ?4 start ?5 end ?6 step ?7 outcome ?8 code ?9 words ?10 position of its part or NULL
    pub(super) LOG_ATTEMPT = "delivery_log_attempt", "INSERT INTO attempt (tenant_id, delivery_id, number, started_at, ended_at, step, outcome, code, words, position)
VALUES (?1, ?2, (SELECT attempts FROM delivery WHERE tenant_id = ?1 AND delivery_id = ?2 AND lease_token = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

    /// The token that stands in a delivery. ?1 tenant ?2 delivery
    pub(super) TOKEN = "delivery_token", "SELECT lease_token FROM delivery WHERE tenant_id = ?1 AND delivery_id = ?2";

    /// Makes unknown what may have gone out since the copy was made that the shard was restored from; at most ?2.
    /// ?1 now
    pub(super) DOUBT_OPEN = "delivery_doubt_open", concat!("UPDATE delivery
SET state = 'unknown', reason = 'restored', reason_code = 'restored', next_at = ?1, lease_token = NULL, updated_at = ?1,
  reason_text = 'The database was restored from a backup, and this may have gone out since.', provider_words = NULL
WHERE (tenant_id, delivery_id) IN (
  SELECT tenant_id, delivery_id FROM delivery
  WHERE ", looked_at!("state"), " AND state <> 'unknown' LIMIT ?2)
RETURNING delivery_id");

    /// Marks what is settled and could be sent again by a person, so that it is looked up first.
    pub(super) DOUBT_SETTLED = "delivery_doubt_settled", "UPDATE delivery
SET plan = json_set(coalesce(plan, '{\"v\":1,\"parts\":[],\"settings\":null,\"progress\":null}'), '$.suspect', json('true'))
WHERE state IN ('failed', 'missed', 'cancelled') AND json_extract(plan, '$.suspect') IS NOT 1";

    /// The delivery that has waited longest to be looked at. ?1 now
    pub(super) OLDEST_DUE = "delivery_oldest_due", concat!("SELECT next_at FROM delivery WHERE ", looked_at!("state"), " AND next_at <= ?1
ORDER BY next_at LIMIT 1");

    /// How many outcomes are unknown; 1000 at most.
    pub(super) COUNT_UNKNOWN = "delivery_count_unknown", "SELECT count(*) AS unknown FROM (SELECT 1 FROM delivery WHERE state = 'unknown' LIMIT 1000)";

    /// Forgets attempts older than 90 days. ?1 before ?2 at most
    pub(super) FORGET_ATTEMPTS = "delivery_forget_attempts", "DELETE FROM attempt WHERE (tenant_id, delivery_id, number) IN (
  SELECT tenant_id, delivery_id, number FROM attempt WHERE started_at < ?1 LIMIT ?2)";

    /// A post that the caller may see. ?1 tenant ?2 grant or NULL ?3 post
    pub(super) POST_IN_SIGHT = "delivery_post_in_sight", "SELECT g.workspace_id FROM post_group g
WHERE g.tenant_id = ?1 AND g.post_id = ?3 AND g.deleted_at IS NULL
  AND (?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw
    WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = g.workspace_id))";

    /// The deliveries of a post that the caller may see. ?1 tenant ?2 grant or NULL ?3 post
    pub(super) OF_POST = "delivery_of_post", "SELECT d.tenant_id, t.safename, d.delivery_id, d.state AS delivery_state, d.reason, d.due_at, d.plan, d.claims,
  p.profile_id, p.workspace_id, p.network, p.handle, p.name, p.remote_id, p.server, p.state, p.state_why,
  g.content, w.grace_seconds, w.hold_seconds, 0 AS gone
FROM delivery d
JOIN tenant t ON t.tenant_id = d.tenant_id
JOIN profile p ON p.tenant_id = d.tenant_id AND p.profile_id = d.profile_id
JOIN post_group g ON g.tenant_id = d.tenant_id AND g.post_id = d.post_id
JOIN workspace w ON w.tenant_id = d.tenant_id AND w.workspace_id = d.workspace_id
WHERE d.tenant_id = ?1 AND d.post_id = ?3 AND g.deleted_at IS NULL
  AND (?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw
    WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = d.workspace_id))
ORDER BY d.delivery_id";

    /// The parts of a post's deliveries. ?1 tenant ?2 post
    pub(super) PARTS_OF_POST = "delivery_parts_of_post", "SELECT part.tenant_id, part.delivery_id, part.position, part.state, part.handle, part.remote_id, part.url, part.armed_at
FROM delivery d
JOIN delivery_part part ON part.tenant_id = d.tenant_id AND part.delivery_id = d.delivery_id
WHERE d.tenant_id = ?1 AND d.post_id = ?2
ORDER BY part.delivery_id, part.position";

    /// Sets one delivery off again, if it still stands where the caller saw it. ?1 tenant ?2 delivery ?3 state before
    /// ?4 state after ?5 next_at ?6 now
    pub(super) RETRY = "delivery_retry", "UPDATE delivery
SET state = ?4, next_at = ?5, lease_token = NULL, reason = CASE WHEN ?4 = 'unknown' THEN coalesce(reason, 'unconfirmed') END,
  reason_code = NULL, reason_text = NULL, provider_words = NULL, updated_at = ?6,
  claims = 0,
  plan = CASE WHEN plan IS NULL THEN NULL ELSE json_set(plan, '$.stale', json('true'), '$.tries', 0, '$.looks', 0, '$.polls', 0) END
WHERE tenant_id = ?1 AND delivery_id = ?2 AND state = ?3";

    /// A person says of an unknown outcome that it is public, or that it is not and goes out again. Also a commit whose
    /// look-up is under way is fenced off. ?1 tenant ?2 delivery ?3 state after ?4 next_at ?5 reason ?6 code ?7 words
    /// ?8 address or NULL ?9 time of publishing or NULL ?10 now
    pub(super) CONFIRM = "delivery_confirm", "UPDATE delivery
SET state = ?3, next_at = ?4, lease_token = NULL, reason = ?5, reason_code = ?6, reason_text = ?7, provider_words = NULL,
  url = coalesce(?8, url), published_at = coalesce(published_at, ?9), attempts = attempts + 1, claims = 0, updated_at = ?10,
  plan = CASE WHEN plan IS NULL THEN NULL
    ELSE json_set(plan, '$.stale', json('true'), '$.suspect', json('false'), '$.look', json('false'), '$.tries', 0, '$.looks', 0, '$.polls', 0) END
WHERE tenant_id = ?1 AND delivery_id = ?2 AND state = 'unknown'";

    /// The parts that a person saw are public. ?1 tenant ?2 delivery ?3 JSON list of [position, kind] ?4 address of the
    /// first of them or NULL ?5 now
    pub(super) CONFIRM_LIVE = "delivery_confirm_live", "INSERT INTO delivery_part (tenant_id, delivery_id, position, kind, state, url, settled_at)
SELECT ?1, ?2, j.value->>0, j.value->>1, 'live', CASE WHEN j.key = 0 THEN ?4 END, ?5 FROM json_each(?3) j WHERE true
ON CONFLICT (tenant_id, delivery_id, position) DO UPDATE
SET state = 'live', url = coalesce(excluded.url, delivery_part.url), settled_at = excluded.settled_at
WHERE delivery_part.state IN ('pending', 'armed')";

    /// The parts that a person did not find are not public. ?1 tenant ?2 delivery
    pub(super) CONFIRM_ABSENT = "delivery_confirm_absent", "UPDATE delivery_part SET state = 'pending', armed_at = NULL
WHERE tenant_id = ?1 AND delivery_id = ?2 AND state = 'armed'";

    /// Logs what a person said. ?1 tenant ?2 delivery ?3 now ?4 outcome
    pub(super) LOG_WORD = "delivery_log_word", "INSERT INTO attempt (tenant_id, delivery_id, number, started_at, ended_at, step, outcome)
SELECT ?1, ?2, attempts, ?3, ?3, 'confirm', ?4 FROM delivery WHERE tenant_id = ?1 AND delivery_id = ?2";

    /// Pauses publishing, or changes a pause. ?1 tenant ?2 workspace ?3 JSON list of profiles, or of '' for all of the
    /// workspace ?4 until or NULL ?5 reason ?6 person ?7 now
    pub(super) PAUSE = "delivery_pause", "INSERT INTO publishing_pause (tenant_id, workspace_id, profile_id, until, reason, user_id, created_at)
SELECT ?1, ?2, j.value, ?4, ?5, ?6, ?7 FROM json_each(?3) j WHERE true
ON CONFLICT (tenant_id, workspace_id, profile_id) DO UPDATE
SET until = excluded.until, reason = excluded.reason, user_id = excluded.user_id, created_at = excluded.created_at";

    /// A workspace's pauses. ?1 tenant ?2 workspace ?3 now
    pub(super) PAUSES = "delivery_pauses", "SELECT profile_id FROM publishing_pause
WHERE tenant_id = ?1 AND workspace_id = ?2 AND (until IS NULL OR until > ?3)";

    /// Ends a workspace's pauses. ?1 tenant ?2 workspace ?3 JSON list of profiles, or NULL for all
    pub(super) END_PAUSES = "delivery_end_pauses", "DELETE FROM publishing_pause
WHERE tenant_id = ?1 AND workspace_id = ?2 AND (?3 IS NULL OR profile_id IN (SELECT value FROM json_each(?3)))";

    /// What lies on hold in a workspace, the longest overdue first; at most ?3. ?1 tenant ?2 workspace
    pub(super) ON_HOLD = "delivery_on_hold", "SELECT delivery_id, profile_id FROM delivery
WHERE tenant_id = ?1 AND workspace_id = ?2 AND state = 'paused' AND reason = 'on_hold' ORDER BY due_at LIMIT ?3";

    /// When profiles have posts to come. ?1 tenant ?2 JSON list of profiles ?3 from ?4 to
    pub(super) AHEAD = "delivery_ahead", "SELECT d.profile_id, d.due_at FROM json_each(?2) j
CROSS JOIN delivery d ON d.tenant_id = ?1 AND d.profile_id = j.value AND d.due_at BETWEEN ?3 AND ?4
WHERE d.state IN ('waiting', 'retrying') LIMIT 2000";

    /// Takes deliveries out of their hold: to their new times, or to the end. The plus keeps it to the key: an index on what
    /// is paused would read all of it. ?1 tenant ?2 JSON list of {delivery, at} ?3 now
    pub(super) SETTLE_HELD = "delivery_settle_held", "UPDATE delivery
SET state = CASE WHEN j.value->>'at' IS NULL THEN 'missed' ELSE 'waiting' END, next_at = j.value->>'at',
  due_at = coalesce(j.value->>'at', delivery.due_at), reason = CASE WHEN j.value->>'at' IS NULL THEN 'late' END,
  reason_code = CASE WHEN j.value->>'at' IS NULL THEN 'skipped' END,
  reason_text = CASE WHEN j.value->>'at' IS NULL THEN 'Its time passed while publishing was paused, and it was skipped when that ended.' END,
  updated_at = ?3
FROM json_each(?2) j
WHERE delivery.tenant_id = ?1 AND delivery.delivery_id = j.value->>'delivery' AND +delivery.state = 'paused' AND delivery.reason = 'on_hold'";

    /// A part is no longer on the network. ?1 tenant ?2 delivery ?3 position
    pub(super) PART_REMOVED = "delivery_part_removed", "UPDATE delivery_part SET state = 'removed'
WHERE tenant_id = ?1 AND delivery_id = ?2 AND position = ?3 AND state = 'live'";

    /// A delivery none of whose parts is live any more. ?1 tenant ?2 delivery ?3 now
    pub(super) REMOVED = "delivery_removed", "UPDATE delivery SET removed_at = coalesce(removed_at, ?3), updated_at = ?3
WHERE tenant_id = ?1 AND delivery_id = ?2
  AND NOT EXISTS (SELECT 1 FROM delivery_part part
    WHERE part.tenant_id = ?1 AND part.delivery_id = ?2 AND part.state IN ('live', 'armed'))";
}

/// The directory's side: epochs, holds and the record of ticks.
pub(super) mod directory {
    use crate::platform::statements;

    statements! { Directory:
        /// Makes the shard known. ?1 shard
        pub(in super::super) KNOW_SHARD = "shard_know", "INSERT OR IGNORE INTO shard (shard) VALUES (?1)";

        /// What the directory knows of a shard, and how its last tick went. ?1 shard
        pub(in super::super) SHARD = "shard_read", "SELECT s.epoch, s.held_since, s.held_why, t.started_at, t.ended_at, t.good_at, t.fault
    FROM shard s LEFT JOIN tick t ON t.shard = s.shard WHERE s.shard = ?1";

        /// Brings the directory's epoch up to the shard's. ?1 shard ?2 epoch
        pub(in super::super) RAISE_EPOCH = "shard_raise_epoch", "UPDATE shard SET epoch = ?2 WHERE shard = ?1 AND epoch < ?2 AND held_since IS NULL";

        /// Puts a shard on hold, unless it is. ?1 shard ?2 now ?3 why
        pub(in super::super) HOLD = "shard_hold", "UPDATE shard SET held_since = ?2, held_why = ?3 WHERE shard = ?1 AND held_since IS NULL";

        /// Ends a hold. ?1 shard ?2 epoch
        pub(in super::super) LIFT_HOLD = "shard_lift_hold", "UPDATE shard SET held_since = NULL, held_why = NULL, epoch = max(epoch, ?2) WHERE shard = ?1";

        /// A tick begins. ?1 shard ?2 now
        pub(in super::super) TICK_BEGINS = "tick_begins", "INSERT INTO tick (shard, started_at) VALUES (?1, ?2)
    ON CONFLICT (shard) DO UPDATE SET started_at = excluded.started_at, ended_at = NULL";

        /// A tick ends. ?1 shard ?2 now ?3 counts ?4 fault or NULL
        pub(in super::super) TICK_ENDS = "tick_ends", "UPDATE tick SET ended_at = ?2, counts = ?3, fault = ?4,
  good_at = CASE WHEN ?4 IS NULL THEN ?2 ELSE good_at END
WHERE shard = ?1";
    }
}
pub use directory::STATEMENTS as DIRECTORY_STATEMENTS;
