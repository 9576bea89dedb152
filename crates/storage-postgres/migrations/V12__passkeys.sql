-- Passkeys (WebAuthn credentials) of people, and the challenges that were answered.

CREATE TABLE passkey (
    id bigint PRIMARY KEY,
    person_id bigint NOT NULL,
    issuer_id bigint,
    name text NOT NULL,
    rp_id text NOT NULL,
    credential bytea NOT NULL UNIQUE,
    public_key bytea NOT NULL,
    counter bigint NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint
);
CREATE INDEX passkey_by_person ON passkey (person_id, id);

-- A challenge is answered once: its key is the wall. Only right answers are written down, so that strangers write
-- nothing; what has ended by itself is forgotten.
CREATE TABLE passkey_challenge (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    expires_at bigint NOT NULL
);
CREATE INDEX passkey_challenge_by_end ON passkey_challenge (expires_at);

-- A passkey never becomes somebody else's: what is not granted cannot be done.
GRANT SELECT, INSERT, DELETE ON passkey, passkey_challenge TO hexiao_app;
GRANT UPDATE (counter, last_used_at) ON passkey TO hexiao_app;

ALTER TABLE passkey ENABLE ROW LEVEL SECURITY;
CREATE POLICY issuers ON passkey
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
