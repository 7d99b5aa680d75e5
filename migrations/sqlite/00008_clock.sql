-- The latest check of the servers' clock, in one row (models.Clock).

-- +goose Up
CREATE TABLE clock (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    checked_at   INTEGER NOT NULL,
    steady_since INTEGER NOT NULL -- the first check after the latest jump; 0: it never jumped
);

-- +goose Down
DROP TABLE clock;
