-- Numbers of merchants' bank accounts are sealed under the key ring, as card numbers are; in account_number only
-- the last four characters stay. Rows from before are plain until the program, which has the keys, seals them.
ALTER TABLE payee ADD COLUMN account_key_id smallint, ADD COLUMN account_sealed bytea,
    ADD CHECK ((account_sealed IS NULL) = (account_key_id IS NULL));

-- A bank account is never changed. Only how its number is stored may: sealed, or sealed under another key.
GRANT UPDATE (account_number, account_key_id, account_sealed) ON payee TO hexiao_app;

CREATE FUNCTION payee_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.account_sealed IS NULL OR right(NEW.account_number, 4) <> right(OLD.account_number, 4)
        OR length(NEW.account_number) <> length(OLD.account_number)
        OR to_jsonb(NEW) - '{account_number,account_key_id,account_sealed}'::text[]
        <> to_jsonb(OLD) - '{account_number,account_key_id,account_sealed}'::text[] THEN
        RAISE EXCEPTION 'payees are append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payee_is_kept BEFORE UPDATE ON payee FOR EACH ROW EXECUTE FUNCTION payee_is_kept();
