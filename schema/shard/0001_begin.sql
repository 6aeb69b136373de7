-- Everything that belongs to a tenant. Every table leads with tenant_id, every query too.

-- What this copy of the shard believes; a restored copy's epoch is behind the directory's.
CREATE TABLE shard_epoch (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  epoch INTEGER NOT NULL
) STRICT;
INSERT INTO shard_epoch (only_row, epoch) VALUES (1, 0);

-- `step` is the directory's count of the newest change of state that was carried out here.
CREATE TABLE tenant (
  tenant_id TEXT PRIMARY KEY CHECK (length(tenant_id) BETWEEN 8 AND 64),
  safename TEXT NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  wrapped_key TEXT NOT NULL,
  settings TEXT NOT NULL DEFAULT '{"v":1}' CHECK (json_valid(settings)),
  created_at INTEGER NOT NULL,
  deleted_at INTEGER,
  step INTEGER NOT NULL DEFAULT 1
) STRICT;

-- What a role may do: a set of capability bits, as in desk::Scope.
CREATE TABLE role (
  role TEXT PRIMARY KEY,
  capabilities INTEGER NOT NULL
) STRICT;
INSERT INTO role (role, capabilities) VALUES
  ('owner', 131071), ('admin', 131071), ('editor', 131067), ('viewer', 108619);

CREATE TABLE membership (
  tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
  user_id TEXT NOT NULL,
  role TEXT NOT NULL REFERENCES role (role),
  approver INTEGER NOT NULL DEFAULT 0 CHECK (approver IN (0, 1)),
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

-- Invitations: hashed one-time links, 7 days; rows live 1 day longer. `user_id`: whom accepting makes, if nobody has the
-- address. `mailed`: the link went to the address alone, so that using it proves the address.
CREATE TABLE invitation (
  tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
  invitation_id TEXT NOT NULL,
  link_hash TEXT NOT NULL CHECK (length(link_hash) = 43),
  email TEXT NOT NULL COLLATE NOCASE CHECK (length(email) BETWEEN 3 AND 254),
  user_id TEXT NOT NULL,
  role TEXT NOT NULL REFERENCES role (role),
  approver INTEGER NOT NULL CHECK (approver IN (0, 1)),
  mailed INTEGER NOT NULL CHECK (mailed IN (0, 1)),
  invited_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  used_by TEXT,
  withdrawn_at INTEGER,
  PRIMARY KEY (tenant_id, invitation_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invitation_by_link ON invitation (tenant_id, link_hash);
CREATE INDEX invitation_by_expiry ON invitation (expires_at);

-- OpenID providers that people sign in to this tenant through. `sealed`: the client secret, under the tenant's key.
-- `removed_at`: nothing is begun by it any more, and what the directory has of it is about to go, then the row.
CREATE TABLE provider (
  tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
  provider_id TEXT NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
  issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
  client_id TEXT NOT NULL CHECK (length(client_id) BETWEEN 1 AND 255),
  sealed TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  removed_at INTEGER,
  PRIMARY KEY (tenant_id, provider_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_removed ON provider (removed_at) WHERE removed_at IS NOT NULL;

-- E-mail domains whose people may join through a provider, as what; not before the tenant has proved by DNS, with `token`,
-- that the domain is its own.
CREATE TABLE mail_domain (
  tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
  domain TEXT NOT NULL CHECK (length(domain) BETWEEN 3 AND 253),
  role TEXT NOT NULL REFERENCES role (role),
  token TEXT NOT NULL CHECK (length(token) = 43),
  created_at INTEGER NOT NULL,
  proved_at INTEGER,
  PRIMARY KEY (tenant_id, domain)
) STRICT, WITHOUT ROWID;

CREATE TABLE workspace (
  tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
  workspace_id TEXT NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  time_zone TEXT NOT NULL,
  grace_seconds INTEGER NOT NULL DEFAULT 21600,
  notice_seconds INTEGER NOT NULL DEFAULT 900,
  hold_seconds INTEGER NOT NULL DEFAULT 30,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX workspace_by_name ON workspace (tenant_id, name COLLATE NOCASE);

-- A client that a person uses with this tenant; it groups that person's grants, one per device or approval.
CREATE TABLE app_entry (
  tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
  app_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  client_name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, app_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX app_entry_by_client ON app_entry (tenant_id, user_id, client_id);

CREATE TABLE sign_in_method (method TEXT PRIMARY KEY) STRICT;
INSERT INTO sign_in_method (method) VALUES ('link'), ('email'), ('invitation'), ('passkey'), ('provider');

-- How a client proves itself at the token endpoint.
CREATE TABLE client_auth_method (method TEXT PRIMARY KEY) STRICT;
INSERT INTO client_auth_method (method) VALUES ('none'), ('private_key_jwt');

-- One authorization: one code, one refresh family. Rows live 90 days after they expire; the app's entry goes with its
-- last grant. `signed_in_by`: how the person had signed in who approved it. `used_from`: the network of the last use that
-- was written down, without the part that names a machine. `wanted`: what a call needed that was refused at `wanted_at`.
CREATE TABLE oauth_grant (
  tenant_id TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  capabilities INTEGER NOT NULL,
  offline INTEGER NOT NULL CHECK (offline IN (0, 1)),
  -- Which tools it was narrowed to: a bit for those that write, one per toolset; those that are not used yet are set.
  selection INTEGER NOT NULL DEFAULT 2147483647,
  client_auth TEXT NOT NULL DEFAULT 'none' REFERENCES client_auth_method (method),
  signed_in_by TEXT NOT NULL DEFAULT 'link' REFERENCES sign_in_method (method),
  generation INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  used_from TEXT CHECK (length(used_from) <= 43),
  wanted INTEGER NOT NULL DEFAULT 0,
  wanted_at INTEGER,
  revoked_at INTEGER,
  revoked_why TEXT,
  PRIMARY KEY (tenant_id, grant_id),
  FOREIGN KEY (tenant_id, app_id) REFERENCES app_entry (tenant_id, app_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_grant_by_app ON oauth_grant (tenant_id, app_id);
CREATE INDEX oauth_grant_by_expiry ON oauth_grant (expires_at);
CREATE TRIGGER app_entry_goes_with_last_grant AFTER DELETE ON oauth_grant
WHEN NOT EXISTS (SELECT 1 FROM oauth_grant WHERE tenant_id = OLD.tenant_id AND app_id = OLD.app_id)
BEGIN DELETE FROM app_entry WHERE tenant_id = OLD.tenant_id AND app_id = OLD.app_id; END;

CREATE TABLE grant_workspace (
  tenant_id TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, grant_id, workspace_id),
  FOREIGN KEY (tenant_id, grant_id) REFERENCES oauth_grant (tenant_id, grant_id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspace (tenant_id, workspace_id)
) STRICT, WITHOUT ROWID;

-- What is special about grants that are personal access tokens: the hash of what is presented, and how.
CREATE TABLE personal_token (
  tenant_id TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  token_hash TEXT NOT NULL CHECK (length(token_hash) = 43),
  in_address INTEGER NOT NULL CHECK (in_address IN (0, 1)),
  label TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 60),
  PRIMARY KEY (tenant_id, grant_id),
  FOREIGN KEY (tenant_id, grant_id) REFERENCES oauth_grant (tenant_id, grant_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX personal_token_by_hash ON personal_token (tenant_id, token_hash);

-- Authorization codes: hashed, single use, 60 seconds; rows live 1 day.
CREATE TABLE auth_code (
  tenant_id TEXT NOT NULL,
  code_hash TEXT NOT NULL CHECK (length(code_hash) = 43),
  grant_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  redirect_given INTEGER NOT NULL CHECK (redirect_given IN (0, 1)),
  challenge TEXT NOT NULL CHECK (length(challenge) = 43),
  resource TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (tenant_id, code_hash),
  FOREIGN KEY (tenant_id, grant_id) REFERENCES oauth_grant (tenant_id, grant_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX auth_code_by_expiry ON auth_code (expires_at);
CREATE INDEX auth_code_by_grant ON auth_code (tenant_id, grant_id);

-- One row per grant that may refresh. Token n is tenant.family.n.HMAC(family secret, n). `first_uses`: when each of the
-- latest tokens before the current one was used first, oldest first.
CREATE TABLE refresh_family (
  tenant_id TEXT NOT NULL,
  family_id TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  secret TEXT NOT NULL,
  resource TEXT NOT NULL,
  token_number INTEGER NOT NULL DEFAULT 0,
  rotated_at INTEGER NOT NULL,
  first_uses TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(first_uses) AND length(first_uses) <= 2000),
  replays INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (tenant_id, family_id),
  FOREIGN KEY (tenant_id, grant_id) REFERENCES oauth_grant (tenant_id, grant_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX refresh_family_by_grant ON refresh_family (tenant_id, grant_id);

-- Who did what; append-only: a row never changes, and goes only by its age or with its tenant. Rows live 1 year.
-- Without a person it is an operator's act, or a refusal of somebody unknown. `outcome`: done, or the code of the refusal.
CREATE TABLE audit (
  tenant_id TEXT NOT NULL,
  audit_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  user_id TEXT,
  client_id TEXT,
  grant_id TEXT,
  act TEXT NOT NULL,
  subjects TEXT NOT NULL CHECK (json_valid(subjects)),
  outcome TEXT NOT NULL,
  PRIMARY KEY (tenant_id, audit_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_by_age ON audit (at);
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows never change'); END;
-- Also keeps INSERT OR REPLACE from putting another row in its place.
CREATE TRIGGER audit_is_written_once BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE tenant_id = NEW.tenant_id AND audit_id = NEW.audit_id)
BEGIN SELECT RAISE(IGNORE); END;
-- Rows from before this moment may go. Only retention moves it on.
CREATE TABLE audit_horizon (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  before INTEGER NOT NULL
) STRICT;
INSERT INTO audit_horizon (only_row, before) VALUES (1, 0);
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
WHEN OLD.at >= (SELECT before FROM audit_horizon)
  AND NOT EXISTS (SELECT 1 FROM tenant WHERE tenant_id = OLD.tenant_id AND deleted_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'audit rows stay until their time'); END;

-- Results of calls that carried an idempotency key, and of identical creates; rows live 7 days.
CREATE TABLE idempotency (
  tenant_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  tool TEXT NOT NULL,
  key TEXT NOT NULL CHECK (length(key) <= 200),
  body_hash TEXT NOT NULL CHECK (length(body_hash) = 43),
  result TEXT NOT NULL CHECK (json_valid(result)),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, holder, tool, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE network (network TEXT PRIMARY KEY) STRICT;
INSERT INTO network (network) VALUES ('wall'), ('bluesky');

CREATE TABLE profile_state (state TEXT PRIMARY KEY) STRICT;
INSERT INTO profile_state (state) VALUES ('healthy'), ('reauthorise'), ('disconnected');

-- Connected accounts. `server` is the origin that its secrets are for; the Wall has none. The lease is of the one who
-- renews its session. Before `not_before` its network will not have anything.
CREATE TABLE profile (
  tenant_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  network TEXT NOT NULL REFERENCES network (network),
  handle TEXT NOT NULL CHECK (length(handle) BETWEEN 1 AND 300),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 300),
  remote_id TEXT NOT NULL,
  server TEXT,
  state TEXT NOT NULL REFERENCES profile_state (state),
  state_why TEXT,
  settings TEXT NOT NULL DEFAULT '{"v":1}' CHECK (json_valid(settings)),
  lease_token TEXT,
  lease_until INTEGER,
  not_before INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, profile_id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspace (tenant_id, workspace_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX profile_by_account ON profile (tenant_id, workspace_id, network, remote_id);
CREATE UNIQUE INDEX profile_wall_handle ON profile (tenant_id, handle) WHERE network = 'wall';

-- Sealed credentials, one row per kind, for one origin.
CREATE TABLE profile_secret (
  tenant_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  origin TEXT NOT NULL,
  sealed TEXT NOT NULL,
  expires_at INTEGER,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, profile_id, kind),
  FOREIGN KEY (tenant_id, profile_id) REFERENCES profile (tenant_id, profile_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER profile_server_drops_secrets AFTER UPDATE OF server ON profile WHEN OLD.server IS NOT NEW.server
BEGIN DELETE FROM profile_secret WHERE tenant_id = OLD.tenant_id AND profile_id = OLD.profile_id; END;

-- An assistant asked for an account to be connected; the person does it on a page. Rows live 1 day.
CREATE TABLE connect_request (
  tenant_id TEXT NOT NULL,
  connect_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  network TEXT NOT NULL REFERENCES network (network),
  profile_id TEXT,
  user_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (tenant_id, connect_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX connect_request_by_expiry ON connect_request (expires_at);

CREATE TABLE media (
  tenant_id TEXT NOT NULL,
  media_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  hash TEXT NOT NULL CHECK (length(hash) = 43),
  content_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  width INTEGER,
  height INTEGER,
  alt TEXT NOT NULL DEFAULT '' CHECK (length(alt) <= 2000),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, media_id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspace (tenant_id, workspace_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX media_by_hash ON media (tenant_id, workspace_id, hash);

-- One piece of content for many profiles with one schedule. `content` is JSON of posts::Content. Rows live 30 days after
-- they were deleted. `scheduled_by`: the grant that gave it its time. `searched`: its texts, folded for searching.
CREATE TABLE post_group (
  tenant_id TEXT NOT NULL,
  post_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  content TEXT NOT NULL CHECK (json_valid(content)),
  content_hash TEXT NOT NULL CHECK (length(content_hash) = 43),
  searched TEXT NOT NULL DEFAULT '' CHECK (length(searched) <= 100000),
  due_at INTEGER,
  due_local TEXT,
  due_zone TEXT,
  user_id TEXT NOT NULL,
  grant_id TEXT,
  scheduled_by TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (tenant_id, post_id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspace (tenant_id, workspace_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_group_by_workspace ON post_group (tenant_id, workspace_id, post_id DESC) WHERE deleted_at IS NULL;
CREATE INDEX post_group_by_due ON post_group (tenant_id, workspace_id, due_at, post_id) WHERE deleted_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX post_group_by_scheduler ON post_group (tenant_id, scheduled_by, due_at) WHERE scheduled_by IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX post_group_by_hash ON post_group (tenant_id, content_hash, created_at);
CREATE INDEX post_group_deleted ON post_group (deleted_at) WHERE deleted_at IS NOT NULL;

-- Earlier revisions of a post group, for undo and for telling what changed. Rows live 90 days.
CREATE TABLE post_revision (
  tenant_id TEXT NOT NULL,
  post_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  content TEXT NOT NULL CHECK (json_valid(content)),
  due_at INTEGER,
  due_local TEXT,
  due_zone TEXT,
  deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, post_id, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_revision_by_age ON post_revision (at);

-- What one call changed, so that it can be undone: for each post the revision before and after. Rows live 30 days.
CREATE TABLE change (
  tenant_id TEXT NOT NULL,
  change_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  act TEXT NOT NULL,
  posts TEXT NOT NULL CHECK (json_valid(posts)),
  at INTEGER NOT NULL,
  undone_at INTEGER,
  PRIMARY KEY (tenant_id, change_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_by_holder ON change (tenant_id, holder, change_id DESC);
CREATE INDEX change_by_age ON change (at);

-- The states of a delivery. `phase`: waiting to be claimed, busy, done, or in need of a person.
CREATE TABLE delivery_state (
  state TEXT PRIMARY KEY,
  phase TEXT NOT NULL CHECK (phase IN ('waiting', 'busy', 'done', 'person'))
) STRICT;
INSERT INTO delivery_state (state, phase) VALUES
  ('waiting', 'waiting'), ('retrying', 'waiting'),
  ('claimed', 'busy'), ('preparing', 'busy'), ('armed', 'busy'), ('sent', 'busy'),
  ('published', 'done'), ('failed', 'done'), ('missed', 'done'), ('cancelled', 'done'),
  ('unknown', 'person'), ('paused', 'person');

-- One post group on one profile: one row, one outcome. `next_at` is when the tick looks at it again. `claims` counts those
-- since one ended in order: more than one, and its processes died. `reason_text` is ours, `provider_words` are the network's.
CREATE TABLE delivery (
  tenant_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  post_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  network TEXT NOT NULL REFERENCES network (network),
  state TEXT NOT NULL REFERENCES delivery_state (state),
  due_at INTEGER NOT NULL,
  next_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  claims INTEGER NOT NULL DEFAULT 0,
  lease_token TEXT,
  reason TEXT,
  reason_code TEXT,
  reason_text TEXT CHECK (reason_text IS NULL OR length(reason_text) <= 2000),
  provider_words TEXT CHECK (provider_words IS NULL OR length(provider_words) <= 2000),
  plan TEXT CHECK (plan IS NULL OR json_valid(plan)),
  url TEXT,
  published_at INTEGER,
  removed_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, delivery_id),
  FOREIGN KEY (tenant_id, post_id) REFERENCES post_group (tenant_id, post_id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, profile_id) REFERENCES profile (tenant_id, profile_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX delivery_by_post ON delivery (tenant_id, post_id, profile_id);
CREATE INDEX delivery_by_profile ON delivery (tenant_id, profile_id, due_at);
-- What the tick looks at. A busy delivery's next_at is the end of its lease.
CREATE INDEX delivery_due ON delivery (next_at)
  WHERE state IN ('waiting', 'retrying', 'paused', 'claimed', 'preparing', 'armed', 'sent', 'unknown');
CREATE INDEX delivery_paused ON delivery (tenant_id, workspace_id, due_at) WHERE state = 'paused';
CREATE INDEX delivery_unknown ON delivery (updated_at) WHERE state = 'unknown';

-- Where nothing is claimed: for one profile, or for the whole workspace, whose row names none. Rows live 30 days after
-- their end.
CREATE TABLE publishing_pause (
  tenant_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  until INTEGER,
  reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  user_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id, profile_id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspace (tenant_id, workspace_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX publishing_pause_by_end ON publishing_pause (until);

-- The parts of a delivery (post, reply, first comment), armed and settled one by one.
CREATE TABLE delivery_part (
  tenant_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'armed', 'live', 'removed')),
  handle TEXT CHECK (handle IS NULL OR json_valid(handle)),
  remote_id TEXT,
  url TEXT,
  armed_at INTEGER,
  settled_at INTEGER,
  PRIMARY KEY (tenant_id, delivery_id, position),
  FOREIGN KEY (tenant_id, delivery_id) REFERENCES delivery (tenant_id, delivery_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Every attempt and what came of it; rows live 90 days.
CREATE TABLE attempt (
  tenant_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  position INTEGER, -- of the part that it was about, if of one
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  step TEXT NOT NULL,
  outcome TEXT,
  code TEXT,
  words TEXT CHECK (words IS NULL OR length(words) <= 2000),
  PRIMARY KEY (tenant_id, delivery_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_by_age ON attempt (started_at);

-- What stands on the Wall.
CREATE TABLE wall_entry (
  tenant_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  content TEXT NOT NULL CHECK (json_valid(content)),
  published_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, entry_id),
  FOREIGN KEY (tenant_id, profile_id) REFERENCES profile (tenant_id, profile_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX wall_entry_once ON wall_entry (tenant_id, delivery_id, position);
CREATE INDEX wall_entry_newest ON wall_entry (tenant_id, profile_id, published_at DESC, entry_id DESC);
