-- The row that /readyz writes to find out whether the database takes writes
-- (models.Store.Ready).

-- +goose Up
CREATE TABLE readiness (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    checked_at BIGINT NOT NULL
);
INSERT INTO readiness (id, checked_at) VALUES (1, 0);

-- +goose Down
DROP TABLE readiness;
