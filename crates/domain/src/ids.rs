//! Typed identifiers: 64-bit, time-ordered, shown with a prefix (`card_01h…`).
//!
//! The value is 41 bits of milliseconds since [`EPOCH_MS`], 10 bits of node and 12 bits of sequence, so
//! that sorting by id is sorting by time and new rows append to an index.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Milliseconds from the Unix epoch to 2024-01-01T00:00:00Z, where ids begin.
pub const EPOCH_MS: i64 = 1_704_067_200_000;
/// Bits below the milliseconds: 10 of node, 12 of sequence.
pub const SHIFT: u32 = 22;

/// The text is not an identifier of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with {prefix}_ followed by 13 characters of 0-9 and a-z")]
pub struct IdError {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 13;

fn encode(value: i64) -> String {
    let mut rest = value;
    let mut bytes = [b'0'; LENGTH];
    for byte in bytes.iter_mut().rev() {
        let digit = usize::try_from(rest & 31).unwrap_or(0);
        *byte = ALPHABET.get(digit).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn decode(text: &str) -> Option<i64> {
    if text.len() != LENGTH {
        return None;
    }
    let mut value: i64 = 0;
    for byte in text.bytes() {
        let digit = i64::try_from(ALPHABET.iter().position(|c| *c == byte)?).ok()?;
        value = value.checked_mul(32)?.checked_add(digit)?;
    }
    Some(value)
}

/// The smallest id that a moment can have: everything before it has a smaller id.
pub fn floor_of(at: Timestamp) -> i64 {
    at.millis().saturating_sub(EPOCH_MS).max(0).saturating_mul(1_i64 << SHIFT)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(i64);

        impl $name {
            /// What its text starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The id with this value.
            pub const fn new(value: i64) -> Self {
                Self(value)
            }

            /// The bare value, for storage.
            pub const fn get(self) -> i64 {
                self.0
            }

            /// Reads the prefixed form.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}_{}", $prefix, encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id!(
    /// An issuer (tenant).
    IssuerId, "iss"
);
id!(
    /// A program: the rules of a kind of card.
    ProgramId, "prog"
);
id!(
    /// A batch of cards made together.
    BatchId, "batch"
);
id!(
    /// A card.
    CardId, "card"
);
id!(
    /// A merchant.
    MerchantId, "mer"
);
id!(
    /// A store of a merchant.
    StoreId, "store"
);
id!(
    /// A terminal in a store.
    TerminalId, "term"
);
id!(
    /// An API client.
    ClientId, "client"
);
id!(
    /// An operation: one recorded command with its answer.
    OperationId, "op"
);
id!(
    /// A hold (pre-authorisation). Has the value of the operation that created it.
    HoldId, "hold"
);

id!(
    /// A settlement statement of a merchant (结算单).
    StatementId, "st"
);
id!(
    /// A payout to a merchant (打款).
    PayoutId, "po"
);
id!(
    /// A version of a settlement agreement (结算协议).
    AgreementId, "agr"
);
id!(
    /// A bank account that a merchant is paid to.
    PayeeId, "pye"
);

id!(
    /// Something that a second person decides (复核).
    ApprovalId, "apr"
);

id!(
    /// A file that was reconciled with our books (对账).
    ReconciliationId, "rec"
);
id!(
    /// A difference that a reconciliation found.
    DifferenceId, "diff"
);

id!(
    /// A user: a person who signs in.
    UserId, "user"
);
id!(
    /// A role that users have.
    RoleId, "role"
);
id!(
    /// A session of a user.
    SessionId, "sess"
);
id!(
    /// An invitation to become a user.
    InvitationId, "inv"
);
id!(
    /// A company that says who its people are (身份提供方).
    IdentityProviderId, "idp"
);
id!(
    /// An event of the audit trail.
    AuditEventId, "aud"
);
id!(
    /// A saved view of a list.
    ViewId, "view"
);
id!(
    /// A passkey of a user.
    PasskeyId, "pk"
);

impl UserId {
    /// As whom the user acts: operations, payouts and reconciliations name who did them in the same way,
    /// whether it was a program or a person.
    pub const fn principal(self) -> ClientId {
        ClientId::new(self.0)
    }

    /// The user who acts as this principal, if a user does: only looking it up tells.
    pub const fn of_principal(principal: ClientId) -> Self {
        Self(principal.0)
    }
}

id!(
    /// A card holder (持卡人) with a wallet.
    HolderId, "holder"
);
id!(
    /// A device that shows payment codes of a card.
    DeviceId, "device"
);
id!(
    /// A card that one holder gives to another.
    GiftId, "gift"
);

/// A lot within its card: 1, 2, 3 …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LotNo(pub u16);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_right_prefix_parses() {
        let card = CardId::new(123_456_789).to_string();
        assert_eq!(card, "card_00000003nqk8n");
        assert!(OperationId::parse(&card).is_err());
        for bad in ["", "card_", "card_0", "card_00000003NQK8N", "card_zzzzzzzzzzzzz", "card_00000000000001"]
        {
            assert!(CardId::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips_and_keeps_the_order(a in 0..i64::MAX, b in 0..i64::MAX) {
            let (x, y) = (CardId::new(a), CardId::new(b));
            prop_assert_eq!(CardId::parse(&x.to_string()), Ok(x));
            prop_assert_eq!(x.to_string().cmp(&y.to_string()), a.cmp(&b));
        }
    }
}
