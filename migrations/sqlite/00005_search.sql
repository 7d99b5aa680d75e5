-- One column that is searched, kept by the program, with one index, instead of
-- four wide indexes and one of names. The program fills it after this file
-- (models/user_fill.go).

-- +goose Up
DROP TRIGGER users_name_insert;
DROP TRIGGER users_name_delete;
DROP TRIGGER users_name_update;
DROP TABLE users_name;
DROP INDEX users_by_username;
DROP INDEX users_by_email;
DROP INDEX users_by_created;
DROP INDEX users_by_last_sign_in;

ALTER TABLE users ADD COLUMN search TEXT NOT NULL DEFAULT ''; -- models.SearchText; empty: not filled yet

CREATE INDEX users_unsearchable ON users (id) WHERE search = '';
CREATE INDEX users_created      ON users (created_at, username);
CREATE INDEX users_last_sign_in ON users (last_sign_in_at, username);

CREATE VIRTUAL TABLE users_search USING fts5 (
    search, content = 'users', content_rowid = 'seq', tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0
);
INSERT INTO users_search (users_search) VALUES ('rebuild'); -- the update trigger removes a row from the index first
-- +goose StatementBegin
CREATE TRIGGER users_search_insert AFTER INSERT ON users BEGIN
    INSERT INTO users_search (rowid, search) VALUES (new.seq, new.search);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_search_delete AFTER DELETE ON users BEGIN
    INSERT INTO users_search (users_search, rowid, search) VALUES ('delete', old.seq, old.search);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_search_update AFTER UPDATE OF search ON users BEGIN
    INSERT INTO users_search (users_search, rowid, search) VALUES ('delete', old.seq, old.search);
    INSERT INTO users_search (rowid, search) VALUES (new.seq, new.search);
END;
-- +goose StatementEnd

-- Usernames that an account had and that nobody else may have.
CREATE TABLE retired_usernames (
    username TEXT    PRIMARY KEY,
    user_id  TEXT    NOT NULL, -- whose it was: that account may take it back
    until    INTEGER NOT NULL -- 0: for good, because the account was deleted
) STRICT;

-- +goose Down
DROP TABLE retired_usernames;
DROP TRIGGER users_search_insert;
DROP TRIGGER users_search_delete;
DROP TRIGGER users_search_update;
DROP TABLE users_search;
DROP INDEX users_unsearchable;
DROP INDEX users_created;
DROP INDEX users_last_sign_in;
ALTER TABLE users DROP COLUMN search;

CREATE INDEX users_by_username     ON users (role, (disabled_at <> 0), username, email_folded, created_at, last_sign_in_at);
CREATE INDEX users_by_email        ON users (role, (disabled_at <> 0), email_folded, username, created_at, last_sign_in_at);
CREATE INDEX users_by_created      ON users (role, (disabled_at <> 0), created_at, username, email_folded);
CREATE INDEX users_by_last_sign_in ON users (role, (disabled_at <> 0), last_sign_in_at, created_at, username, email_folded);
CREATE VIRTUAL TABLE users_name USING fts5 (
    full_name, content = 'users', content_rowid = 'seq', tokenize = 'trigram'
);
INSERT INTO users_name (users_name) VALUES ('rebuild');
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
