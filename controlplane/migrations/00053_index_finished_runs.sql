-- The runs behind an invoice line are those of its month, and those from before
-- it that had not ended when it began: these are found here, instead of by a
-- walk through all the years. A run gets its entry once, when it ends, in an
-- update that other indexes keep from being HOT anyway.

-- +goose Up
CREATE INDEX run_finished ON sb.run (org_id, finished_at, id) WHERE finished_at IS NOT NULL;

-- +goose Down
DROP INDEX sb.run_finished;
