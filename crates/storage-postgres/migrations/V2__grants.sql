-- What the run-time role may do, and which rows it sees. The role itself is made by the program before
-- this runs, because roles belong to the whole cluster. See decision 0011.

GRANT USAGE ON SCHEMA public TO hexiao_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO hexiao_app;

-- The log is append-only: what is not granted cannot be done.
GRANT INSERT ON operation, transfer, tombstone TO hexiao_app;

GRANT INSERT, UPDATE ON issuer, program, merchant, store, terminal, client, batch, card, card_secret, hold,
    compensation, account_rollup, job_cursor TO hexiao_app;
GRANT UPDATE ON catalog_revision, node TO hexiao_app;
GRANT INSERT, UPDATE, DELETE ON job_lease, shared_usage TO hexiao_app;

-- The last wall between issuers. A session says for whom it works: `hexiao.issuer` is one id, several with
-- commas, or `*`. Without it, nothing is seen and nothing can be written. Both functions are run once for
-- a statement (the SELECT around them makes them so), not once for a row.

CREATE FUNCTION hexiao_issuers() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN string_to_array(nullif(nullif(current_setting('hexiao.issuer', true), ''), '*'), ',')::bigint[];

CREATE FUNCTION hexiao_any_issuer() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('hexiao.issuer', true) = '*', false);

ALTER TABLE card ENABLE ROW LEVEL SECURITY;
ALTER TABLE hold ENABLE ROW LEVEL SECURITY;
ALTER TABLE operation ENABLE ROW LEVEL SECURITY;
ALTER TABLE transfer ENABLE ROW LEVEL SECURITY;
ALTER TABLE compensation ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_rollup ENABLE ROW LEVEL SECURITY;
ALTER TABLE card_secret ENABLE ROW LEVEL SECURITY;

CREATE POLICY issuers ON card
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON hold
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON operation
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON transfer
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON compensation
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON batch
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON account_rollup
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
-- Secrets have no issuer of their own: they are seen where their card is.
CREATE POLICY issuers ON card_secret
    USING ((SELECT hexiao_any_issuer()) OR EXISTS (SELECT 1 FROM card WHERE card.id = card_secret.card_id));
