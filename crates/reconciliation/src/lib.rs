//! What others say about our money, read and compared: the files of merchants, sales channels and banks
//! become lines, and lines are matched against own records. Pure: no store, no clock, no network. What the
//! differences that are found lead to is decided by people, through `finance`.
//!
//! Start with [`Format`] for the files, [`matching`] for the comparison, [`Difference`] for its result.

#[cfg(feature = "files")]
mod alipay;
#[cfg(feature = "files")]
mod camt;
#[cfg(feature = "files")]
mod csv;
#[cfg(feature = "files")]
mod dates;
#[cfg(feature = "files")]
mod decimal;
mod difference;
#[cfg(feature = "files")]
mod error;
#[cfg(feature = "files")]
mod format;
#[cfg(feature = "files")]
mod limits;
mod line;
#[cfg(feature = "files")]
mod mapping;
pub mod matching;
#[cfg(feature = "files")]
mod statement;
#[cfg(feature = "files")]
mod table;
#[cfg(feature = "files")]
mod text;
#[cfg(feature = "files")]
mod wechat;
#[cfg(feature = "files")]
mod xlsx;

pub use difference::{Class, Correction, Difference};
#[cfg(feature = "files")]
pub use error::{FileError, Problem};
#[cfg(feature = "files")]
pub use format::{Format, Settings, read};
#[cfg(feature = "files")]
pub use limits::Limits;
pub use line::{Line, LineStatus};
#[cfg(feature = "files")]
pub use mapping::{AmountUnit, Column, Columns, Encoding, Kinds, Mapping, Statuses};
pub use matching::{Outcome, OwnRecord, OwnStatus, Rules, Verdict, compare};
#[cfg(feature = "files")]
pub use statement::Statement;
