-- Mail, and what it makes possible: addresses that are verified, invitations, and
-- accounts that can be restored.

-- +goose Up

ALTER TABLE users ADD COLUMN email_verified_at BIGINT NOT NULL DEFAULT 0; -- 0: not verified

-- What waits to be delivered, and what became of it. Written in the transaction of
-- its cause.
CREATE TABLE deliveries (
    id         TEXT COLLATE "C" PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,            -- how it is delivered: mail, ...
    topic      TEXT COLLATE "C" NOT NULL,            -- what it is about: reset, verify, ...
    user_id    TEXT COLLATE "C" NOT NULL DEFAULT '', -- whose account; empty: of nobody. The row outlives the account
    ref        TEXT    NOT NULL DEFAULT '', -- what it can be made from again: the id of an audit event or an invitation
    recipient  TEXT    NOT NULL,            -- an address
    state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    body       TEXT    NOT NULL,            -- sealed; empty once the delivery is over
    created_at BIGINT  NOT NULL,
    due_at     BIGINT  NOT NULL,            -- when it is tried next; a worker that takes it moves this ahead
    useless_at BIGINT  NOT NULL,            -- from then on it is not worth sending
    attempts   BIGINT  NOT NULL DEFAULT 0,
    tried_at   BIGINT  NOT NULL DEFAULT 0,  -- the start of the latest attempt
    held_until BIGINT  NOT NULL DEFAULT 0,  -- a worker tries it until then; 0 or past: none does
    over_at    BIGINT  NOT NULL DEFAULT 0,  -- when it was sent or failed
    again_at   BIGINT  NOT NULL DEFAULT 0,  -- when an admin had it made again; 0: not
    answer     TEXT    NOT NULL DEFAULT ''  -- the latest one of the other side
);

CREATE INDEX deliveries_due     ON deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_created ON deliveries (kind, created_at, id);
CREATE INDEX deliveries_user    ON deliveries (user_id, created_at, id);
CREATE INDEX deliveries_over    ON deliveries (over_at) WHERE over_at <> 0;

-- The addresses that accounts had before, so that a change can be undone.
CREATE TABLE email_changes (
    id         TEXT COLLATE "C" PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    old_email  TEXT    NOT NULL,
    old_folded TEXT COLLATE "C" NOT NULL,
    verified   BIGINT  NOT NULL,            -- when the old address was verified; 0: it was not
    at         BIGINT  NOT NULL
);

CREATE INDEX email_changes_user ON email_changes (user_id, at);
CREATE INDEX email_changes_old  ON email_changes (old_folded, at);
CREATE INDEX email_changes_at   ON email_changes (at);

CREATE TABLE invitations (
    id           TEXT COLLATE "C" PRIMARY KEY,
    token_hash   TEXT COLLATE "C" NOT NULL UNIQUE,     -- SHA-256 of the token that its admin was shown, hex
    mailed_hash  TEXT COLLATE "C" NOT NULL DEFAULT '',  -- SHA-256 of the token in the latest letter, hex; empty: it was not mailed
    email        TEXT    NOT NULL DEFAULT '', -- the only address it is for; empty: any
    role         TEXT    NOT NULL CHECK (role IN ('user', 'admin')),
    uses         BIGINT  NOT NULL,            -- how many accounts it may create
    used         BIGINT  NOT NULL DEFAULT 0,
    note         TEXT    NOT NULL DEFAULT '', -- for admins
    created_by   TEXT COLLATE "C" NOT NULL,            -- an admin's id; empty: the shell
    creator      TEXT    NOT NULL,            -- their username, a copy
    created_at   BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL,
    withdrawn_at BIGINT  NOT NULL DEFAULT 0
);

CREATE INDEX invitations_created ON invitations (created_at, id);
CREATE INDEX invitations_creator ON invitations (created_by);
CREATE INDEX invitations_expires ON invitations (expires_at);
CREATE UNIQUE INDEX invitations_mailed ON invitations (mailed_hash) WHERE mailed_hash <> '';

-- Accounts that an admin deleted and that can be restored until erase_at. Columns
-- as in users; whatever else protects an account has to be kept here too. Their
-- sessions, tokens and devices are gone. The audit log says who deleted them.
CREATE TABLE deleted_users (
    id                  TEXT COLLATE "C" PRIMARY KEY,
    username            TEXT COLLATE "C" NOT NULL,
    email               TEXT    NOT NULL,
    email_folded        TEXT COLLATE "C" NOT NULL,
    email_verified_at   BIGINT  NOT NULL,
    full_name           TEXT    NOT NULL,
    search              TEXT    NOT NULL,
    password_hash       TEXT    NOT NULL,
    password_changed_at BIGINT  NOT NULL,
    role                TEXT    NOT NULL,
    disabled_at         BIGINT  NOT NULL,
    disabled_reason     TEXT    NOT NULL,
    last_sign_in_at     BIGINT  NOT NULL,
    replayed_at         BIGINT  NOT NULL,
    created_at          BIGINT  NOT NULL,
    updated_at          BIGINT  NOT NULL,
    deleted_at          BIGINT  NOT NULL,
    erase_at            BIGINT  NOT NULL
);

CREATE INDEX deleted_users_deleted ON deleted_users (deleted_at, id);
CREATE INDEX deleted_users_erase   ON deleted_users (erase_at);

-- Sign-ups with an address that another account has. From outside they look like
-- new accounts: the username is kept from others, and a corrected address turns one
-- into an account.
CREATE TABLE phantoms (
    id            TEXT COLLATE "C" PRIMARY KEY,
    username      TEXT COLLATE "C" NOT NULL UNIQUE,
    owner_id      TEXT COLLATE "C" NOT NULL, -- whose address it is; that person may take the username
    full_name     TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    until         BIGINT  NOT NULL  -- the username is kept for as long
);

CREATE INDEX phantoms_until ON phantoms (until);

ALTER TABLE one_time_tokens DROP CONSTRAINT one_time_tokens_purpose_check;
ALTER TABLE one_time_tokens ADD CONSTRAINT one_time_tokens_purpose_check
    CHECK (purpose IN ('setup', 'set-password', 'verify-email', 'secure'));
ALTER TABLE one_time_tokens ADD COLUMN email     TEXT NOT NULL DEFAULT ''; -- the address that the link was mailed to; empty: it was not
ALTER TABLE one_time_tokens ADD COLUMN code_hash TEXT NOT NULL DEFAULT ''; -- of the code in the same message, keyed; empty: none

-- +goose Down
-- This loses data: the accounts that could still be restored, the invitations, and
-- which addresses are verified.
ALTER TABLE one_time_tokens DROP COLUMN code_hash;
ALTER TABLE one_time_tokens DROP COLUMN email;
DELETE FROM one_time_tokens WHERE purpose IN ('verify-email', 'secure');
ALTER TABLE one_time_tokens DROP CONSTRAINT one_time_tokens_purpose_check;
ALTER TABLE one_time_tokens ADD CONSTRAINT one_time_tokens_purpose_check CHECK (purpose IN ('setup', 'set-password'));
DROP TABLE phantoms;
DROP TABLE deleted_users;
DROP TABLE invitations;
DROP TABLE email_changes;
DROP TABLE deliveries;
ALTER TABLE users DROP COLUMN email_verified_at;
