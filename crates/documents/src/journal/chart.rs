//! Which of our accounts is which account of the books that the journal goes into, as data.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::LedgerAccount;
use crate::error::DocumentError;

/// The most rules of a chart.
pub const MAX_ACCOUNT_RULES: usize = 10_000;

/// A chart of accounts: rules from our accounts to account numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChart {
    /// Its short name.
    pub id: String,
    /// What people call it.
    pub name: String,
    rules: HashMap<(String, Option<String>), AccountRule>,
}

/// Where one of our accounts is booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRule {
    /// The kind of our account, such as `merchant`.
    pub kind: String,
    /// Only this one of the kind; it goes before the rule for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The account's number in the books.
    pub code: String,
    /// Its name in the books.
    pub name: String,
    /// Whether our reference (the merchant, the program) is written beside it.
    #[serde(default)]
    pub show_reference: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChartFile {
    id: String,
    name: String,
    rules: Vec<AccountRule>,
}

impl AccountChart {
    /// Reads a chart from JSON and checks it.
    pub fn parse(json: &str) -> Result<Self, DocumentError> {
        let file: ChartFile =
            serde_json::from_str(json).map_err(|error| broken("JSON", error.to_string()))?;
        Self::new(file.id, file.name, file.rules)
    }

    /// A chart of these rules.
    pub fn new(id: String, name: String, list: Vec<AccountRule>) -> Result<Self, DocumentError> {
        if list.is_empty() || list.len() > MAX_ACCOUNT_RULES {
            return Err(broken(
                "rules",
                format!("has {} rules; 1 to {MAX_ACCOUNT_RULES} are possible", list.len()),
            ));
        }
        let mut rules = HashMap::with_capacity(list.len());
        for (index, rule) in list.into_iter().enumerate() {
            let place = format!("rules[{index}]");
            for (field, text) in [("kind", &rule.kind), ("code", &rule.code), ("name", &rule.name)] {
                if text.is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
                    return Err(broken(
                        &format!("{place}.{field}"),
                        "is 1 to 100 characters, none of them control characters",
                    ));
                }
            }
            let key = (rule.kind.clone(), rule.reference.clone());
            if rules.insert(key, rule).is_some() {
                return Err(broken(
                    &place,
                    "there is an earlier rule for the same kind and reference; keep one",
                ));
            }
        }
        Ok(Self { id, name, rules })
    }

    /// The rule for this very account, or else for its kind.
    pub(crate) fn find(&self, account: &LedgerAccount) -> Option<&AccountRule> {
        let key = |reference| (account.kind.clone(), reference);
        self.rules.get(&key(account.reference.clone())).or_else(|| self.rules.get(&key(None)))
    }
}

fn broken(place: &str, problem: impl Into<String>) -> DocumentError {
    DocumentError::Chart { place: place.to_owned(), problem: problem.into() }
}
