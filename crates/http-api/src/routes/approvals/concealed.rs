//! Secrets of a body that waits for a second person: the bank accounts of a payment. They are sealed where the body is
//! kept, opened when it is done, and shown as their last four characters in between.

use domain::ApprovalId;
use serde_json::Value;
use vault::{SealedText, Vault, purpose};

use crate::error::{Code, Problem};

/// Where bodies name bank accounts.
const PLACES: [&str; 2] = ["/funding/payer_account", "/funding/payee_account"];
/// What a sealed account begins with. No account number has a colon.
const MARK: &str = "sealed:";

/// Seals what is secret.
pub(crate) fn conceal(vault: &Vault, id: ApprovalId, body: &mut Value) -> Result<(), Problem> {
    for place in PLACES {
        let Some(Value::String(account)) = body.pointer_mut(place) else { continue };
        let sealed = vault.seal_text(id.get(), purpose::BANK_ACCOUNT, account);
        let sealed = sealed.map_err(|error| Problem::new(Code::InvalidField, error.to_string()).at(place))?;
        let ending = account.get(account.len().saturating_sub(4)..).unwrap_or_default();
        *account = format!("{MARK}{ending}:{}:{}", sealed.key_id, hex(&sealed.bytes));
    }
    Ok(())
}

/// The body as it was asked for.
pub(crate) fn reveal(vault: &Vault, id: ApprovalId, body: &str) -> Result<Value, Problem> {
    let damaged = || Problem::new(Code::Internal, "what was asked for cannot be opened; ask the operator");
    let mut body: Value = serde_json::from_str(body).map_err(|_| damaged())?;
    for place in PLACES {
        let Some(Value::String(account)) = body.pointer_mut(place) else { continue };
        let sealed = account.strip_prefix(MARK).and_then(parse).ok_or_else(damaged)?;
        let text = vault.open_text(id.get(), purpose::BANK_ACCOUNT, &sealed).map_err(|_| damaged())?;
        account.clone_from(&text);
    }
    Ok(body)
}

/// The body as people see it.
pub(crate) fn show(body: &str) -> Option<Value> {
    let mut body: Value = serde_json::from_str(body).ok()?;
    for place in PLACES {
        if let Some(Value::String(account)) = body.pointer_mut(place) {
            let ending = account.strip_prefix(MARK)?.split(':').next()?;
            *account = format!("…{ending}");
        }
    }
    Some(body)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn parse(text: &str) -> Option<SealedText> {
    let (_, text) = text.split_once(':')?;
    let (key_id, hex) = text.split_once(':')?;
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(pair).collect();
    Some(SealedText { key_id: key_id.parse().ok()?, bytes: bytes? })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use vault::{KeyRing, PredictableRandomness};

    use super::*;

    #[test]
    fn accounts_are_sealed_shown_by_their_ending_and_opened() {
        let ring = KeyRing::generate(&mut PredictableRandomness::from_seed(1));
        let vault = Vault::new(Arc::new(ring));
        let id = ApprovalId::new(77);
        let asked = json!({"amount": 5, "metadata": {"note": "sealed:1:2"},
            "funding": {"kind": "company", "payer_account": "6222020200012345678"}});
        let mut kept = asked.clone();
        conceal(&vault, id, &mut kept).expect("sealed");
        let kept = kept.to_string();
        assert!(!kept.contains("62220202"), "{kept}");
        assert_eq!(show(&kept).expect("a body")["funding"]["payer_account"], "…5678");
        assert_eq!(reveal(&vault, id, &kept).expect("opened"), asked);
        reveal(&vault, ApprovalId::new(78), &kept).expect_err("of another approval");
    }
}
