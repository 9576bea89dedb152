-- Passkeys (WebAuthn credentials) of people, and the challenges that were answered.

CREATE TABLE passkey (
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    issuer_id INTEGER,
    name TEXT NOT NULL,
    rp_id TEXT NOT NULL,
    credential BLOB NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    counter INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;
CREATE INDEX passkey_by_person ON passkey (person_id, id);

-- A challenge is answered once: its key is the wall. Only right answers are written down, so that strangers write
-- nothing; what has ended by itself is forgotten.
CREATE TABLE passkey_challenge (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_challenge_by_end ON passkey_challenge (expires_at);

-- A passkey never becomes somebody else's, and its counter never goes back.
CREATE TRIGGER passkey_is_fixed BEFORE UPDATE ON passkey
    WHEN NEW.person_id <> OLD.person_id OR NEW.credential <> OLD.credential
        OR NEW.public_key <> OLD.public_key OR NEW.rp_id <> OLD.rp_id OR NEW.counter < OLD.counter
    BEGIN SELECT RAISE(ABORT, 'a passkey stays what it is'); END;
