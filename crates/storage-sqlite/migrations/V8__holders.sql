-- Card holders: who they are, how they sign in, the cards in their wallets, the devices that show payment codes,
-- codes that were used, and gifts. Phone numbers and secrets of devices are sealed; the keys are elsewhere.

CREATE TABLE holder (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    phone_index BLOB NOT NULL CHECK (length(phone_index) = 16),
    index_key_id INTEGER NOT NULL,
    phone_key_id INTEGER NOT NULL,
    phone BLOB NOT NULL,
    last4 TEXT NOT NULL CHECK (length(last4) = 4),
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX holder_by_phone ON holder (issuer_id, phone_index);

-- The newest sign-in code of a phone number, and how many it got.
CREATE TABLE holder_login (
    issuer_id INTEGER NOT NULL,
    phone_index BLOB NOT NULL CHECK (length(phone_index) = 16),
    digest_key_id INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 16),
    attempts_left INTEGER NOT NULL CHECK (attempts_left >= 0),
    expires_at INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    hour_count INTEGER NOT NULL,
    day_count INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, phone_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_login_by_time ON holder_login (sent_at);

-- Messages to phones, where nothing else sends them.
CREATE TABLE holder_message (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    phone_index BLOB NOT NULL CHECK (length(phone_index) = 16),
    body_key_id INTEGER NOT NULL,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX holder_message_by_phone ON holder_message (issuer_id, phone_index, id);

CREATE TABLE holder_session (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    holder_id INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    idle_until INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_session_by_holder ON holder_session (holder_id, created_at);

-- Which cards to ask whose they are: the card says it.
CREATE TABLE holder_card (
    holder_id INTEGER NOT NULL,
    card_id INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    since INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    PRIMARY KEY (holder_id, card_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE holder_device (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    holder_id INTEGER NOT NULL,
    card_id INTEGER NOT NULL,
    tag INTEGER NOT NULL CHECK (tag BETWEEN 0 AND 99999999),
    secret_key_id INTEGER NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX holder_device_by_tag ON holder_device (issuer_id, tag) WHERE revoked_at IS NULL;
CREATE INDEX holder_device_by_card ON holder_device (card_id, holder_id, id) WHERE revoked_at IS NULL;
CREATE INDEX holder_device_revoked ON holder_device (revoked_at) WHERE revoked_at IS NOT NULL;

-- A code is used once: its key is the wall.
CREATE TABLE holder_code_use (
    device_id INTEGER NOT NULL,
    step INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
    used_at INTEGER NOT NULL,
    PRIMARY KEY (device_id, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_code_use_by_key ON holder_code_use (client_id, key_hash);
CREATE INDEX holder_code_use_by_time ON holder_code_use (used_at);

CREATE TABLE holder_gift (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    card_id INTEGER NOT NULL,
    giver_id INTEGER NOT NULL,
    receiver_id INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('pending', 'accepting', 'accepted', 'declined', 'withdrawn', 'expired', 'failed')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER,
    operation_id INTEGER,
    version INTEGER NOT NULL,
    CHECK (giver_id <> receiver_id),
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK (state <> 'accepted' OR operation_id IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX holder_gift_open ON holder_gift (card_id) WHERE state IN ('pending', 'accepting');
CREATE INDEX holder_gift_by_giver ON holder_gift (giver_id, id);
CREATE INDEX holder_gift_by_receiver ON holder_gift (receiver_id, id);
CREATE INDEX holder_gift_due ON holder_gift (expires_at) WHERE state IN ('pending', 'accepting');

CREATE TRIGGER holder_code_use_is_append_only BEFORE UPDATE ON holder_code_use
    BEGIN SELECT RAISE(ABORT, 'used codes stay used'); END;
CREATE TRIGGER holder_gift_is_kept BEFORE DELETE ON holder_gift
    BEGIN SELECT RAISE(ABORT, 'gifts are kept'); END;
CREATE TRIGGER holder_gift_is_final BEFORE UPDATE ON holder_gift WHEN OLD.state NOT IN ('pending', 'accepting')
    BEGIN SELECT RAISE(ABORT, 'gifts are kept'); END;
