-- Whoever asks for the data of an agent that is offline is told when it was last
-- seen. A session's row goes about a second after the session ended, so its end
-- is kept with the agent.

-- +goose Up
-- When the last of its sessions that are gone ran out; the agent was last seen
-- the life of a session earlier.
ALTER TABLE sb.agent ADD COLUMN session_until timestamptz;

-- +goose StatementBegin
CREATE FUNCTION sb.remember_session() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
  UPDATE sb.agent
  SET session_until = greatest(session_until, OLD.expires_at)
  WHERE org_id = OLD.org_id
    AND id = OLD.agent_id;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER remember AFTER DELETE ON sb.session FOR EACH ROW EXECUTE FUNCTION sb.remember_session();

-- +goose Down
DROP TRIGGER remember ON sb.session;
DROP FUNCTION sb.remember_session();
ALTER TABLE sb.agent DROP COLUMN session_until;
