-- Which plan an organization had when, and by which version of the price book:
-- an invoice rates each part of a month by the card that was in force in it.
-- organization.plan says what holds now; its changes write the history.

-- +goose Up
CREATE TABLE sb.subscription (
  org_id uuid NOT NULL REFERENCES sb.organization (org_id),
  id bigint GENERATED ALWAYS AS IDENTITY,
  plan text NOT NULL,
  price_book integer NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz CHECK (ends_at >= starts_at),
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (price_book, plan) REFERENCES sb.price_plan (version, plan)
);
CREATE UNIQUE INDEX subscription_open ON sb.subscription (org_id) WHERE ends_at IS NULL;
REVOKE DELETE ON sb.subscription FROM sb_api, sb_engine;

ALTER TABLE sb.subscription ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.subscription FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.subscription TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.subscription TO sb_engine USING (true) WITH CHECK (true);

-- The newest version whose time has come. A subscription begins where the one
-- before it ended, so that every moment since the organization began has one.
-- +goose StatementBegin
CREATE FUNCTION sb.keep_subscription() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
  start timestamptz := NEW.created_at;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    UPDATE sb.subscription s
       SET ends_at = greatest(s.starts_at, clock_timestamp())
     WHERE s.org_id = NEW.org_id
       AND s.ends_at IS NULL
    RETURNING s.ends_at INTO start;
  END IF;
  INSERT INTO sb.subscription (org_id, plan, price_book, starts_at)
  SELECT NEW.org_id, NEW.plan, max(p.version), start
    FROM sb.price_plan p
   WHERE p.plan = NEW.plan
     AND p.valid_from <= greatest(start, now());
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER begin_subscription AFTER INSERT ON sb.organization
  FOR EACH ROW EXECUTE FUNCTION sb.keep_subscription();
CREATE TRIGGER change_subscription AFTER UPDATE OF plan ON sb.organization
  FOR EACH ROW WHEN (OLD.plan IS DISTINCT FROM NEW.plan) EXECUTE FUNCTION sb.keep_subscription();

SET LOCAL ROLE sb_engine;
INSERT INTO sb.subscription (org_id, plan, price_book, starts_at)
SELECT o.org_id, o.plan, 1, o.created_at
  FROM sb.organization o;
SET LOCAL ROLE sb_owner;

-- +goose Down
DROP TRIGGER change_subscription ON sb.organization;
DROP TRIGGER begin_subscription ON sb.organization;
DROP FUNCTION sb.keep_subscription();
DROP TABLE sb.subscription;
