-- People: users, roles, credentials, sessions, invitations, the audit trail, saved views.
-- Without an issuer: what belongs to the platform, and the roles that come with the program.

CREATE TABLE role (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER,
    code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    permissions TEXT NOT NULL,
    issue_operation INTEGER NOT NULL,
    issue_day INTEGER NOT NULL,
    adjust_operation INTEGER NOT NULL,
    adjust_day INTEGER NOT NULL,
    refund_operation INTEGER NOT NULL,
    refund_day INTEGER NOT NULL,
    terms_operation INTEGER NOT NULL,
    terms_day INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX role_code ON role (coalesce(issuer_id, 0), code);

CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER,
    merchant_id INTEGER,
    store_id INTEGER,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    roles TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CHECK (merchant_id IS NULL OR issuer_id IS NOT NULL),
    CHECK (store_id IS NULL OR merchant_id IS NOT NULL)
) STRICT;
CREATE INDEX person_by_issuer ON person (issuer_id, id);

CREATE TABLE person_password (
    person_id INTEGER PRIMARY KEY,
    issuer_id INTEGER,
    hash TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- A generator of one-time passwords. The last time step that was used is kept, so that none is good twice.
CREATE TABLE person_totp (
    person_id INTEGER PRIMARY KEY,
    issuer_id INTEGER,
    key_id INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    last_step INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_code (
    person_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 16),
    issuer_id INTEGER,
    PRIMARY KEY (person_id, key_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE person_session (
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    issuer_id INTEGER,
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    stage TEXT NOT NULL CHECK (stage IN ('second_factor', 'enrolment', 'complete')),
    address TEXT,
    agent TEXT,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX person_session_by_person ON person_session (person_id, id);
CREATE INDEX person_session_by_expiry ON person_session (expires_at);

-- Tries to sign in that did not succeed, by a keyed hash of whose they were.
CREATE TABLE sign_in_guard (
    subject BLOB PRIMARY KEY CHECK (length(subject) = 16),
    tries INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    locked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_guard_by_age ON sign_in_guard (last_at);

CREATE TABLE invitation (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER,
    merchant_id INTEGER,
    store_id INTEGER,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    invited_by INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    accepted_at INTEGER,
    person_id INTEGER,
    withdrawn_at INTEGER,
    CHECK ((accepted_at IS NULL) = (person_id IS NULL)),
    CHECK (accepted_at IS NULL OR withdrawn_at IS NULL)
) STRICT;
CREATE INDEX invitation_by_issuer ON invitation (issuer_id, id);

CREATE TABLE audit_event (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER,
    person_id INTEGER,
    session_id INTEGER,
    at INTEGER NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    object TEXT,
    status INTEGER NOT NULL,
    code TEXT,
    request_id TEXT
) STRICT;
CREATE INDEX audit_event_by_issuer ON audit_event (coalesce(issuer_id, 0), id);
CREATE INDEX audit_event_by_person ON audit_event (person_id, id);

CREATE TABLE saved_view (
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    issuer_id INTEGER,
    name TEXT NOT NULL,
    page TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (person_id, page, name)
) STRICT;

CREATE TRIGGER audit_event_is_append_only_update BEFORE UPDATE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_event_is_append_only_delete BEFORE DELETE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER person_is_kept BEFORE DELETE ON person
    BEGIN SELECT RAISE(ABORT, 'users are closed, not deleted'); END;
CREATE TRIGGER role_is_kept BEFORE DELETE ON role
    BEGIN SELECT RAISE(ABORT, 'roles are kept'); END;
-- An invitation is used once, for what it said.
CREATE TRIGGER invitation_is_kept BEFORE DELETE ON invitation
    BEGIN SELECT RAISE(ABORT, 'invitations are kept'); END;
CREATE TRIGGER invitation_is_final BEFORE UPDATE ON invitation
    WHEN OLD.accepted_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'invitations are used once'); END;
-- A session that has ended stays so, and never becomes somebody else's.
CREATE TRIGGER person_session_is_final BEFORE UPDATE ON person_session
    WHEN OLD.ended_at IS NOT NULL OR NEW.person_id <> OLD.person_id
    BEGIN SELECT RAISE(ABORT, 'a session has ended'); END;
