//! The URL that says where the data is.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DatabaseUrl {
    /// In this file.
    Sqlite(PathBuf),
    /// On a PostgreSQL server, or the leader of several. The text may hold a password.
    Postgres(String),
}

/// What is used where nothing is said.
pub(crate) const DEFAULT: &str = "sqlite:hexiao.db";
/// Where the key ring of a database is looked for that is not a file: in the working folder.
const KEYS_OF_A_SERVER: &str = "hexiao.keys";

impl DatabaseUrl {
    /// The database in this file.
    pub(crate) fn sqlite(path: PathBuf) -> Self {
        Self::Sqlite(path)
    }

    /// The database file, where it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Where the key ring is looked for unless something else is said.
    pub(crate) fn keys_beside(&self) -> PathBuf {
        let Self::Sqlite(path) = self else { return PathBuf::from(KEYS_OF_A_SERVER) };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".keys");
        path.with_file_name(name)
    }

    /// The whole URL, with its password: for the store, and for the environment of a child process. Never
    /// for a log or a command line.
    pub(crate) fn expose(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
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
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let Some(rest) = text.strip_prefix("sqlite:") else {
            return Err(format!(
                "say sqlite: and a file, such as {DEFAULT} or sqlite:/var/lib/hexiao/hexiao.db, or \
                 postgres://user@host:5432/database"
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
    /// Without user and password, and without what follows the database's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let place = rest.split('?').next().unwrap_or("");
                let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
                write!(f, "postgres://{place}")
            }
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
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
                (Some(Path::new(path)), Path::new(keys)),
                "{text}"
            );
        };
        check("sqlite:hexiao.db", "hexiao.db", "hexiao.db.keys");
        check("sqlite:/a/b.db", "/a/b.db", "/a/b.db.keys");
        check("sqlite:///a/b.db", "/a/b.db", "/a/b.db.keys");
        check("sqlite://b", "b", "b.keys");
    }

    #[test]
    fn a_password_is_not_shown() {
        let check = |text: &str, shown: &str| {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
            assert_eq!((url.expose().as_str(), url.path()), (text, None));
        };
        check("postgres://hexiao:s3cret@db1:5432,db2:5432/cards", "postgres://db1:5432,db2:5432/cards");
        check("postgresql://hexiao:p@ss@db/cards?password=s3cret", "postgres://db/cards");
        check("postgres:///cards", "postgres:///cards");
    }

    #[test]
    fn refusals_name_the_cure() {
        let check = |text: &str, cure: &str| {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(error.contains(cure), "{text}: {error}");
        };
        check("postgres:hexiao", "postgres://user@host");
        check("hexiao.db", "sqlite:hexiao.db");
        check("mysql://x", "sqlite:");
        for text in ["sqlite:", "sqlite::memory:", "sqlite:/tmp/"] {
            check(text, "name a file");
        }
        check("sqlite:a.db?mode=ro", "parameters");
    }
}
