-- Whether a session was opened on a device that was unseen before.

-- +goose Up
ALTER TABLE sessions ADD COLUMN new_device INTEGER NOT NULL DEFAULT 0 CHECK (new_device IN (0, 1));

-- +goose Down
ALTER TABLE sessions DROP COLUMN new_device;
