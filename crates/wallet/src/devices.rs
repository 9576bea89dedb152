//! Devices that show payment codes of a card. Each has a secret of its own, which it is given once.

use domain::{CardId, DeviceId};
use storage::{Device, Holder, Sealed, StorageError};
use vault::{SealedText, Vault, purpose};

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use crate::{DeviceSecret, Result, Wallet, WalletError, cards::OwnCard, code::TAGS};

/// Live devices of one holder for one card. One more revokes the oldest.
pub const MAX_DEVICES: usize = 3;
/// Tags that are tried before giving up. With a tenth of all tags taken, one enrolment in 10^16 gives up.
const TAG_ATTEMPTS: usize = 16;

/// A device that was just enrolled.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The device.
    pub device: Device,
    /// Its secret, to hand over this once.
    pub secret: DeviceSecret,
}

impl Wallet {
    /// Enrols a device for a card of the holder's.
    pub async fn enrol(&self, holder: &Holder, own: &OwnCard) -> Result<Enrolled> {
        let id = DeviceId::new(self.engine.next_id());
        let secret = DeviceSecret::new(*self.random_bytes());
        let sealed = self.engine.vault().seal_text(id.get(), purpose::DEVICE_SECRET, &secret.to_text())?;
        let mut device = Device {
            id,
            issuer: holder.issuer,
            holder: holder.id,
            card: own.card.id,
            tag: 0,
            secret: Sealed { key_id: sealed.key_id, bytes: sealed.bytes },
            created_at: self.engine.now(),
            revoked_at: None,
        };
        for _ in 0..TAG_ATTEMPTS {
            device.tag = u32::try_from(self.random_below(TAGS.into())).unwrap_or(0);
            match self.engine.store().add_device(&device, MAX_DEVICES).await {
                Ok(()) => return Ok(Enrolled { device, secret }),
                Err(StorageError::Conflict { what: "tag" }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WalletError::Inconsistent("there is no free tag for a device"))
    }

    /// The live devices of a holder for a card.
    pub async fn devices(&self, holder: &Holder, card: CardId) -> Result<Vec<Device>> {
        Ok(self.engine.store().devices_of(holder.id, card).await?)
    }

    /// Revokes a device of the holder's. `false` if there is none.
    pub async fn revoke_device(&self, holder: &Holder, id: DeviceId) -> Result<bool> {
        let store = self.engine.store();
        let own = store.devices(&[id]).await?.pop().is_some_and(|device| device.holder == holder.id);
        Ok(own && store.revoke_device(id, self.engine.now()).await?)
    }
}

/// The secret of a device, from its sealed form.
pub(crate) fn secret_of(vault: &Vault, device: &Device) -> Result<DeviceSecret> {
    let sealed = SealedText { key_id: device.secret.key_id, bytes: device.secret.bytes.clone() };
    let text = vault.open_text(device.id.get(), purpose::DEVICE_SECRET, &sealed)?;
    let mut bytes = Zeroizing::new([0; 32]);
    let whole = Base64UrlUnpadded::decode(text.as_bytes(), &mut *bytes).is_ok_and(|read| read.len() == 32);
    if whole {
        Ok(DeviceSecret::new(*bytes))
    } else {
        Err(WalletError::Inconsistent("a device's secret is cut"))
    }
}
