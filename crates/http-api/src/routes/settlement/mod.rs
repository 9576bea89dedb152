//! Settlement: agreements, runs, statements, bank accounts, payouts, payments of merchants and sales channels.

pub(crate) mod agreements;
pub(crate) mod calendar;
pub(crate) mod channel_payments;
pub(crate) mod dry_run;
pub(crate) mod merchant_payments;
pub(crate) mod payees;
pub(crate) mod payout_file;
pub(crate) mod payout_steps;
pub(crate) mod payouts;
pub(crate) mod runs;
pub(crate) mod statement_export;
pub(crate) mod statements;

use axum::{
    body::Body,
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::Response,
};
use domain::MerchantId;
use finance::settlement::{Decision, FinanceError};

use crate::{
    auth::Caller,
    error::{Code, Problem},
};

/// What cannot be reached does not exist.
pub(super) fn unknown(what: &str) -> Problem {
    let code = match what {
        "merchant" => Code::MerchantUnknown,
        "issuer" => Code::IssuerUnknown,
        "agreement" => Code::AgreementUnknown,
        "payout" => Code::PayoutUnknown,
        _ => Code::StatementUnknown,
    };
    Problem::new(code, format!("no such {what} for this client; check the id"))
}

/// The merchant to list: the one asked for, or the only one that the client may see.
pub(super) fn merchant(caller: &Caller, asked: Option<MerchantId>) -> Result<Option<MerchantId>, Problem> {
    match asked {
        Some(asked) if !caller.sees(Some(asked)) => Err(unknown("merchant")),
        Some(asked) => Ok(Some(asked)),
        None => Ok(caller.merchant()),
    }
}

/// A document to be saved under this name, which has nothing in it but an id and an extension.
pub(super) fn document(bytes: Vec<u8>, kind: &'static str, name: &str) -> Result<Response, Problem> {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let disposition = disposition
        .map_err(|_| Problem::new(Code::Internal, "the file could not be named; ask the operator"))?;
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// Who decides: a client of the whole issuer.
pub(super) fn decision(caller: &Caller) -> Result<Decision, Problem> {
    caller.unbound()?;
    let actor = caller.actor()?;
    Ok(Decision { issuer: actor.issuer, client: actor.client })
}

impl From<FinanceError> for Problem {
    fn from(error: FinanceError) -> Self {
        let text = error.to_string();
        match error {
            FinanceError::Storage(storage::StorageError::Conflict { what: "effective_from" }) => {
                let text = "there is a version from that day already: give another day";
                Self::new(Code::TermsContradict, text).at("/effective_from")
            }
            FinanceError::Storage(error) => error.into(),
            FinanceError::Submit(error) => error.into(),
            FinanceError::Refused(refusal) => refusal.into(),
            FinanceError::Field(error) => Self::new(Code::TermsContradict, error.message).at(error.pointer),
            FinanceError::Unknown(what) => unknown(what),
            FinanceError::SameClient(_) => Self::new(Code::SecondPersonNeeded, text),
            FinanceError::Status { .. } => Self::new(Code::PayoutStatus, text),
            FinanceError::NoPayee { .. } => Self::new(Code::PayeeMissing, text),
            FinanceError::Document(_) => Self::new(Code::DocumentRefused, text),
            FinanceError::TooMuch(_) => Self::new(Code::TooManyItems, text),
            FinanceError::Damaged(_) => Self::new(Code::Internal, text),
        }
    }
}
