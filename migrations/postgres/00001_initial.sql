-- Instants are microseconds since 1970 UTC; 0 means never.
-- Text that is ordered or looked up compares bytewise, as it does in SQLite.
-- Ids are 26 letters and digits of base32, from 130 random bits.

-- +goose Up

CREATE TABLE users (
    id                  TEXT COLLATE "C" PRIMARY KEY,
    username            TEXT COLLATE "C" NOT NULL UNIQUE, -- folded to lower case
    email               TEXT    NOT NULL,        -- as it was typed
    email_folded        TEXT COLLATE "C" NOT NULL UNIQUE, -- lower case, for comparing
    full_name           TEXT    NOT NULL DEFAULT '',
    password_hash       TEXT    NOT NULL DEFAULT '', -- PHC string; empty: no password yet
    password_changed_at BIGINT  NOT NULL DEFAULT 0,
    role                TEXT    NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
    disabled_at         BIGINT  NOT NULL DEFAULT 0,
    disabled_reason     TEXT    NOT NULL DEFAULT '', -- for admins, never shown to the person
    last_sign_in_at     BIGINT  NOT NULL DEFAULT 0,
    replayed_at         BIGINT  NOT NULL DEFAULT 0,  -- a replay the person has not been told of
    created_at          BIGINT  NOT NULL,
    updated_at          BIGINT  NOT NULL
);

CREATE INDEX users_disabled ON users (username) WHERE disabled_at <> 0;
CREATE INDEX users_admins   ON users (username) WHERE role = 'admin';

-- One for each order of the list of users, with every column that a search
-- looks at or sorts by, so that neither visits the table (models/user_search.go).
CREATE INDEX users_by_username     ON users (role, ((disabled_at <> 0)::int), username)
    INCLUDE (email_folded, created_at, last_sign_in_at, disabled_at);
CREATE INDEX users_by_email        ON users (role, ((disabled_at <> 0)::int), email_folded)
    INCLUDE (username, created_at, last_sign_in_at, disabled_at);
CREATE INDEX users_by_created      ON users (role, ((disabled_at <> 0)::int), created_at, username)
    INCLUDE (email_folded, disabled_at);
CREATE INDEX users_by_last_sign_in ON users (role, ((disabled_at <> 0)::int), last_sign_in_at, created_at, username)
    INCLUDE (email_folded, disabled_at);

-- A name as users_name keeps it. Trigrams are of letters and digits alone:
-- spaces and marks become digits, so that any three characters can be found.
CREATE FUNCTION name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT translate(lower(name), ' !"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '000000000000000000000000000000000') $$;

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX users_name ON users USING gin (name_key(full_name) gin_trgm_ops);

CREATE TABLE sessions (
    id                   TEXT COLLATE "C" PRIMARY KEY, -- the sid claim
    user_id              TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    remember             BOOLEAN NOT NULL DEFAULT false, -- "Stay signed in"
    method               TEXT    NOT NULL,    -- how it was opened: password, sign-up, setup
    generation           BIGINT  NOT NULL,    -- counts rotations; orders refresh tokens
    confirmed_generation BIGINT  NOT NULL,    -- the newest generation seen in use
    rotated_at           BIGINT  NOT NULL,
    rotation_minute      BIGINT  NOT NULL DEFAULT 0, -- start of the minute that rotations counts
    rotations            BIGINT  NOT NULL DEFAULT 0,
    idle_ttl             BIGINT  NOT NULL,    -- microseconds
    created_at           BIGINT  NOT NULL,
    last_seen_at         BIGINT  NOT NULL,
    expires_at           BIGINT  NOT NULL,    -- absolute limit
    ended_at             BIGINT  NOT NULL DEFAULT 0,
    end_reason           TEXT    NOT NULL DEFAULT '',
    ip                   TEXT    NOT NULL DEFAULT '',
    user_agent           TEXT    NOT NULL DEFAULT ''
);

CREATE INDEX sessions_user    ON sessions (user_id, ended_at, last_seen_at);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE denylist (
    token_id   TEXT COLLATE "C" PRIMARY KEY, -- a jti or a sid
    user_id    TEXT COLLATE "C" NOT NULL,
    reason     TEXT    NOT NULL,
    expires_at BIGINT  NOT NULL     -- after the last token it denies is dead
);

CREATE INDEX denylist_expires ON denylist (expires_at);

CREATE TABLE login_attempts (
    bucket        TEXT COLLATE "C" PRIMARY KEY, -- what is counted: an account, an address, …
    count         BIGINT  NOT NULL,    -- since started_at
    streak        BIGINT  NOT NULL,    -- since the last success
    started_at    BIGINT  NOT NULL,
    blocked_until BIGINT  NOT NULL DEFAULT 0,
    updated_at    BIGINT  NOT NULL
);

CREATE INDEX login_attempts_updated ON login_attempts (updated_at);

CREATE TABLE known_devices (
    device_hash  TEXT COLLATE "C" NOT NULL, -- SHA-256 of the device cookie, hex
    user_id      TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   BIGINT  NOT NULL,
    last_used_at BIGINT  NOT NULL,
    PRIMARY KEY (device_hash, user_id)
);

CREATE INDEX known_devices_user ON known_devices (user_id, last_used_at);
CREATE INDEX known_devices_used ON known_devices (last_used_at);

CREATE TABLE one_time_tokens (
    token_hash  TEXT COLLATE "C" PRIMARY KEY, -- SHA-256 of the token, hex
    purpose     TEXT    NOT NULL CHECK (purpose IN ('setup', 'set-password')),
    user_id     TEXT COLLATE "C" REFERENCES users (id) ON DELETE CASCADE, -- NULL for setup
    created_at  BIGINT  NOT NULL,
    expires_at  BIGINT  NOT NULL,
    used_at     BIGINT  NOT NULL DEFAULT 0,
    replaced_at BIGINT  NOT NULL DEFAULT 0 -- a newer link was made
);

CREATE INDEX one_time_tokens_user    ON one_time_tokens (user_id);
CREATE INDEX one_time_tokens_expires ON one_time_tokens (expires_at);

-- Names are copies, so that a row can still be read when the account is gone.
CREATE TABLE audit_events (
    id           TEXT COLLATE "C" PRIMARY KEY,
    at           BIGINT  NOT NULL,
    action       TEXT COLLATE "C" NOT NULL,
    actor_id     TEXT COLLATE "C" NOT NULL DEFAULT '', -- empty: nobody signed in, or the system
    actor_name   TEXT    NOT NULL DEFAULT '',
    subject_id   TEXT COLLATE "C" NOT NULL DEFAULT '',
    subject_name TEXT    NOT NULL DEFAULT '',
    detail       TEXT    NOT NULL DEFAULT '',
    ip           TEXT    NOT NULL DEFAULT '',
    user_agent   TEXT    NOT NULL DEFAULT '',
    session_id   TEXT    NOT NULL DEFAULT '',
    request_id   TEXT    NOT NULL DEFAULT ''
);

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
DROP TABLE users;
DROP FUNCTION name_key;
