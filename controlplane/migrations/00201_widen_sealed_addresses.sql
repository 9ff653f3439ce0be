-- Agents seal the address by which others reach them: it is longer so.

-- +goose Up
ALTER TABLE sb.session
  DROP CONSTRAINT session_address_check,
  ADD CONSTRAINT session_address_check CHECK (length(address) <= 600);

-- +goose Down
SET LOCAL ROLE sb_engine;
UPDATE sb.session SET address = '' WHERE length(address) > 255;
SET LOCAL ROLE sb_owner;
ALTER TABLE sb.session
  DROP CONSTRAINT session_address_check,
  ADD CONSTRAINT session_address_check CHECK (length(address) <= 255);
