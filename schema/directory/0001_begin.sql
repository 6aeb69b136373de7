-- Tenants, people and how they sign in, OAuth clients. Small, rarely written.

CREATE TABLE tenant_state (state TEXT PRIMARY KEY) STRICT;
INSERT INTO tenant_state (state) VALUES ('creating'), ('active'), ('deleting'), ('erasing'), ('deleted');

-- Safenames are never given out twice: the row stays when the tenant is gone. `pending`: what `state` says is not yet
-- carried out on the shard; `step` counts such changes, so that a late one never undoes a newer. `founding`: what a
-- tenant in creation is made from.
CREATE TABLE tenant (
  tenant_id TEXT PRIMARY KEY CHECK (length(tenant_id) BETWEEN 8 AND 64),
  safename TEXT NOT NULL UNIQUE CHECK (length(safename) BETWEEN 3 AND 40),
  shard INTEGER NOT NULL,
  state TEXT NOT NULL REFERENCES tenant_state (state),
  created_at INTEGER NOT NULL,
  delete_after INTEGER,
  step INTEGER NOT NULL DEFAULT 1,
  pending INTEGER NOT NULL DEFAULT 0 CHECK (pending IN (0, 1)),
  founding TEXT CHECK (founding IS NULL OR json_valid(founding))
) STRICT;
CREATE INDEX tenant_pending ON tenant (tenant_id) WHERE pending = 1;
CREATE INDEX tenant_deleting ON tenant (delete_after) WHERE delete_after IS NOT NULL;

-- What the directory knows of each shard: the epoch it had when it last sent anything, and whether it may send.
CREATE TABLE shard (
  shard INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL DEFAULT 0,
  held_since INTEGER,
  held_why TEXT CHECK (held_why IS NULL OR length(held_why) <= 500)
) STRICT;

-- `proved_at`: when the person was seen to have the address, or the operator said so; until then somebody else may have made
-- the person, and has to go when the one with the address comes. `entered_at`: when an invitation let the person in.
CREATE TABLE person (
  user_id TEXT PRIMARY KEY CHECK (length(user_id) BETWEEN 8 AND 64),
  email TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(email) BETWEEN 3 AND 254),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_at INTEGER NOT NULL,
  proved_at INTEGER,
  entered_at INTEGER
) STRICT;

-- Which tenants a person belongs to; the role stands in the tenant's shard.
CREATE TABLE person_tenant (
  user_id TEXT NOT NULL REFERENCES person (user_id),
  tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
  PRIMARY KEY (user_id, tenant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_tenant_by_tenant ON person_tenant (tenant_id);

-- How a session is begun.
CREATE TABLE sign_in_method (method TEXT PRIMARY KEY) STRICT;
INSERT INTO sign_in_method (method) VALUES ('link'), ('email'), ('invitation'), ('passkey'), ('provider');

-- One-time sign-in links: hashed, 15 minutes, rows live 1 day. `browser_hash`: the browser that asked for it; elsewhere the
-- link works with a code, of which `code_tag` is a keyed hash and `tries` says how often one was typed.
CREATE TABLE sign_in_link (
  link_hash TEXT PRIMARY KEY CHECK (length(link_hash) = 43),
  user_id TEXT NOT NULL REFERENCES person (user_id),
  method TEXT NOT NULL REFERENCES sign_in_method (method),
  browser_hash TEXT CHECK (browser_hash IS NULL OR length(browser_hash) = 43),
  code_tag TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_link_by_expiry ON sign_in_link (expires_at);
CREATE INDEX sign_in_link_by_person ON sign_in_link (user_id);

-- Passkeys. `public_key` is COSE in base64url; `counter` is the authenticator's, 0 where it keeps none; `synced` says whether
-- copies on the person's other devices are meant.
CREATE TABLE passkey (
  passkey_id TEXT PRIMARY KEY CHECK (length(passkey_id) BETWEEN 8 AND 64),
  credential_id TEXT NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1364),
  user_id TEXT NOT NULL REFERENCES person (user_id),
  public_key TEXT NOT NULL CHECK (length(public_key) <= 1000),
  counter INTEGER NOT NULL,
  synced INTEGER NOT NULL CHECK (synced IN (0, 1)),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
  created_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_by_person ON passkey (user_id);

-- Who somebody at a tenant's provider is here: by the subject there, never by an address. The provider itself stands in the
-- tenant's shard. `label`: what the person recognises it by.
CREATE TABLE upstream_identity (
  tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
  provider_id TEXT NOT NULL CHECK (length(provider_id) BETWEEN 8 AND 64),
  subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  user_id TEXT NOT NULL REFERENCES person (user_id),
  label TEXT NOT NULL CHECK (length(label) <= 80),
  created_at INTEGER NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (tenant_id, provider_id, subject)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX upstream_identity_by_person ON upstream_identity (user_id, tenant_id, provider_id);

-- Challenges that were answered, states of sign-ins through providers among them: each once. Rows live until the challenge has expired.
CREATE TABLE used_challenge (
  challenge_hash TEXT PRIMARY KEY CHECK (length(challenge_hash) = 43),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_challenge_by_expiry ON used_challenge (expires_at);

-- Sign-in attempts, counted exactly: by the keyed hash of an e-mail address or a network, and by the hour; rows live 1 day.
CREATE TABLE sign_in_attempt (
  subject TEXT NOT NULL CHECK (length(subject) = 43),
  began_at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (subject, began_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_attempt_by_age ON sign_in_attempt (began_at);

-- Browser sessions: hashed; 30 days at most, 12 hours idle. `browser`: what the person recognises it by. `tenant_id` and
-- `provider_id`: the tenant that it is valid for alone, and its provider that began it.
CREATE TABLE session (
  session_hash TEXT PRIMARY KEY CHECK (length(session_hash) = 43),
  session_id TEXT NOT NULL UNIQUE CHECK (length(session_id) BETWEEN 8 AND 64),
  user_id TEXT NOT NULL REFERENCES person (user_id),
  method TEXT NOT NULL REFERENCES sign_in_method (method),
  browser TEXT NOT NULL CHECK (length(browser) <= 60),
  created_at INTEGER NOT NULL,
  signed_in_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  tenant_id TEXT REFERENCES tenant (tenant_id),
  provider_id TEXT,
  CHECK ((method = 'provider') = (tenant_id IS NOT NULL) AND (tenant_id IS NULL) = (provider_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE INDEX session_by_provider ON session (tenant_id, provider_id) WHERE tenant_id IS NOT NULL;
CREATE INDEX session_by_person ON session (user_id);

-- What people did before any tenant was concerned, such as signing in, on its way into the audit of their tenants: all of
-- them, or the one that is named. The tick takes the rows away, within minutes.
CREATE TABLE audit_queue (
  audit_id TEXT PRIMARY KEY CHECK (length(audit_id) BETWEEN 8 AND 64),
  at INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  tenant_id TEXT,
  act TEXT NOT NULL,
  subjects TEXT NOT NULL CHECK (json_valid(subjects)),
  outcome TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_queue_by_age ON audit_queue (at);

-- OAuth clients: those that registered themselves (RFC 7591) expire 90 days after last use, the operator's never.
CREATE TABLE client (
  client_id TEXT PRIMARY KEY CHECK (length(client_id) BETWEEN 8 AND 64),
  metadata TEXT NOT NULL CHECK (json_valid(metadata) AND length(metadata) <= 8192),
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX client_by_expiry ON client (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX client_of_operator ON client (client_id) WHERE expires_at IS NULL;

-- How many clients registered themselves in an hour, in all and from each address (as a keyed hash); rows live 1 day.
CREATE TABLE registration_count (
  origin TEXT NOT NULL CHECK (length(origin) BETWEEN 1 AND 64),
  hour INTEGER NOT NULL,
  registrations INTEGER NOT NULL,
  PRIMARY KEY (origin, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX registration_count_by_hour ON registration_count (hour);

-- Assertions by which clients proved themselves (RFC 7523): each works once. Rows live until the assertion has expired.
CREATE TABLE client_assertion (
  assertion_hash TEXT PRIMARY KEY CHECK (length(assertion_hash) = 43),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX client_assertion_by_expiry ON client_assertion (expires_at);

-- Authorization requests that wait for a person's decision: bound to the session, single use, 10 minutes; rows live 1 day.
CREATE TABLE pending_authorization (
  pending_id TEXT PRIMARY KEY CHECK (length(pending_id) BETWEEN 8 AND 64),
  session_hash TEXT NOT NULL CHECK (length(session_hash) = 43),
  request TEXT NOT NULL CHECK (json_valid(request)),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_authorization_by_expiry ON pending_authorization (expires_at);

-- Tokens of the operator's shell that were used: each works once. Rows live until the token has expired.
CREATE TABLE operator_token (
  token_id TEXT PRIMARY KEY CHECK (length(token_id) BETWEEN 16 AND 64),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX operator_token_by_expiry ON operator_token (expires_at);

-- The last run of each shard's tick, since the platform cannot report a failed cron.
CREATE TABLE tick (
  shard INTEGER PRIMARY KEY,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  good_at INTEGER,
  counts TEXT CHECK (counts IS NULL OR json_valid(counts)),
  fault TEXT CHECK (fault IS NULL OR length(fault) <= 500)
) STRICT;
