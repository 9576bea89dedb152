-- People: users, roles, credentials, sessions, invitations, the audit trail, saved views.
-- Without an issuer: what belongs to the platform, and the roles that come with the program.

CREATE TABLE role (
    id bigint PRIMARY KEY,
    issuer_id bigint,
    code text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    permissions text NOT NULL,
    issue_operation bigint NOT NULL,
    issue_day bigint NOT NULL,
    adjust_operation bigint NOT NULL,
    adjust_day bigint NOT NULL,
    refund_operation bigint NOT NULL,
    refund_day bigint NOT NULL,
    terms_operation bigint NOT NULL,
    terms_day bigint NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL
);
CREATE UNIQUE INDEX role_code ON role (coalesce(issuer_id, 0), code);

CREATE TABLE person (
    id bigint PRIMARY KEY,
    issuer_id bigint,
    merchant_id bigint,
    store_id bigint,
    login text NOT NULL UNIQUE,
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    roles text NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    CHECK (merchant_id IS NULL OR issuer_id IS NOT NULL),
    CHECK (store_id IS NULL OR merchant_id IS NOT NULL)
);
CREATE INDEX person_by_issuer ON person (issuer_id, id);

CREATE TABLE person_password (
    person_id bigint PRIMARY KEY,
    issuer_id bigint,
    hash text NOT NULL,
    changed_at bigint NOT NULL
);

-- A generator of one-time passwords. The last time step that was used is kept, so that none is good twice.
CREATE TABLE person_totp (
    person_id bigint PRIMARY KEY,
    issuer_id bigint,
    key_id bigint NOT NULL,
    sealed bytea NOT NULL,
    confirmed boolean NOT NULL,
    last_step bigint NOT NULL
);

CREATE TABLE recovery_code (
    person_id bigint NOT NULL,
    key_id bigint NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 16),
    issuer_id bigint,
    PRIMARY KEY (person_id, key_id, digest)
);

CREATE TABLE person_session (
    id bigint PRIMARY KEY,
    person_id bigint NOT NULL,
    issuer_id bigint,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    stage text NOT NULL CHECK (stage IN ('second_factor', 'enrolment', 'complete')),
    address text,
    agent text,
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    ended_at bigint
);
CREATE INDEX person_session_by_person ON person_session (person_id, id);
CREATE INDEX person_session_by_expiry ON person_session (expires_at);

-- Tries to sign in that did not succeed, by a keyed hash of whose they were.
CREATE TABLE sign_in_guard (
    subject bytea PRIMARY KEY CHECK (length(subject) = 16),
    tries bigint NOT NULL,
    last_at bigint NOT NULL,
    locked_until bigint NOT NULL
);
CREATE INDEX sign_in_guard_by_age ON sign_in_guard (last_at);

CREATE TABLE invitation (
    id bigint PRIMARY KEY,
    issuer_id bigint,
    merchant_id bigint,
    store_id bigint,
    login text NOT NULL,
    name text NOT NULL,
    roles text NOT NULL,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    invited_by bigint,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    accepted_at bigint,
    person_id bigint,
    withdrawn_at bigint,
    CHECK ((accepted_at IS NULL) = (person_id IS NULL)),
    CHECK (accepted_at IS NULL OR withdrawn_at IS NULL)
);
CREATE INDEX invitation_by_issuer ON invitation (issuer_id, id);

CREATE TABLE audit_event (
    id bigint PRIMARY KEY,
    issuer_id bigint,
    person_id bigint,
    session_id bigint,
    at bigint NOT NULL,
    address text,
    action text NOT NULL,
    object text,
    status bigint NOT NULL,
    code text,
    request_id text
);
CREATE INDEX audit_event_by_issuer ON audit_event (coalesce(issuer_id, 0), id);
CREATE INDEX audit_event_by_person ON audit_event (person_id, id);

CREATE TABLE saved_view (
    id bigint PRIMARY KEY,
    person_id bigint NOT NULL,
    issuer_id bigint,
    name text NOT NULL,
    page text NOT NULL,
    query text NOT NULL,
    created_at bigint NOT NULL,
    UNIQUE (person_id, page, name)
);

-- Append-only is what is not granted: the trail is only added to, users and roles are never deleted.
GRANT SELECT, INSERT ON role, person, invitation, audit_event TO hexiao_app;
GRANT SELECT, INSERT, DELETE ON recovery_code, saved_view TO hexiao_app;
GRANT SELECT, INSERT, UPDATE ON person_password TO hexiao_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON person_totp, person_session, sign_in_guard TO hexiao_app;
GRANT UPDATE (code, name_zh, name_en, permissions, issue_operation, issue_day, adjust_operation, adjust_day,
    refund_operation, refund_day, terms_operation, terms_day, version) ON role TO hexiao_app;
GRANT UPDATE (merchant_id, store_id, name, status, roles, version) ON person TO hexiao_app;
GRANT UPDATE (accepted_at, person_id, withdrawn_at) ON invitation TO hexiao_app;

ALTER TABLE role ENABLE ROW LEVEL SECURITY;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_password ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_totp ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_session ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_view ENABLE ROW LEVEL SECURITY;

-- Roles that come with the program are everybody's to read.
CREATE POLICY issuers ON role
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY built_in ON role FOR SELECT USING (issuer_id IS NULL);
CREATE POLICY issuers ON person
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON person_password
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON person_totp
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON recovery_code
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON person_session
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON invitation
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON audit_event
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON saved_view
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
