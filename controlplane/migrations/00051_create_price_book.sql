-- What things cost: data, not code. A version of the price book is never
-- changed; new prices are a new version, and a subscription keeps the version
-- that it began with. The same for every organization, so without org_id.

-- +goose Up
CREATE TABLE sb.price_plan (
  version integer NOT NULL CHECK (version > 0),
  plan text NOT NULL CHECK (plan IN ('free', 'team', 'business')),
  title text NOT NULL CHECK (title <> ''),
  -- The fee of a whole month, in billionths of a dollar.
  base_nano_usd bigint NOT NULL CHECK (base_nano_usd >= 0),
  -- Subscriptions that begin from then on may have this version.
  valid_from timestamptz NOT NULL,
  PRIMARY KEY (version, plan)
);

CREATE TABLE sb.price_tier (
  version integer NOT NULL,
  plan text NOT NULL,
  meter text NOT NULL CHECK (meter IN ('runs', 'task_attempts', 'task_ms', 'gpu_ms')),
  -- The quantity from which the price holds, in the meter's own units. What
  -- lies below a meter's first tier is included.
  from_quantity bigint NOT NULL CHECK (from_quantity >= 0),
  -- The price of `per` units: nobody quotes a millisecond.
  nano_usd bigint NOT NULL CHECK (nano_usd >= 0),
  per bigint NOT NULL CHECK (per > 0),
  PRIMARY KEY (version, plan, meter, from_quantity),
  FOREIGN KEY (version, plan) REFERENCES sb.price_plan (version, plan)
);

REVOKE INSERT, UPDATE, DELETE ON sb.price_plan, sb.price_tier FROM sb_api, sb_engine;

INSERT INTO sb.price_plan (version, plan, title, base_nano_usd, valid_from) VALUES
  (1, 'free', 'Free', 0, '2020-01-01T00:00:00Z'),
  (1, 'team', 'Team', 99000000000, '2020-01-01T00:00:00Z'),
  (1, 'business', 'Business', 499000000000, '2020-01-01T00:00:00Z');

-- Runs by the piece, task time by the minute (60,000 ms). Attempts and GPU time
-- (by the hour) are counted and listed at no charge.
INSERT INTO sb.price_tier (version, plan, meter, from_quantity, nano_usd, per) VALUES
  (1, 'free', 'runs', 500, 0, 1),
  (1, 'free', 'task_ms', 5000 * 60000::bigint, 0, 60000),
  (1, 'free', 'task_attempts', 0, 0, 1),
  (1, 'free', 'gpu_ms', 0, 0, 3600000),
  (1, 'team', 'runs', 1000, 20000000, 1),
  (1, 'team', 'task_ms', 100000 * 60000::bigint, 400000, 60000),
  (1, 'team', 'task_attempts', 0, 0, 1),
  (1, 'team', 'gpu_ms', 0, 0, 3600000),
  (1, 'business', 'runs', 10000, 15000000, 1),
  (1, 'business', 'task_ms', 1000000 * 60000::bigint, 300000, 60000),
  (1, 'business', 'task_ms', 10000000 * 60000::bigint, 200000, 60000),
  (1, 'business', 'task_attempts', 0, 0, 1),
  (1, 'business', 'gpu_ms', 0, 0, 3600000);

-- +goose Down
DROP TABLE sb.price_tier;
DROP TABLE sb.price_plan;
