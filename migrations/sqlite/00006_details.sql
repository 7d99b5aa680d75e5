-- The facts of an event as JSON, in place of a text in detail: events that were
-- written before keep their text. And which browser a known device is, so that
-- people can tell their devices apart; known from the next sign-in on.

-- +goose Up
ALTER TABLE audit_events ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE known_devices ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';

-- +goose Down
-- This loses data: the facts of every event since the migration (what changed, from
-- what to what), which are in details alone, and the browser of every known device.
ALTER TABLE known_devices DROP COLUMN user_agent;
ALTER TABLE audit_events DROP COLUMN details;
