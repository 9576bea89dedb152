//! The allowed edges as data. A crate that joins the workspace gets a row here, in the same change.

/// What one of our crates may depend on among our own.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// In what ships.
    pub(crate) uses: &'static [&'static str],
    /// In its tests and benches, on top of `uses`: the real store instead of a mock.
    pub(crate) tests_use: &'static [&'static str],
}

/// A group of libraries that only some crates may use, and why.
pub(crate) struct Reserved {
    pub(crate) libraries: &'static [&'static str],
    pub(crate) homes: &'static [&'static str],
    /// Crates whose tests and benches may use them, on top of `homes`.
    pub(crate) test_homes: &'static [&'static str],
    pub(crate) why: &'static str,
}

pub(crate) const CRATES: &[Rule] = &[
    Rule { name: "activity", uses: &["storage", "domain"], tests_use: &[] },
    Rule { name: "architecture", uses: &[], tests_use: &[] },
    Rule { name: "documents", uses: &["domain"], tests_use: &[] },
    Rule { name: "domain", uses: &[], tests_use: &["domain-testing"] },
    Rule { name: "domain-testing", uses: &["domain"], tests_use: &[] },
    Rule { name: "settlement", uses: &["domain"], tests_use: &[] },
    Rule { name: "reconciliation", uses: &["domain"], tests_use: &[] },
    Rule { name: "storage", uses: &["domain", "reconciliation", "settlement"], tests_use: &[] },
    Rule {
        name: "storage-sqlite",
        uses: &["storage", "domain", "reconciliation", "settlement"],
        tests_use: &[],
    },
    Rule {
        name: "storage-postgres",
        uses: &["storage", "domain", "reconciliation", "settlement"],
        tests_use: &["postgres-testing"],
    },
    Rule {
        name: "finance",
        uses: &["engine", "storage", "domain", "settlement", "reconciliation", "documents", "vault"],
        tests_use: &["storage-sqlite", "storage-postgres", "postgres-testing"],
    },
    Rule { name: "postgres-testing", uses: &[], tests_use: &[] },
    Rule {
        name: "identity",
        uses: &["engine", "storage", "domain", "vault"],
        tests_use: &["storage-sqlite"],
    },
    Rule { name: "passkeys", uses: &["engine", "identity", "storage", "domain", "vault"], tests_use: &[] },
    Rule { name: "vault", uses: &[], tests_use: &[] },
    Rule {
        name: "wallet",
        uses: &["engine", "storage", "domain", "vault"],
        tests_use: &["storage-sqlite", "storage-postgres", "postgres-testing"],
    },
    Rule { name: "code-webhook", uses: &["wallet"], tests_use: &[] },
    Rule { name: "engine", uses: &["storage", "domain", "vault"], tests_use: &["storage-sqlite"] },
    Rule {
        name: "http-api",
        uses: &[
            "activity",
            "console",
            "engine",
            "finance",
            "identity",
            "openid",
            "passkeys",
            "reconciliation",
            "settlement",
            "storage",
            "domain",
            "vault",
            "wallet",
        ],
        tests_use: &["storage-sqlite", "storage-postgres", "postgres-testing", "load-generator"],
    },
    Rule {
        name: "jobs",
        uses: &["engine", "finance", "identity", "storage", "domain", "vault", "wallet"],
        tests_use: &["storage-sqlite", "storage-postgres", "postgres-testing"],
    },
    Rule {
        name: "relocation",
        uses: &["storage"],
        tests_use: &["domain", "storage-sqlite", "storage-postgres", "postgres-testing"],
    },
    Rule { name: "openid", uses: &["domain"], tests_use: &[] },
    Rule { name: "load-generator", uses: &[], tests_use: &[] },
    Rule { name: "console", uses: &[], tests_use: &[] },
    Rule {
        name: "simulation",
        uses: &["engine", "storage", "domain", "domain-testing", "settlement", "vault"],
        tests_use: &[],
    },
    Rule {
        name: "hexiao",
        uses: &[
            "domain",
            "storage",
            "storage-postgres",
            "storage-sqlite",
            "vault",
            "engine",
            "finance",
            "settlement",
            "http-api",
            "identity",
            "jobs",
            "code-webhook",
            "console",
            "load-generator",
            "passkeys",
            "reconciliation",
            "relocation",
            "wallet",
        ],
        tests_use: &["postgres-testing"],
    },
];

pub(crate) const RESERVED: &[Reserved] = &[
    Reserved {
        libraries: &[
            "rusqlite",
            "libsqlite3-sys",
            "tokio-postgres",
            "postgres",
            "deadpool",
            "deadpool-postgres",
            "refinery",
            "sqlx",
            "diesel",
        ],
        homes: &["storage-sqlite", "storage-postgres"],
        // `hexiao verify` is tested on books that were tampered with.
        test_homes: &["hexiao"],
        why: "SQL stays behind the ports of `storage`, or the second database needs a second product",
    },
    Reserved {
        libraries: &["axum", "axum-core", "axum-extra", "utoipa-axum"],
        homes: &["http-api", "hexiao"],
        test_homes: &["load-generator"],
        why: "the rules of cards must not know that they are reached over HTTP",
    },
];

/// Libraries that `domain` must not reach, not even through another library: with one of them in
/// reach, the same command could be decided in two ways.
pub(crate) const IMPURE: &[&str] = &[
    "tokio",
    "async-std",
    "mio",
    "rusqlite",
    "tokio-postgres",
    "axum",
    "hyper",
    "getrandom",
    "rand",
    "rand_core",
    "fastrand",
];
pub(crate) const PURE_CRATE: &str = "domain";

/// Names under which anything could be put, and therefore everything would be.
pub(crate) const SAYS_NOTHING: &[&str] =
    &["core", "common", "commons", "util", "utils", "shared", "misc", "helpers"];

pub(crate) fn of(name: &str) -> Option<&'static Rule> {
    CRATES.iter().find(|rule| rule.name == name)
}

/// The feature that compiles planted bugs in, and the only crates that may know of it: the one that has a
/// seam for them, and the one that plants them. No other turns it on, and no crate has it by default.
pub(crate) const PLANTED: &str = "planted";
pub(crate) const PLANTED_IN: &[&str] = &["engine", "simulation"];
