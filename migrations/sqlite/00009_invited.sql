-- The accounts that wait for their first password, which the overview counts.

-- +goose Up
CREATE INDEX users_invited ON users (id) WHERE password_changed_at = 0 AND disabled_at = 0;

-- +goose Down
DROP INDEX users_invited;
