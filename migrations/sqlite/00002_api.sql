-- Sessions of API clients, and personal access tokens.

-- +goose Up
ALTER TABLE sessions ADD COLUMN kind      TEXT NOT NULL DEFAULT 'web' CHECK (kind IN ('web', 'api'));
ALTER TABLE sessions ADD COLUMN scope     TEXT NOT NULL DEFAULT ''; -- what was granted, separated by spaces
ALTER TABLE sessions ADD COLUMN client_id TEXT NOT NULL DEFAULT ''; -- what the client called itself

CREATE TABLE personal_access_tokens (
    id           TEXT    PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    token_hash   TEXT    NOT NULL UNIQUE, -- SHA-256 of the token, hex
    hint         TEXT    NOT NULL,        -- the token's last four characters
    scope        TEXT    NOT NULL,        -- separated by spaces
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0, -- to the minute
    last_used_ip TEXT    NOT NULL DEFAULT '',
    ended_at     INTEGER NOT NULL DEFAULT 0,
    end_reason   TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX personal_access_tokens_user    ON personal_access_tokens (user_id, created_at);
CREATE INDEX personal_access_tokens_expires ON personal_access_tokens (expires_at);

-- +goose Down
DROP TABLE personal_access_tokens;
-- A version without the API knows browsers alone.
DELETE FROM sessions WHERE kind <> 'web';
ALTER TABLE sessions DROP COLUMN client_id;
ALTER TABLE sessions DROP COLUMN scope;
ALTER TABLE sessions DROP COLUMN kind;
