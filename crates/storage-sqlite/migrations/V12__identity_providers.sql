-- Companies that say who their people are (OpenID Connect): the providers, whom they named so far, and sign-ins that
-- are on their way. What proves us to a provider is sealed; the keys are elsewhere.

CREATE TABLE identity_provider (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER,
    name TEXT NOT NULL,
    issuer_url TEXT NOT NULL,
    client_id TEXT NOT NULL,
    secret_key_id INTEGER NOT NULL,
    secret BLOB NOT NULL,
    trusted_second_factor INTEGER NOT NULL CHECK (trusted_second_factor IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_provider_by_issuer ON identity_provider (issuer_id, id);

-- One person is one subject of a provider, and one subject one person.
CREATE TABLE person_identity (
    provider_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    issuer_id INTEGER,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (provider_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX person_identity_by_subject ON person_identity (provider_id, subject);

CREATE TABLE sign_in_flow (
    state_hash BLOB NOT NULL PRIMARY KEY CHECK (length(state_hash) = 32),
    provider_id INTEGER NOT NULL,
    issuer_id INTEGER,
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    page TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_flow_by_expiry ON sign_in_flow (expires_at);
CREATE INDEX sign_in_flow_by_subject ON sign_in_flow (subject);

-- Who let a session in, so that it ends with him.
ALTER TABLE person_session ADD COLUMN provider_id INTEGER;
CREATE INDEX person_session_by_provider ON person_session (provider_id, person_id) WHERE provider_id IS NOT NULL;
