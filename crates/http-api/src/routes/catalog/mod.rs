//! The catalog: who and what takes part. Changes name the version they are based on.

pub(crate) mod client_secret;
pub(crate) mod clients;
pub(crate) mod issuers;
pub(crate) mod merchants;
pub(crate) mod program_check;
pub(crate) mod programs;
pub(crate) mod stores;
pub(crate) mod terminals;

use domain::program::Status;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    error::{Code, Problem},
    wire::{integer::Integer, schema, text::Name},
};

/// What changes of a merchant, store or terminal. What is not given stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRequest {
    /// The version that the change is based on.
    #[schema(value_type = schema::Version)]
    pub version: Version,
    /// A new name.
    #[schema(value_type = Option<schema::Name>)]
    pub name: Option<Name>,
    /// Whether it still does business.
    #[schema(value_type = Option<schema::Status>)]
    pub status: Option<Status>,
}

/// A version: 1 or more.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Integer<u32>")]
pub(crate) struct Version(u32);

impl TryFrom<Integer<u32>> for Version {
    type Error = &'static str;

    fn try_from(Integer(version): Integer<u32>) -> Result<Self, &'static str> {
        if version == 0 { Err("a version is 1 or more") } else { Ok(Self(version)) }
    }
}

impl Version {
    /// The version after a change that is based on this one.
    pub(crate) fn next(self, current: u32) -> Result<u32, Problem> {
        let next = current.checked_add(1).filter(|_| current == self.0);
        next.ok_or_else(|| {
            let detail = format!("it is at version {current} now; read it again and repeat the change");
            Problem::new(Code::VersionConflict, detail).at("/version")
        })
    }
}
