-- Numbers of merchants' bank accounts are sealed under the key ring, as card numbers are; in account_number only
-- the last four characters stay. Rows from before are plain until the program, which has the keys, seals them.
ALTER TABLE payee ADD COLUMN account_key_id INTEGER;
ALTER TABLE payee ADD COLUMN account_sealed BLOB CHECK ((account_sealed IS NULL) = (account_key_id IS NULL));

-- A bank account is never changed. Only how its number is stored may: sealed, or sealed under another key.
DROP TRIGGER payee_is_append_only_update;
CREATE TRIGGER payee_is_append_only_update BEFORE UPDATE ON payee
    WHEN NEW.account_sealed IS NULL OR substr(NEW.account_number, -4) <> substr(OLD.account_number, -4)
        OR length(NEW.account_number) <> length(OLD.account_number)
        OR (NEW.id, NEW.issuer_id, NEW.merchant_id, NEW.currency, NEW.effective_from, NEW.holder_name,
            NEW.bank_name, NEW.bic, NEW.clearing_code, NEW.created_by, NEW.created_at)
        IS NOT (OLD.id, OLD.issuer_id, OLD.merchant_id, OLD.currency, OLD.effective_from, OLD.holder_name,
            OLD.bank_name, OLD.bic, OLD.clearing_code, OLD.created_by, OLD.created_at)
    BEGIN SELECT RAISE(ABORT, 'payees are append-only'); END;
