-- Companies that say who their people are (OpenID Connect): the providers, whom they named so far, and sign-ins that
-- are on their way. What proves us to a provider is sealed; the keys are elsewhere.

CREATE TABLE identity_provider (
    id bigint PRIMARY KEY,
    issuer_id bigint,
    name text NOT NULL,
    issuer_url text NOT NULL,
    client_id text NOT NULL,
    secret_key_id smallint NOT NULL,
    secret bytea NOT NULL,
    trusted_second_factor boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    created_at bigint NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX identity_provider_by_issuer ON identity_provider (issuer_id, id);

-- One person is one subject of a provider, and one subject one person.
CREATE TABLE person_identity (
    provider_id bigint NOT NULL,
    person_id bigint NOT NULL,
    subject text NOT NULL,
    issuer_id bigint,
    linked_at bigint NOT NULL,
    PRIMARY KEY (provider_id, person_id)
);
CREATE UNIQUE INDEX person_identity_by_subject ON person_identity (provider_id, subject);

CREATE TABLE sign_in_flow (
    state_hash bytea NOT NULL PRIMARY KEY CHECK (length(state_hash) = 32),
    provider_id bigint NOT NULL,
    issuer_id bigint,
    subject bytea NOT NULL CHECK (length(subject) = 16),
    page text NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX sign_in_flow_by_expiry ON sign_in_flow (expires_at);
CREATE INDEX sign_in_flow_by_subject ON sign_in_flow (subject);

-- Who let a session in, so that it ends with him.
ALTER TABLE person_session ADD COLUMN provider_id bigint;
CREATE INDEX person_session_by_provider ON person_session (provider_id, person_id) WHERE provider_id IS NOT NULL;

-- Providers are closed, never deleted; whose they are does not change. Who is linked is only added and taken away.
GRANT SELECT, INSERT ON identity_provider TO hexiao_app;
GRANT UPDATE (name, issuer_url, client_id, secret_key_id, secret, trusted_second_factor, status, version)
    ON identity_provider TO hexiao_app;
GRANT SELECT, INSERT, DELETE ON person_identity, sign_in_flow TO hexiao_app;
-- Locking a link, so that it is not taken away while a session is opened by it, needs a column that may change.
GRANT UPDATE (linked_at) ON person_identity TO hexiao_app;

ALTER TABLE identity_provider ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_flow ENABLE ROW LEVEL SECURITY;

CREATE POLICY issuers ON identity_provider
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON person_identity
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON sign_in_flow
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
