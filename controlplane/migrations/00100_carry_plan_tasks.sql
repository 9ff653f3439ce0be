-- A task of a run is an index of its own since maps, loops and groups expand:
-- rows that say where a task is carry which task of the plan it is, and what an
-- attempt that is a decision asks.

-- +goose Up
ALTER TABLE sb.ready ADD COLUMN plan_task integer NOT NULL DEFAULT -1;
ALTER TABLE sb.ready ADD COLUMN asking text NOT NULL DEFAULT '' CHECK (asking IN ('', 'begin', 'item', 'until'));
ALTER TABLE sb.lease ADD COLUMN plan_task integer NOT NULL DEFAULT -1;
ALTER TABLE sb.lease ADD COLUMN asking text NOT NULL DEFAULT '' CHECK (asking IN ('', 'begin', 'item', 'until'));
UPDATE sb.ready SET plan_task = task;
UPDATE sb.lease SET plan_task = task;
ALTER TABLE sb.timer DROP CONSTRAINT timer_kind_check;
ALTER TABLE sb.timer ADD CONSTRAINT timer_kind_check
  CHECK (kind IN ('retry', 'queue', 'deadline', 'exit_deadline', 'expand', 'hold', 'start'));

-- +goose Down
ALTER TABLE sb.timer DROP CONSTRAINT timer_kind_check;
DELETE FROM sb.timer WHERE kind IN ('expand', 'hold', 'start');
ALTER TABLE sb.timer ADD CONSTRAINT timer_kind_check CHECK (kind IN ('retry', 'queue', 'deadline', 'exit_deadline'));
ALTER TABLE sb.lease DROP COLUMN asking;
ALTER TABLE sb.lease DROP COLUMN plan_task;
ALTER TABLE sb.ready DROP COLUMN asking;
ALTER TABLE sb.ready DROP COLUMN plan_task;
