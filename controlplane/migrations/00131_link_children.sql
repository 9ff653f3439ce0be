-- A run may be the child of another one's task. One task's attempt has one child,
-- however often it is asked for.

-- +goose Up
ALTER TABLE sb.run
  ADD COLUMN parent_run uuid,
  ADD COLUMN parent_task integer,
  ADD COLUMN parent_attempt integer,
  -- The task's path, for people.
  ADD COLUMN parent_path text,
  -- The run that nobody's task started, and how far below it this one stands.
  ADD COLUMN root_run uuid,
  ADD COLUMN depth integer NOT NULL DEFAULT 0 CHECK (depth BETWEEN 0 AND 8),
  ADD CONSTRAINT run_of_parent CHECK ((parent_run IS NULL) = (depth = 0)
    AND (parent_run IS NULL) = (root_run IS NULL)
    AND (parent_run IS NULL) = (parent_task IS NULL)
    AND (parent_run IS NULL) = (parent_attempt IS NULL));
CREATE UNIQUE INDEX run_child ON sb.run (org_id, parent_run, parent_task, parent_attempt) WHERE parent_run IS NOT NULL;
CREATE INDEX run_below ON sb.run (org_id, root_run) WHERE root_run IS NOT NULL;

ALTER TABLE sb.wake DROP CONSTRAINT wake_kind_check;
ALTER TABLE sb.wake ADD CONSTRAINT wake_kind_check
  CHECK (kind IN ('arrive', 'admit', 'drop', 'cancel', 'release', 'resume', 'child', 'child_ended', 'recall'));

-- +goose Down
ALTER TABLE sb.wake DROP CONSTRAINT wake_kind_check;
ALTER TABLE sb.wake ADD CONSTRAINT wake_kind_check
  CHECK (kind IN ('arrive', 'admit', 'drop', 'cancel', 'release', 'resume', 'child', 'child_ended'));
ALTER TABLE sb.run DROP COLUMN parent_run, DROP COLUMN parent_task, DROP COLUMN parent_attempt, DROP COLUMN parent_path,
  DROP COLUMN root_run, DROP COLUMN depth;
