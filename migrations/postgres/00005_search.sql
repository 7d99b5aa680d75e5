-- One column that is searched, kept by the program, with one index, instead of
-- four wide indexes and one of names. The program fills it after this file
-- (models/user_fill.go).

-- +goose Up
DROP INDEX users_by_username, users_by_email, users_by_created, users_by_last_sign_in, users_name;
DROP FUNCTION name_key;

ALTER TABLE users ADD COLUMN search TEXT COLLATE "C" NOT NULL DEFAULT ''; -- models.SearchText; empty: not filled yet

CREATE INDEX users_search       ON users USING gin (search gin_trgm_ops);
CREATE INDEX users_unsearchable ON users (id) WHERE search = '';
CREATE INDEX users_created      ON users (created_at, username);
CREATE INDEX users_last_sign_in ON users (last_sign_in_at, username);

-- Usernames that an account had and that nobody else may have.
CREATE TABLE retired_usernames (
    username TEXT COLLATE "C" PRIMARY KEY,
    user_id  TEXT COLLATE "C" NOT NULL, -- whose it was: that account may take it back
    until    BIGINT NOT NULL -- 0: for good, because the account was deleted
);

-- +goose Down
DROP TABLE retired_usernames;
DROP INDEX users_created, users_last_sign_in;
ALTER TABLE users DROP COLUMN search;

CREATE INDEX users_by_username     ON users (role, ((disabled_at <> 0)::int), username)
    INCLUDE (email_folded, created_at, last_sign_in_at, disabled_at);
CREATE INDEX users_by_email        ON users (role, ((disabled_at <> 0)::int), email_folded)
    INCLUDE (username, created_at, last_sign_in_at, disabled_at);
CREATE INDEX users_by_created      ON users (role, ((disabled_at <> 0)::int), created_at, username)
    INCLUDE (email_folded, disabled_at);
CREATE INDEX users_by_last_sign_in ON users (role, ((disabled_at <> 0)::int), last_sign_in_at, created_at, username)
    INCLUDE (email_folded, disabled_at);
CREATE FUNCTION name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT translate(lower(name), ' !"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '000000000000000000000000000000000') $$;
CREATE INDEX users_name ON users USING gin (name_key(full_name) gin_trgm_ops);
