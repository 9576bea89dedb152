//! Accepting payment codes at a till.
//!
//! A code is written down as used before anything is decided, under a key that the database keeps unique: of any
//! number of requests with one code, one gets on, whatever then becomes of the payment. The same request under the
//! same idempotency key is that one: it gets on again, and is answered with what is stored.

use std::collections::HashMap;

use domain::{ClientId, DeviceId, IssuerId, Timestamp, command::CardRef};
use storage::{CodeUse, Device};
use vault::secret_hash;

use crate::{DeviceSecret, PaymentCode, Result, Wallet, code::Checked, devices::secret_of, held};

/// A code with the key of the request that it came in.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The code.
    pub code: PaymentCode,
    /// The idempotency key, as text.
    pub key: String,
}

/// Why a code is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefused {
    /// It was used by another request.
    Used,
    /// It is genuine, and its minute is over.
    Expired,
    /// No live device made it.
    Unknown,
}

/// What a code is found to be, with the device that made it.
struct Found {
    checked: Checked,
    device: Option<Device>,
}

impl Wallet {
    /// Uses codes, each by its request, and says which cards they stand for. An earlier request under the same
    /// key gets a name that only its stored answer fits.
    pub async fn use_codes(
        &self,
        issuer: IssuerId,
        client: ClientId,
        presented: &[Presented],
    ) -> Result<Vec<std::result::Result<CardRef, CodeRefused>>> {
        let now = self.engine.now();
        let found = self.find(issuer, presented.iter().map(|one| &one.code), now).await?;
        let uses: Vec<Option<CodeUse>> =
            found.iter().zip(presented).map(|(found, one)| use_of(found, &one.key, client, now)).collect();
        let wanted: Vec<CodeUse> = uses.iter().flatten().cloned().collect();
        let stored =
            if wanted.is_empty() { Vec::new() } else { self.engine.store().use_codes(&wanted).await? };
        let mut stored = stored.into_iter();
        let mut answers = Vec::with_capacity(presented.len());
        for (found, wanted) in found.iter().zip(uses) {
            answers.push(match wanted.and_then(|wanted| Some((wanted, stored.next()?))) {
                Some((wanted, first)) => whose(found, &wanted, &first),
                None => Err(refusal(found.checked)),
            });
        }
        self.replays(client, presented, &mut answers).await?;
        Ok(answers)
    }

    /// The card that a code stands for, without using the code: to show what is on it before it pays.
    pub async fn look_at_code(
        &self,
        issuer: IssuerId,
        code: &PaymentCode,
    ) -> Result<std::result::Result<CardRef, CodeRefused>> {
        let found = self.find(issuer, std::iter::once(code), self.engine.now()).await?.pop();
        Ok(match found {
            Some(Found { checked: Checked::Good { .. }, device: Some(device) }) => {
                Ok(held(device.card, device.holder))
            }
            Some(found) => Err(refusal(found.checked)),
            None => Err(CodeRefused::Unknown),
        })
    }

    /// The devices that the codes name, and whether they made them. A code of no device costs as much.
    async fn find<'a>(
        &self,
        issuer: IssuerId,
        codes: impl Iterator<Item = &'a PaymentCode> + Clone + Send,
        now: Timestamp,
    ) -> Result<Vec<Found>> {
        let tags: Vec<u32> = codes.clone().map(PaymentCode::tag).collect();
        let devices = self.engine.store().live_devices(issuer, &tags).await?;
        let devices: HashMap<u32, Device> = devices.into_iter().map(|device| (device.tag, device)).collect();
        let nobody = DeviceSecret::new(*self.random_bytes());
        let mut found = Vec::with_capacity(tags.len());
        for code in codes {
            let device = devices.get(&code.tag()).cloned();
            let secret = match &device {
                Some(device) => secret_of(self.engine.vault(), device)?,
                None => nobody.clone(),
            };
            let checked = code.check(&secret, now);
            found.push(Found { checked: if device.is_some() { checked } else { Checked::Wrong }, device });
        }
        Ok(found)
    }

    /// Codes that are not accepted now, but were, by the same client under the same key. What such a request
    /// did is stored; if it never got that far, it is too late for it, and there is no card to be found.
    async fn replays(
        &self,
        client: ClientId,
        presented: &[Presented],
        answers: &mut [std::result::Result<CardRef, CodeRefused>],
    ) -> Result<()> {
        let late = |answer: &std::result::Result<CardRef, CodeRefused>| {
            matches!(answer, Err(CodeRefused::Expired | CodeRefused::Unknown))
        };
        let keys: Vec<[u8; 32]> = presented
            .iter()
            .zip(answers.iter())
            .filter(|(_, answer)| late(answer))
            .map(|(one, _)| secret_hash(&one.key))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let store = self.engine.store();
        let used = store.codes_used_under(client, &keys).await?;
        let ids: Vec<DeviceId> = used.iter().map(|used| used.device).collect();
        let devices: HashMap<DeviceId, Device> = if ids.is_empty() {
            HashMap::new()
        } else {
            store.devices(&ids).await?.into_iter().map(|device| (device.id, device)).collect()
        };
        for (one, answer) in presented.iter().zip(answers.iter_mut()).filter(|(_, answer)| late(answer)) {
            let key = secret_hash(&one.key);
            for used in used.iter().filter(|used| used.key == key) {
                let Some(device) = devices.get(&used.device).filter(|d| d.tag == one.code.tag()) else {
                    continue;
                };
                if one.code.is_of(&secret_of(self.engine.vault(), device)?, used.step) {
                    *answer = Ok(CardRef::Number(Vec::new()));
                }
            }
        }
        Ok(())
    }
}

fn use_of(found: &Found, key: &str, client: ClientId, now: Timestamp) -> Option<CodeUse> {
    let (Checked::Good { step }, Some(device)) = (found.checked, &found.device) else { return None };
    Some(CodeUse {
        device: device.id,
        step,
        issuer: device.issuer,
        client,
        key: secret_hash(key),
        used_at: now,
    })
}

/// Whether a code is the request's: nobody had it before, or the same request.
fn whose(found: &Found, wanted: &CodeUse, first: &CodeUse) -> std::result::Result<CardRef, CodeRefused> {
    match &found.device {
        Some(device) if (wanted.client, wanted.key) == (first.client, first.key) => {
            Ok(held(device.card, device.holder))
        }
        _ => Err(CodeRefused::Used),
    }
}

fn refusal(checked: Checked) -> CodeRefused {
    match checked {
        Checked::Expired => CodeRefused::Expired,
        Checked::Good { .. } | Checked::Wrong => CodeRefused::Unknown,
    }
}
