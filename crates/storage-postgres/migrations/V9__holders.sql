-- Card holders: who they are, how they sign in, the cards in their wallets, the devices that show payment codes,
-- codes that were used, and gifts. Phone numbers and secrets of devices are sealed; the keys are elsewhere.

CREATE TABLE holder (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    phone_index bytea NOT NULL CHECK (length(phone_index) = 16),
    index_key_id smallint NOT NULL,
    phone_key_id smallint NOT NULL,
    phone bytea NOT NULL,
    last4 text NOT NULL CHECK (length(last4) = 4),
    created_at bigint NOT NULL
);
CREATE UNIQUE INDEX holder_by_phone ON holder (issuer_id, phone_index);

-- The newest sign-in code of a phone number, and how many it got.
CREATE TABLE holder_login (
    issuer_id bigint NOT NULL,
    phone_index bytea NOT NULL CHECK (length(phone_index) = 16),
    digest_key_id smallint NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 16),
    attempts_left bigint NOT NULL CHECK (attempts_left >= 0),
    expires_at bigint NOT NULL,
    sent_at bigint NOT NULL,
    hour_count bigint NOT NULL,
    day_count bigint NOT NULL,
    PRIMARY KEY (issuer_id, phone_index)
);
CREATE INDEX holder_login_by_time ON holder_login (sent_at);

-- Messages to phones, where nothing else sends them.
CREATE TABLE holder_message (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    phone_index bytea NOT NULL CHECK (length(phone_index) = 16),
    body_key_id smallint NOT NULL,
    body bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX holder_message_by_phone ON holder_message (issuer_id, phone_index, id);

CREATE TABLE holder_session (
    hash bytea NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    holder_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    created_at bigint NOT NULL,
    idle_until bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX holder_session_by_holder ON holder_session (holder_id, created_at);

-- Which cards to ask whose they are: the card says it.
CREATE TABLE holder_card (
    holder_id bigint NOT NULL,
    card_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    since bigint NOT NULL,
    added_at bigint NOT NULL,
    PRIMARY KEY (holder_id, card_id)
);

CREATE TABLE holder_device (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    holder_id bigint NOT NULL,
    card_id bigint NOT NULL,
    tag bigint NOT NULL CHECK (tag BETWEEN 0 AND 99999999),
    secret_key_id smallint NOT NULL,
    secret bytea NOT NULL,
    created_at bigint NOT NULL,
    revoked_at bigint
);
CREATE UNIQUE INDEX holder_device_by_tag ON holder_device (issuer_id, tag) WHERE revoked_at IS NULL;
CREATE INDEX holder_device_by_card ON holder_device (card_id, holder_id, id) WHERE revoked_at IS NULL;
CREATE INDEX holder_device_revoked ON holder_device (revoked_at) WHERE revoked_at IS NOT NULL;

-- A code is used once: its key is the wall.
CREATE TABLE holder_code_use (
    device_id bigint NOT NULL,
    step bigint NOT NULL,
    issuer_id bigint NOT NULL,
    client_id bigint NOT NULL,
    key_hash bytea NOT NULL CHECK (length(key_hash) = 32),
    used_at bigint NOT NULL,
    PRIMARY KEY (device_id, step)
);
CREATE INDEX holder_code_use_by_key ON holder_code_use (client_id, key_hash);
CREATE INDEX holder_code_use_by_time ON holder_code_use (used_at);

CREATE TABLE holder_gift (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    card_id bigint NOT NULL,
    giver_id bigint NOT NULL,
    receiver_id bigint NOT NULL,
    state text NOT NULL CHECK (state IN
        ('pending', 'accepting', 'accepted', 'declined', 'withdrawn', 'expired', 'failed')),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    decided_at bigint,
    operation_id bigint,
    version bigint NOT NULL,
    CHECK (giver_id <> receiver_id),
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK (state <> 'accepted' OR operation_id IS NOT NULL)
);
CREATE UNIQUE INDEX holder_gift_open ON holder_gift (card_id) WHERE state IN ('pending', 'accepting');
CREATE INDEX holder_gift_by_giver ON holder_gift (giver_id, id);
CREATE INDEX holder_gift_by_receiver ON holder_gift (receiver_id, id);
CREATE INDEX holder_gift_due ON holder_gift (expires_at) WHERE state IN ('pending', 'accepting');

-- Used codes stay used until they are forgotten, and gifts are kept: what is not granted cannot be done.
GRANT SELECT, INSERT ON holder, holder_login, holder_message, holder_session, holder_card, holder_device,
    holder_code_use, holder_gift TO hexiao_app;
GRANT UPDATE (phone_index, index_key_id, phone_key_id, phone) ON holder TO hexiao_app;
GRANT UPDATE, DELETE ON holder_login, holder_session, holder_card TO hexiao_app;
GRANT UPDATE (secret_key_id, secret, revoked_at) ON holder_device TO hexiao_app;
GRANT UPDATE (state, decided_at, operation_id, version) ON holder_gift TO hexiao_app;
GRANT DELETE ON holder_message, holder_device, holder_code_use TO hexiao_app;

ALTER TABLE holder ENABLE ROW LEVEL SECURITY;
ALTER TABLE holder_login ENABLE ROW LEVEL SECURITY;
ALTER TABLE holder_message ENABLE ROW LEVEL SECURITY;
ALTER TABLE holder_session ENABLE ROW LEVEL SECURITY;
ALTER TABLE holder_card ENABLE ROW LEVEL SECURITY;
ALTER TABLE holder_device ENABLE ROW LEVEL SECURITY;
ALTER TABLE holder_code_use ENABLE ROW LEVEL SECURITY;
ALTER TABLE holder_gift ENABLE ROW LEVEL SECURITY;

CREATE POLICY issuers ON holder
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON holder_login
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON holder_message
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON holder_session
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON holder_card
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON holder_device
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON holder_code_use
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON holder_gift
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
