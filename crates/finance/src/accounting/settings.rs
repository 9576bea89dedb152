//! What finance decides, kept as versioned settings of an issuer: its kind, its chart of accounts, and whether
//! and how breakage is estimated.

use std::collections::BTreeMap;

use domain::{ClientId, ProgramId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use storage::Setting;

use super::{Accounting, AccountingError, Result, chart::Chart};

/// The kind of an issuer of single-purpose cards. It decides what share of the prepaid balance is in custody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerKind {
    /// 规模发卡企业: a company above a size, for itself.
    #[default]
    Scale,
    /// 集团发卡企业: for a group of companies.
    Group,
    /// 品牌发卡企业: for all shops of a brand.
    Brand,
}

impl IssuerKind {
    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Group => "group",
            Self::Brand => "brand",
        }
    }
}

/// What an issuer is, as far as its duties depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Its kind.
    pub kind: IssuerKind,
    /// Whether its main business are services, for which more may be prepaid.
    pub services: bool,
}

/// Whether and how breakage is estimated. Off for every program that is not named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakageSettings {
    /// By program: the share of granted value that is expected to be redeemed, in basis points, 1 to 10,000.
    pub expected_redemption_bp: BTreeMap<ProgramId, u16>,
}

/// A setting with its name.
pub trait Named: Default + Serialize + DeserializeOwned {
    /// The name it is stored under. Never changes.
    const NAME: &'static str;

    /// Says what is wrong with it.
    fn check(&self) -> std::result::Result<(), String> {
        Ok(())
    }
}

impl Named for Profile {
    const NAME: &'static str = "profile";
}

impl Named for BreakageSettings {
    const NAME: &'static str = "breakage";

    fn check(&self) -> std::result::Result<(), String> {
        let wrong = self.expected_redemption_bp.iter().find(|(_, rate)| !(1..=10_000).contains(*rate));
        match wrong {
            None => Ok(()),
            Some((program, rate)) => Err(format!(
                "expected_redemption_bp of {program} is {rate}; give basis points from 1 to 10000"
            )),
        }
    }
}

impl Named for Chart {
    const NAME: &'static str = "chart";

    fn check(&self) -> std::result::Result<(), String> {
        Chart::check(self)
    }
}

/// The longest text of a setting.
pub const MAX_SETTING: usize = 65_536;

impl Accounting {
    /// A setting as it is now; its default where it was never set. With its version, 0 for the default.
    pub async fn setting<T: Named>(&self) -> Result<(T, u32)> {
        let Some(found) = self.store.setting(self.issuer.id, T::NAME).await? else {
            return Ok((T::default(), 0));
        };
        let wrong =
            |error: serde_json::Error| AccountingError::Setting { name: T::NAME, why: error.to_string() };
        Ok((serde_json::from_str(&found.value).map_err(wrong)?, found.version))
    }

    /// Sets it, and returns its version.
    pub async fn set<T: Named>(&self, value: &T, client: ClientId) -> Result<u32> {
        let refuse = |why: String| AccountingError::Setting { name: T::NAME, why };
        value.check().map_err(refuse)?;
        let text = serde_json::to_string(value).map_err(|error| refuse(error.to_string()))?;
        if text.len() > MAX_SETTING {
            return Err(refuse(format!("it has more than {MAX_SETTING} bytes; name fewer accounts")));
        }
        let setting = Setting {
            issuer: self.issuer.id,
            name: T::NAME.to_owned(),
            version: 0,
            value: text,
            client,
            entered_at: self.now,
        };
        Ok(self.store.enter_setting(&setting).await?.version)
    }
}
