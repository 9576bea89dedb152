//! Passkeys as JSON: what browsers are asked, and what they answer, in the words of WebAuthn (Level 3, section 5.1.9),
//! so that pages can hand them on as they are.

use base64ct::{Base64UrlUnpadded, Encoding};
use passkeys::{Assertion, AssertionOffer, Attestation, CreationOffer, PasskeyError};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use storage::User;
use utoipa::ToSchema;

use super::HiddenText;
use crate::{
    error::{Code, Problem},
    wire::{card::given, schema},
};

/// What the schema says.
const MOST: usize = 22_000;
/// How long browsers wait for their user, in milliseconds: as long as the challenge is good.
const TIMEOUT: u32 = 300_000;
/// What relying parties are called where an authenticator shows it.
const RP_NAME: &str = "Hexiao";

/// Bytes as base64url. What is not is left to the ceremony, which refuses it like any other wrong answer.
pub(super) struct Bytes(String);

impl Bytes {
    fn decoded(&self) -> Vec<u8> {
        Base64UrlUnpadded::decode_vec(&self.0).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = HiddenText::deserialize(deserializer)?.0;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=MOST).contains(&text.len()) || !text.bytes().all(plain) {
            return Err(D::Error::custom(
                "send bytes as base64url without padding, as the browser gave them",
            ));
        }
        Ok(Self(text))
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bytes(***)")
    }
}

/// The one kind of credential that there is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "public-key")]
    PublicKey,
}

/// What a browser answers when it made a passkey.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyAttestationRequest)]
pub(crate) struct AttestationBody {
    /// The credential's id.
    #[schema(value_type = schema::PasskeyBytes)]
    #[expect(dead_code, reason = "the same is in the attestation object, which counts")]
    id: Bytes,
    /// Its kind.
    #[serde(rename = "type")]
    #[schema(value_type = schema::PasskeyKind)]
    #[expect(dead_code, reason = "there is one kind; others are not read")]
    kind: Kind,
    /// What the authenticator answered.
    response: AttestationPart,
}

/// What an authenticator answers when it made a passkey.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = PasskeyAttestationResponse)]
struct AttestationPart {
    /// What the browser had signed.
    #[serde(rename = "clientDataJSON")]
    #[schema(value_type = schema::PasskeyBytes)]
    client_data: Bytes,
    /// The attestation object.
    #[schema(value_type = schema::PasskeyBytes)]
    attestation_object: Bytes,
}

impl AttestationBody {
    pub(super) fn attestation(&self) -> Attestation {
        let Self { response, .. } = self;
        Attestation {
            client_data: response.client_data.decoded(),
            object: response.attestation_object.decoded(),
        }
    }
}

/// What a browser answers when a passkey was used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyAssertionRequest)]
pub(crate) struct AssertionBody {
    /// The credential's id.
    #[schema(value_type = schema::PasskeyBytes)]
    id: Bytes,
    /// Its kind.
    #[serde(rename = "type")]
    #[schema(value_type = schema::PasskeyKind)]
    #[expect(dead_code, reason = "there is one kind; others are not read")]
    kind: Kind,
    /// What the authenticator answered.
    response: AssertionPart,
}

/// What an authenticator answers when a passkey was used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = PasskeyAssertionResponse)]
struct AssertionPart {
    /// What the browser had signed.
    #[serde(rename = "clientDataJSON")]
    #[schema(value_type = schema::PasskeyBytes)]
    client_data: Bytes,
    /// What the authenticator says.
    #[schema(value_type = schema::PasskeyBytes)]
    authenticator_data: Bytes,
    /// Its signature.
    #[schema(value_type = schema::PasskeyBytes)]
    signature: Bytes,
    /// Whose the passkey is. Needed for signing in without a password.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::PasskeyBytes>, nullable = false)]
    user_handle: Option<Bytes>,
}

impl AssertionBody {
    pub(super) fn assertion(&self) -> Assertion {
        let Self { id, response, .. } = self;
        Assertion {
            credential: id.decoded(),
            client_data: response.client_data.decoded(),
            authenticator_data: response.authenticator_data.decoded(),
            signature: response.signature.decoded(),
            user_handle: response.user_handle.as_ref().map(Bytes::decoded),
        }
    }
}

/// A credential, by its id.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyDescriptor)]
struct Descriptor {
    /// Its kind.
    #[serde(rename = "type")]
    #[schema(value_type = schema::PasskeyKind)]
    kind: Kind,
    /// Its id.
    #[schema(value_type = schema::PasskeyBytes)]
    id: String,
}

fn descriptors(ids: &[Vec<u8>]) -> Vec<Descriptor> {
    ids.iter()
        .map(|id| Descriptor { kind: Kind::PublicKey, id: Base64UrlUnpadded::encode_string(id) })
        .collect()
}

/// For whom a passkey is made.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyRelyingParty)]
struct RelyingParty {
    /// A host name.
    id: String,
    /// What authenticators show.
    name: &'static str,
}

/// Whose a passkey is, as authenticators know and show it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyOwner)]
struct Owner {
    /// Bytes that stand for the user.
    #[schema(value_type = schema::PasskeyBytes)]
    id: String,
    /// What he signs in with.
    name: String,
    /// How he is called.
    display_name: String,
}

/// A kind of key.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyAlgorithm)]
struct Algorithm {
    /// Its kind.
    #[serde(rename = "type")]
    #[schema(value_type = schema::PasskeyKind)]
    kind: Kind,
    /// Its number in COSE.
    alg: i64,
}

/// Which authenticators are wanted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeySelection)]
struct Selection {
    /// Whether it should keep the passkey itself, so that it can be used without a name.
    resident_key: &'static str,
    /// Whether it should make sure that it is its owner.
    user_verification: &'static str,
}

/// What to ask the browser to make.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyCreationOptions)]
struct CreationOptions {
    /// The challenge, good for five minutes and once.
    #[schema(value_type = schema::PasskeyBytes)]
    challenge: String,
    /// For whom.
    rp: RelyingParty,
    /// Whose it will be.
    user: Owner,
    /// Kinds of keys, the best first.
    pub_key_cred_params: Vec<Algorithm>,
    /// How long to wait, in milliseconds.
    timeout: u32,
    /// Passkeys that are there already.
    exclude_credentials: Vec<Descriptor>,
    /// Which authenticators are wanted.
    authenticator_selection: Selection,
    /// Which proof of the authenticator's make: none.
    attestation: &'static str,
}

/// The same, as an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyCreation)]
pub(crate) struct CreationView {
    /// For navigator.credentials.create.
    options: CreationOptions,
}

impl CreationView {
    pub(super) fn new(offer: &CreationOffer, user: &User) -> Self {
        let algorithms = passkeys::public_key::ALGORITHMS;
        Self {
            options: CreationOptions {
                challenge: Base64UrlUnpadded::encode_string(&offer.challenge),
                rp: RelyingParty { id: offer.rp_id.clone(), name: RP_NAME },
                user: Owner {
                    id: Base64UrlUnpadded::encode_string(&offer.user_handle),
                    name: user.login.clone(),
                    display_name: user.name.clone(),
                },
                pub_key_cred_params: algorithms.map(|alg| Algorithm { kind: Kind::PublicKey, alg }).into(),
                timeout: TIMEOUT,
                exclude_credentials: descriptors(&offer.exclude),
                authenticator_selection: Selection {
                    resident_key: "preferred",
                    user_verification: "preferred",
                },
                attestation: "none",
            },
        }
    }
}

/// What to ask the browser to use.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyRequestOptions)]
struct RequestOptions {
    /// The challenge, good for five minutes and once.
    #[schema(value_type = schema::PasskeyBytes)]
    challenge: String,
    /// For whom.
    rp_id: String,
    /// How long to wait, in milliseconds.
    timeout: u32,
    /// Passkeys that are good; empty: any that the authenticator keeps for this host.
    allow_credentials: Vec<Descriptor>,
    /// Whether the authenticator has to make sure that it is its owner.
    user_verification: &'static str,
}

/// The same, as an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyChallenge)]
pub(crate) struct ChallengeView {
    /// For navigator.credentials.get.
    options: RequestOptions,
}

impl ChallengeView {
    pub(super) fn new(offer: &AssertionOffer) -> Self {
        Self {
            options: RequestOptions {
                challenge: Base64UrlUnpadded::encode_string(&offer.challenge),
                rp_id: offer.rp_id.clone(),
                timeout: TIMEOUT,
                allow_credentials: descriptors(&offer.allow),
                user_verification: if offer.verified { "required" } else { "preferred" },
            },
        }
    }
}

/// A problem with a passkey; what is wrong with an answer is told as the route says it.
pub(super) fn passkey_problem(error: PasskeyError, refused: Code) -> Problem {
    let code = match &error {
        PasskeyError::Refused => refused,
        PasskeyError::NotHere(_) => Code::PasskeysElsewhere,
        PasskeyError::PasswordNeeded => Code::PasswordNeeded,
        PasskeyError::SecondFactorFirst => Code::SecondFactorNeeded,
        PasskeyError::NotAsked => Code::SecondFactorState,
        PasskeyError::Full => Code::NoRoom,
        PasskeyError::Taken => Code::PasskeyRefused,
        PasskeyError::Unknown => {
            return Problem::new(Code::PasskeyUnknown, error.to_string()).parameter("id");
        }
        PasskeyError::Identity(_) => {
            let PasskeyError::Identity(error) = error else {
                return Problem::new(Code::Internal, "the server is at fault; ask the operator");
            };
            return error.into();
        }
    };
    Problem::new(code, error.to_string())
}
