-- Whether a session was opened on a device that was unseen before.

-- +goose Up
ALTER TABLE sessions ADD COLUMN new_device BOOLEAN NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE sessions DROP COLUMN new_device;
