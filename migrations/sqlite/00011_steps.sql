-- A second step, passkeys, and how a session's person proved who they are.

-- +goose Up

-- How the person of a session proved who they are (OpenID Connect Core 1.0 §2).
ALTER TABLE sessions ADD COLUMN auth_time      INTEGER NOT NULL DEFAULT 0;               -- the last time that they did
ALTER TABLE sessions ADD COLUMN full_auth_time INTEGER NOT NULL DEFAULT 0;               -- the last time with every step that the account had; 0: never
ALTER TABLE sessions ADD COLUMN amr            TEXT NOT NULL DEFAULT 'pwd';             -- the methods of this session (RFC 8176), separated by spaces
ALTER TABLE sessions ADD COLUMN acr            TEXT NOT NULL DEFAULT 'urn:latchkey:1';  -- the highest level of this session
UPDATE sessions SET auth_time = created_at, full_auth_time = created_at;

ALTER TABLE known_devices ADD COLUMN trusted_until INTEGER NOT NULL DEFAULT 0; -- until then the device skips the second step

-- No suggestion stands on the account page before that.
ALTER TABLE users         ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deleted_users ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;

-- The rows of the next three tables do not refer to users: they outlive the row of an
-- account that is deleted and can be restored, so that it comes back no less safe.
-- Whatever was removed stays until the account is erased (NIST SP 800-63B-4 §4.1).

CREATE TABLE authenticator_apps (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL,
    secret       TEXT NOT NULL,            -- sealed; empty once it was removed
    last_step    INTEGER NOT NULL DEFAULT 0,  -- the time step of the last code that was accepted (RFC 6238 §5.2)
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0,
    removed_at   INTEGER NOT NULL DEFAULT 0,  -- 0: in use
    removed_by   TEXT NOT NULL DEFAULT '' -- replaced, off, admin, secured
) STRICT;

CREATE UNIQUE INDEX authenticator_apps_user ON authenticator_apps (user_id) WHERE removed_at = 0;
CREATE INDEX authenticator_apps_history     ON authenticator_apps (user_id, created_at);

CREATE TABLE recovery_codes (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL,
    code_hash  TEXT NOT NULL,           -- Argon2id, PHC; the codes of one set share a salt. Empty once it was removed
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL DEFAULT 0, -- 0: not used
    removed_at INTEGER NOT NULL DEFAULT 0  -- 0: of the current set
) STRICT;

CREATE INDEX recovery_codes_user ON recovery_codes (user_id, removed_at);

CREATE TABLE passkeys (
    id              TEXT PRIMARY KEY,
    user_id         TEXT NOT NULL,
    credential_id   TEXT NOT NULL,           -- base64url
    rp_id           TEXT NOT NULL,           -- the host of the public URL when it was made
    name            TEXT NOT NULL,
    public_key      TEXT NOT NULL,           -- COSE, base64url; empty once it was removed
    aaguid          TEXT NOT NULL,           -- hex; zeros when the authenticator does not tell
    transports      TEXT NOT NULL DEFAULT '', -- separated by spaces
    sign_count      INTEGER NOT NULL DEFAULT 0,
    backup_eligible INTEGER NOT NULL DEFAULT 0 CHECK (backup_eligible IN (0, 1)), -- it can be synced (WebAuthn Level 3 §6.1.3)
    backed_up       INTEGER NOT NULL DEFAULT 0 CHECK (backed_up IN (0, 1)), -- it is
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER NOT NULL DEFAULT 0,
    last_used_agent TEXT NOT NULL DEFAULT '',
    removed_at      INTEGER NOT NULL DEFAULT 0, -- 0: in use
    removed_by      TEXT NOT NULL DEFAULT '' -- self, admin, secured
) STRICT;

CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential_id) WHERE removed_at = 0;
CREATE INDEX passkeys_user              ON passkeys (user_id, created_at);

-- +goose Down
-- This loses data: every second step and every passkey.
DROP TABLE passkeys;
DROP TABLE recovery_codes;
DROP TABLE authenticator_apps;
ALTER TABLE deleted_users DROP COLUMN quiet_until;
ALTER TABLE users DROP COLUMN quiet_until;
ALTER TABLE known_devices DROP COLUMN trusted_until;
ALTER TABLE sessions DROP COLUMN acr;
ALTER TABLE sessions DROP COLUMN amr;
ALTER TABLE sessions DROP COLUMN full_auth_time;
ALTER TABLE sessions DROP COLUMN auth_time;
