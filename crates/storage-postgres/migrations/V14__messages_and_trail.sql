-- The trail by what was done: what is rare is found without reading all the rest.
CREATE INDEX audit_event_by_action ON audit_event (coalesce(issuer_id, 0), action, id);

-- Messages to phones that a gateway delivers: when the next attempt is due, and how many there were. Messages without a
-- moment are read where they lie (in demonstrations).
ALTER TABLE holder_message ADD COLUMN due_at bigint;
ALTER TABLE holder_message ADD COLUMN attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0);
CREATE INDEX holder_message_due ON holder_message (due_at) WHERE due_at IS NOT NULL;
GRANT UPDATE (due_at, attempts) ON holder_message TO hexiao_app;
