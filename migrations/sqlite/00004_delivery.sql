-- Which delivery of its generation a session's tokens are.

-- +goose Up
ALTER TABLE sessions RENAME COLUMN rotated_at TO delivered_at; -- when the current refresh token was made
ALTER TABLE sessions ADD COLUMN delivery           INTEGER NOT NULL DEFAULT 0; -- how often the generation was delivered anew
ALTER TABLE sessions ADD COLUMN previous_delivery  INTEGER NOT NULL DEFAULT 0; -- the delivery of the generation before that was rotated
ALTER TABLE sessions ADD COLUMN confirmed_delivery INTEGER NOT NULL DEFAULT 0; -- of confirmed_generation
ALTER TABLE sessions ADD COLUMN delivered_to       TEXT    NOT NULL DEFAULT ''; -- address and browser that got the current tokens

-- +goose Down
ALTER TABLE sessions DROP COLUMN delivered_to;
ALTER TABLE sessions DROP COLUMN confirmed_delivery;
ALTER TABLE sessions DROP COLUMN previous_delivery;
ALTER TABLE sessions DROP COLUMN delivery;
ALTER TABLE sessions RENAME COLUMN delivered_at TO rotated_at;
