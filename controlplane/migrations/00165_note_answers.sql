-- What starts a child knows the answer that its task was given: the seq of the
-- entry with the params, 0 where nothing was asked.

-- +goose Up
ALTER TABLE sb.wake ADD COLUMN answer bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE sb.wake DROP COLUMN answer;
