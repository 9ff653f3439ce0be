-- Exit handlers that failed never change how a run ended, so that its row has to
-- say it by itself: who looks after the runs is alerted of them.

-- +goose Up
ALTER TABLE sb.run
  ADD COLUMN exits_failed integer NOT NULL DEFAULT 0;
-- Next to none are in it: a run enters when a handler fails, and leaves when it is
-- retried.
CREATE INDEX run_exits_failed ON sb.run (org_id, pipeline_id, id DESC) WHERE exits_failed > 0;

-- +goose Down
DROP INDEX sb.run_exits_failed;
ALTER TABLE sb.run DROP COLUMN exits_failed;
