-- The scope apps opens the apps behind forward-auth. Until now every token with
-- the scope me did, so the personal access tokens that exist keep it.

-- +goose Up
UPDATE personal_access_tokens SET scope = scope || ' apps' WHERE ' ' || scope || ' ' LIKE '% me %';

-- +goose Down
UPDATE personal_access_tokens SET scope = TRIM(REPLACE(' ' || scope || ' ', ' apps ', ' '));
