//! The ceremonies against known answers: those of WebAuthn Level 3, section 16, made by the W3C, and one of RSA made
//! with OpenSSL. Each is accepted as it is, and refused with anything about it changed.

use passkeys::{
    Assertion, Attestation, WebOrigin,
    authenticator_data::AuthenticatorData,
    ceremony::{self, Expected, Wrong},
    client_data::ClientData,
};

/// A use of a passkey at https://example.org.
struct Vector {
    name: &'static str,
    public_key: &'static str,
    authenticator_data: &'static str,
    client_data: &'static str,
    signature: &'static str,
    counter: u32,
    verified: bool,
}

const VECTORS: [Vector; 3] = [
    Vector {
        name: "16.2, ES256",
        public_key: "a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820\
                     930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
        authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
        client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e5568515875\
                      6c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268\
                      747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
        signature: "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93\
                    538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
        counter: 0,
        verified: false,
    },
    Vector {
        name: "16.11, Ed25519",
        public_key: "a401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832",
        authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50100000000",
        client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2269566c583442786a4f\
                      6d6d44534b4c596f7870557439736e364d48454f7943413135726947514a6e763949222c226f726967696e223a2268\
                      747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
        signature: "f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fec\
                    b097d6607525713223a0dc0d453993dae00b",
        counter: 0,
        verified: false,
    },
    Vector {
        name: "RS256",
        public_key: "a401030339010020590100d68e9f42239105aece6b40c3a77d92603bf392d403b7687bfffb331233399a3ade\
                     94f4f57fd38afab3d734aff4769b72a0b72f0991c37ed6534699ef28e7c63501e81d40f956bb0b101a861128\
                     12f5fe003e954e1215a15bc79d2e0974f00dbd2c3936b8a39fbfdee9ff77e95bf35dbfae27e0d24c73cd4543\
                     dfecec14c2a7940515fc55608a16d3ee3093717d34d43a808588d2634bfdc20c3cc7d08ba1b410efd557bb4d\
                     f903745dd9d3ab4281656c83cb56832d375ed18d97a87a58242a35218e36650c8d1efce11f9449ca0e14faa8\
                     6a668c91ae981c5c541b57c620b65376cafc5ea5db3736dce8e5906f8820de84a72ab14af90521af100569f5\
                     475fe32143010001",
        authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5050000004d",
        client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2241414141222c226f\
                     726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66\
                     616c73657d",
        signature: "213fdfd689f2098608a1946231e949073dd693f8a276865bf45056b75238182035be692d7b9906b7b7fc995c\
                     172f5ff6471358ebeb36ec63cc72db53eb5291cb2c98d4571fd5fcc84a6036df7dbac9a8cfab2479868691a4\
                     2e633139352ad6142a5172b9ee66235cf004f94ba75e0588b3627dd247981ee19b0bfb16d6e230209f8e7ba9\
                     d4659bf80093170509ac6d7e1d4cdf065f523b6399b43a141fb004342bc6280bb06ce9a16e91a53453afa2e4\
                     47a31d846832862f0307c62550aaa3d65cbc4492223085045f8a48f3c09affcf68d900ecb8c8330cfe91948f\
                     1d3dbd8dfb5c4b12ff9d30c66db3d56c398bd929105926080676edc969c3d8f98d55c34c",
        counter: 77,
        verified: true,
    },
];

/// The making of the first of them: 16.2, without attestation.
const CREATED_CLIENT: &str = "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434\
     557878475453746e63647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a22687474\
     70733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a2263\
     6c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c6473\
     20696e20746865206675747572652c207375636820617320746869733a20426b5165446a646354427258426941774a544c453551\
     227d";
const CREATED_OBJECT: &str = "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9\
     c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea7018\
     9cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062e\
     b249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220";
const CREDENTIAL: &str = "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4";
/// 16.4: used in a page that lies in another origin's.
const FRAMED_CLIENT: &str = "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a226832716c463771445f65\
     356c5f505f62796b7945377135645650674547685f49584a6b655737736e4d5463222c226f726967696e223a2268747470733a2f\
     2f6578616d706c652e6f7267222c2263726f73734f726967696e223a747275657d";

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    hex.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]).expect("hex") << 4 | digit(pair[1]).expect("hex"))
        .collect()
}

fn example() -> WebOrigin {
    "https://example.org".parse().expect("an origin")
}

impl Vector {
    fn assertion(&self) -> Assertion {
        Assertion {
            credential: Vec::new(),
            client_data: bytes(self.client_data),
            authenticator_data: bytes(self.authenticator_data),
            signature: bytes(self.signature),
            user_handle: None,
        }
    }
}

fn used(answer: &Assertion, key: &[u8], origin: &WebOrigin, verified: bool) -> Result<u32, Wrong> {
    let client = ClientData::read(&answer.client_data).ok_or(Wrong)?;
    ceremony::used(answer, &client, key, Expected { origin, verified })
}

#[test]
fn right_answers_are_accepted() {
    for vector in &VECTORS {
        let (answer, key) = (vector.assertion(), bytes(vector.public_key));
        let counted = used(&answer, &key, &example(), false);
        assert_eq!(counted, Ok(vector.counter), "{}", vector.name);
        let verified = used(&answer, &key, &example(), true);
        assert_eq!(verified.is_ok(), vector.verified, "{}: whether its owner was there", vector.name);
    }
}

/// Whatever single byte is changed: signature, data, key, or what the browser said.
#[test]
fn changed_answers_are_refused() {
    for vector in &VECTORS {
        let (answer, key) = (vector.assertion(), bytes(vector.public_key));
        for place in 0..answer.signature.len() {
            let mut changed = answer.clone();
            changed.signature[place] ^= 1;
            assert_eq!(used(&changed, &key, &example(), false), Err(Wrong), "{}: {place}", vector.name);
        }
        for place in 0..answer.authenticator_data.len() {
            let mut changed = answer.clone();
            changed.authenticator_data[place] ^= 1;
            assert_eq!(used(&changed, &key, &example(), false), Err(Wrong), "{}: {place}", vector.name);
        }
        for place in 0..answer.client_data.len() {
            let mut changed = answer.clone();
            changed.client_data[place] ^= 1;
            assert_eq!(used(&changed, &key, &example(), false), Err(Wrong), "{}: {place}", vector.name);
        }
        for place in 0..key.len() {
            let mut changed = key.clone();
            changed[place] ^= 1;
            assert_eq!(used(&answer, &changed, &example(), false), Err(Wrong), "{}: {place}", vector.name);
        }
        for origin in ["https://example.com", "https://example.org:8443", "https://www.example.org"] {
            let origin = origin.parse().expect("an origin");
            assert_eq!(used(&answer, &key, &origin, false), Err(Wrong), "{}: {origin}", vector.name);
        }
    }
}

#[test]
fn pages_in_other_pages_are_refused() {
    let client = ClientData::read(&bytes(FRAMED_CLIENT)).expect("client data");
    let expected = Expected { origin: &example(), verified: false };
    let vector = &VECTORS[0];
    let answer = Assertion { client_data: bytes(FRAMED_CLIENT), ..vector.assertion() };
    assert!(client.is_cross_origin && client.challenge().is_some());
    assert_eq!(ceremony::used(&answer, &client, &bytes(vector.public_key), expected), Err(Wrong));
}

fn made(client_data: &[u8], object: &[u8], origin: &WebOrigin) -> Result<ceremony::Made, Wrong> {
    let answer = Attestation { client_data: client_data.to_vec(), object: object.to_vec() };
    let client = ClientData::read(client_data).ok_or(Wrong)?;
    ceremony::made(&answer, &client, Expected { origin, verified: false })
}

#[test]
fn what_is_made_is_read_whole_and_nothing_else() {
    let (client, object) = (bytes(CREATED_CLIENT), bytes(CREATED_OBJECT));
    let found = made(&client, &object, &example()).expect("made");
    assert_eq!((found.credential, found.counter), (bytes(CREDENTIAL), 0));
    assert_eq!(found.public_key, bytes(VECTORS[0].public_key));
    for length in 0..object.len() {
        assert_eq!(made(&client, &object[..length], &example()), Err(Wrong), "cut at {length}");
    }
    let longer = [&object[..], &[0]].concat();
    assert_eq!(made(&client, &longer, &example()), Err(Wrong), "something after it");
    assert_eq!(made(&client, &object, &"https://example.com".parse().expect("an origin")), Err(Wrong));
    let get = bytes(VECTORS[0].client_data);
    assert_eq!(made(&get, &object, &example()), Err(Wrong), "an answer of the other ceremony");
}

/// Flags that contradict each other, and data after the end.
#[test]
fn data_that_contradicts_itself_is_refused() {
    let right = bytes(VECTORS[1].authenticator_data);
    assert!(AuthenticatorData::read(&right).is_ok());
    for flags in [0x11, 0x41, 0x81, 0xc1] {
        let mut wrong = right.clone();
        wrong[32] = flags;
        assert!(AuthenticatorData::read(&wrong).is_err(), "{flags:x}");
    }
    assert!(AuthenticatorData::read(&[&right[..], &[0]].concat()).is_err());
}
