-- Instants are microseconds since 1970 UTC; 0 means never.
-- Ids are 26 letters and digits of base32, from 130 random bits.

-- +goose Up

CREATE TABLE users (
    seq                 INTEGER PRIMARY KEY, -- a stable rowid for users_name, used nowhere else
    id                  TEXT    NOT NULL UNIQUE,
    username            TEXT    NOT NULL UNIQUE, -- folded to lower case
    email               TEXT    NOT NULL,        -- as it was typed
    email_folded        TEXT    NOT NULL UNIQUE, -- lower case, for comparing
    full_name           TEXT    NOT NULL DEFAULT '',
    password_hash       TEXT    NOT NULL DEFAULT '', -- PHC string; empty: no password yet
    password_changed_at INTEGER NOT NULL DEFAULT 0,
    role                TEXT    NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
    disabled_at         INTEGER NOT NULL DEFAULT 0,
    disabled_reason     TEXT    NOT NULL DEFAULT '', -- for admins, never shown to the person
    last_sign_in_at     INTEGER NOT NULL DEFAULT 0,
    replayed_at         INTEGER NOT NULL DEFAULT 0,  -- a replay the person has not been told of
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
) STRICT;

CREATE INDEX users_disabled ON users (username) WHERE disabled_at <> 0;
CREATE INDEX users_admins   ON users (username) WHERE role = 'admin';

-- One for each order of the list of users, with every column that a search
-- looks at or sorts by, so that neither visits the table (models/user_search.go).
CREATE INDEX users_by_username     ON users (role, (disabled_at <> 0), username, email_folded, created_at, last_sign_in_at);
CREATE INDEX users_by_email        ON users (role, (disabled_at <> 0), email_folded, username, created_at, last_sign_in_at);
CREATE INDEX users_by_created      ON users (role, (disabled_at <> 0), created_at, username, email_folded);
CREATE INDEX users_by_last_sign_in ON users (role, (disabled_at <> 0), last_sign_in_at, created_at, username, email_folded);

CREATE VIRTUAL TABLE users_name USING fts5 (
    full_name, content = 'users', content_rowid = 'seq', tokenize = 'trigram'
);
-- +goose StatementBegin
CREATE TRIGGER users_name_insert AFTER INSERT ON users BEGIN
    INSERT INTO users_name (rowid, full_name) VALUES (new.seq, new.full_name);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_name_delete AFTER DELETE ON users BEGIN
    INSERT INTO users_name (users_name, rowid, full_name) VALUES ('delete', old.seq, old.full_name);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_name_update AFTER UPDATE OF full_name ON users BEGIN
    INSERT INTO users_name (users_name, rowid, full_name) VALUES ('delete', old.seq, old.full_name);
    INSERT INTO users_name (rowid, full_name) VALUES (new.seq, new.full_name);
END;
-- +goose StatementEnd

CREATE TABLE sessions (
    id                   TEXT    PRIMARY KEY, -- the sid claim
    user_id              TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    remember             INTEGER NOT NULL DEFAULT 0 CHECK (remember IN (0, 1)), -- "Stay signed in"
    method               TEXT    NOT NULL,    -- how it was opened: password, sign-up, setup
    generation           INTEGER NOT NULL,    -- counts rotations; orders refresh tokens
    confirmed_generation INTEGER NOT NULL,    -- the newest generation seen in use
    rotated_at           INTEGER NOT NULL,
    rotation_minute      INTEGER NOT NULL DEFAULT 0, -- start of the minute that rotations counts
    rotations            INTEGER NOT NULL DEFAULT 0,
    idle_ttl             INTEGER NOT NULL,    -- microseconds
    created_at           INTEGER NOT NULL,
    last_seen_at         INTEGER NOT NULL,
    expires_at           INTEGER NOT NULL,    -- absolute limit
    ended_at             INTEGER NOT NULL DEFAULT 0,
    end_reason           TEXT    NOT NULL DEFAULT '',
    ip                   TEXT    NOT NULL DEFAULT '',
    user_agent           TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX sessions_user    ON sessions (user_id, ended_at, last_seen_at);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE denylist (
    token_id   TEXT    PRIMARY KEY, -- a jti or a sid
    user_id    TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    expires_at INTEGER NOT NULL     -- after the last token it denies is dead
) STRICT;

CREATE INDEX denylist_expires ON denylist (expires_at);

CREATE TABLE login_attempts (
    bucket        TEXT    PRIMARY KEY, -- what is counted: an account, an address, …
    count         INTEGER NOT NULL,    -- since started_at
    streak        INTEGER NOT NULL,    -- since the last success
    started_at    INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL DEFAULT 0,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX login_attempts_updated ON login_attempts (updated_at);

CREATE TABLE known_devices (
    device_hash  TEXT    NOT NULL, -- SHA-256 of the device cookie, hex
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (device_hash, user_id)
) STRICT;

CREATE INDEX known_devices_user ON known_devices (user_id, last_used_at);
CREATE INDEX known_devices_used ON known_devices (last_used_at);

CREATE TABLE one_time_tokens (
    token_hash  TEXT    PRIMARY KEY, -- SHA-256 of the token, hex
    purpose     TEXT    NOT NULL CHECK (purpose IN ('setup', 'set-password')),
    user_id     TEXT    REFERENCES users (id) ON DELETE CASCADE, -- NULL for setup
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER NOT NULL DEFAULT 0,
    replaced_at INTEGER NOT NULL DEFAULT 0 -- a newer link was made
) STRICT;

CREATE INDEX one_time_tokens_user    ON one_time_tokens (user_id);
CREATE INDEX one_time_tokens_expires ON one_time_tokens (expires_at);

-- Names are copies, so that a row can still be read when the account is gone.
CREATE TABLE audit_events (
    id           TEXT    PRIMARY KEY,
    at           INTEGER NOT NULL,
    action       TEXT    NOT NULL,
    actor_id     TEXT    NOT NULL DEFAULT '', -- empty: nobody signed in, or the system
    actor_name   TEXT    NOT NULL DEFAULT '',
    subject_id   TEXT    NOT NULL DEFAULT '',
    subject_name TEXT    NOT NULL DEFAULT '',
    detail       TEXT    NOT NULL DEFAULT '',
    ip           TEXT    NOT NULL DEFAULT '',
    user_agent   TEXT    NOT NULL DEFAULT '',
    session_id   TEXT    NOT NULL DEFAULT '',
    request_id   TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX audit_events_at      ON audit_events (at, id);
CREATE INDEX audit_events_action  ON audit_events (action, at, id);
CREATE INDEX audit_events_actor   ON audit_events (actor_id, at, id);
CREATE INDEX audit_events_subject ON audit_events (subject_id, at, id);

-- +goose Down

DROP TABLE audit_events;
DROP TABLE one_time_tokens;
DROP TABLE known_devices;
DROP TABLE login_attempts;
DROP TABLE denylist;
DROP TABLE sessions;
DROP TABLE users_name;
DROP TABLE users;
