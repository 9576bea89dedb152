//! The URL that says where the data is.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatabaseUrl {
    path: PathBuf,
}

/// What is used where nothing is said.
pub(crate) const DEFAULT: &str = "sqlite:hexiao.db";

impl DatabaseUrl {
    /// The database in this file.
    pub(crate) fn sqlite(path: PathBuf) -> Self {
        Self { path }
    }

    /// The database file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the key ring is looked for unless something else is said: beside the database.
    pub(crate) fn keys_beside(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".keys");
        self.path.with_file_name(name)
    }
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self::sqlite(PathBuf::from("hexiao.db"))
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            return Err(
                "this build keeps its data in SQLite only; PostgreSQL comes with the next version: use \
                 sqlite:FILE"
                    .to_owned(),
            );
        }
        let Some(rest) = text.strip_prefix("sqlite:") else {
            return Err(format!(
                "say sqlite: and a file, such as {DEFAULT} or sqlite:/var/lib/hexiao/hexiao.db"
            ));
        };
        // `sqlite://relative` and `sqlite:///absolute` are spellings that other tools have taught.
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path == ":memory:" || path.ends_with('/') {
            return Err(format!("name a file, such as {DEFAULT}: books are not kept in memory"));
        }
        if path.contains(['?', '\0']) {
            return Err("a file name only: parameters after ? are not understood".to_owned());
        }
        Ok(Self::sqlite(PathBuf::from(path)))
    }
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sqlite:{}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let check = |text: &str, path: &str, keys: &str| {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(
                (url.path(), url.keys_beside().as_path()),
                (Path::new(path), Path::new(keys)),
                "{text}"
            );
        };
        check("sqlite:hexiao.db", "hexiao.db", "hexiao.db.keys");
        check("sqlite:/a/b.db", "/a/b.db", "/a/b.db.keys");
        check("sqlite:///a/b.db", "/a/b.db", "/a/b.db.keys");
        check("sqlite://b", "b", "b.keys");
    }

    #[test]
    fn refusals_name_the_cure() {
        let check = |text: &str, cure: &str| {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(error.contains(cure), "{text}: {error}");
        };
        check("postgres://localhost/hexiao", "sqlite:FILE");
        check("postgresql:///x", "next version");
        check("hexiao.db", "sqlite:hexiao.db");
        check("mysql://x", "sqlite:");
        for text in ["sqlite:", "sqlite::memory:", "sqlite:/tmp/"] {
            check(text, "name a file");
        }
        check("sqlite:a.db?mode=ro", "parameters");
    }
}
