//! The tables that are moved, as both kinds of database have them. What only one of them has says so.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A number.
    Int,
    /// Yes or no. Between the databases it is 1 or 0.
    Bool,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
}

/// Where a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In both databases.
    Both,
    /// In both; where one has none, a distributed database has 0, because the column is part of its key.
    BothOrZero,
    /// In a distributed database only: the same as that column of the row's operation.
    OfOperation,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in both databases.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
}

/// Where the currency of a table's amounts stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurrencyOf {
    /// There are no amounts.
    None,
    /// In its own column `currency`.
    Own,
    /// With its program, by `program_id`.
    Program,
    /// With its operation, by `operation_id`.
    Operation,
    /// With the program of its card, by `card_id`.
    Card,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name in both databases.
    pub name: &'static str,
    /// Its columns, in the order in which values come.
    pub columns: &'static [Column],
    /// Unique, and the order in which rows come.
    pub key: &'static [&'static str],
    /// What is added up to compare: amounts, and other numbers that must not change.
    pub amounts: &'static [&'static str],
    /// The currency of the amounts.
    pub currency: CurrencyOf,
    /// Whether a new database has rows in it, which those of the source replace.
    pub prefilled: bool,
}

impl Table {
    /// The places of the key's columns.
    pub fn key_columns(&self) -> Vec<usize> {
        let place = |name: &&str| self.columns.iter().position(|column| column.name == *name);
        self.key.iter().filter_map(place).collect()
    }

    /// The table with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name)
    }
}

const fn int(name: &'static str) -> Column {
    Column { name, kind: Kind::Int, place: Place::Both }
}

const fn int_or_zero(name: &'static str) -> Column {
    Column { name, kind: Kind::Int, place: Place::BothOrZero }
}

const fn of_operation(name: &'static str) -> Column {
    Column { name, kind: Kind::Int, place: Place::OfOperation }
}

const fn boolean(name: &'static str) -> Column {
    Column { name, kind: Kind::Bool, place: Place::Both }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, place: Place::Both }
}

const fn bytes(name: &'static str) -> Column {
    Column { name, kind: Kind::Bytes, place: Place::Both }
}

/// Tables whose rows stay behind, and why.
pub const LEFT_BEHIND: &[(&str, &str)] = &[
    ("job_lease", "who runs a job at this moment: nobody does where no server runs"),
    ("refinery_schema_history", "each database has its own migrations"),
];

/// The tables that are moved. What others refer to comes first.
pub const TABLES: &[Table] = &[
    Table {
        name: "catalog_revision",
        columns: &[int("only"), int("revision")],
        key: &["only"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: true,
    },
    Table {
        name: "issuer",
        columns: &[
            int("id"),
            text("name"),
            text("time_zone"),
            text("status"),
            int("created_at"),
            int("version"),
        ],
        key: &["id"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "program",
        columns: &[
            int("id"),
            int("issuer_id"),
            text("name"),
            text("currency"),
            text("number_prefix"),
            int("number_length"),
            text("status"),
            text("rules"),
            int("created_at"),
            int("version"),
        ],
        key: &["id"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "merchant",
        columns: &[
            int("id"),
            int("issuer_id"),
            text("name"),
            text("status"),
            int("created_at"),
            int("version"),
        ],
        key: &["id"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "store",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("merchant_id"),
            text("name"),
            text("status"),
            int("created_at"),
            int("version"),
        ],
        key: &["id"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "terminal",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("store_id"),
            text("name"),
            text("status"),
            int("created_at"),
            int("version"),
        ],
        key: &["id"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "client",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("merchant_id"),
            text("name"),
            text("scopes"),
            bytes("secret_hash"),
            int("rate_per_second"),
            text("status"),
            int("created_at"),
            int("version"),
        ],
        key: &["id"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "batch",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("program_id"),
            int("client_id"),
            text("key"),
            int("fingerprint_key_id"),
            bytes("fingerprint"),
            int("count"),
            int("face_value"),
            boolean("activate"),
            int("issued"),
            int("activated"),
            text("status"),
            text("failure"),
            int("created_at"),
            int("completed_at"),
            int("exported_at"),
            int("export_claimed_at"),
        ],
        key: &["id"],
        amounts: &["face_value", "count", "issued", "activated"],
        currency: CurrencyOf::Program,
        prefilled: false,
    },
    Table {
        name: "card",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("program_id"),
            int("batch_id"),
            int("last4"),
            int("state"),
            text("state_reason"),
            int("successor_id"),
            int("face_value"),
            text("lots"),
            int("held"),
            int("day"),
            int("day_count"),
            int("day_amount"),
            int("pin_key_id"),
            bytes("pin_digest"),
            int("pin_failures"),
            int("pin_lifetime_failures"),
            text("member"),
            int("activated_at"),
            int("expires_at"),
            int("last_operation_id"),
            int("created_at"),
            int("posted"),
            int("next_lot_expiry"),
            int("number_key_id"),
            bytes("number_index"),
        ],
        key: &["id"],
        amounts: &["posted", "held", "face_value", "day_amount"],
        currency: CurrencyOf::Program,
        prefilled: false,
    },
    Table {
        name: "card_secret",
        columns: &[int("card_id"), int("number_key_id"), bytes("number"), int("pin_key_id"), bytes("pin")],
        key: &["card_id"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "operation",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("client_id"),
            bytes("key"),
            text("key_text"),
            int("fingerprint_key_id"),
            bytes("fingerprint"),
            int("kind"),
            int("decline"),
            int("program_id"),
            int_or_zero("card_id"),
            int("card_last4"),
            int("card_state"),
            int("card_balance"),
            int("card_held"),
            int("card_available"),
            int("card_previous_id"),
            int("merchant_id"),
            int("store_id"),
            int("terminal_id"),
            int("channel"),
            text("currency"),
            int("requested"),
            int("approved"),
            int("business_date"),
            int("at"),
            int("trace"),
            text("reference"),
            text("metadata"),
            int("original_id"),
            int("hold_id"),
            int("counterpart_id"),
            int("counterpart_last4"),
            int("counterpart_state"),
            int("counterpart_balance"),
            int("counterpart_held"),
            int("counterpart_available"),
            int("counterpart_previous_id"),
            text("detail"),
        ],
        key: &["id"],
        amounts: &[
            "requested",
            "approved",
            "card_balance",
            "card_held",
            "card_available",
            "counterpart_balance",
        ],
        currency: CurrencyOf::Own,
        prefilled: false,
    },
    Table {
        name: "transfer",
        columns: &[
            int("operation_id"),
            int("seq"),
            int("debit_kind"),
            int("debit_ref"),
            int("debit_lot"),
            int("credit_kind"),
            int("credit_ref"),
            int("credit_lot"),
            int("amount"),
            of_operation("card_id"),
            of_operation("issuer_id"),
        ],
        key: &["operation_id", "seq"],
        amounts: &["amount"],
        currency: CurrencyOf::Operation,
        prefilled: false,
    },
    Table {
        name: "hold",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("card_id"),
            int("merchant_id"),
            int("store_id"),
            int("terminal_id"),
            int("amount"),
            int("captured"),
            int("status"),
            int("created_at"),
            int("expires_at"),
        ],
        key: &["id"],
        amounts: &["amount", "captured"],
        currency: CurrencyOf::Card,
        prefilled: false,
    },
    Table {
        name: "compensation",
        columns: &[
            int("operation_id"),
            int("refunded"),
            int("reversed_by"),
            of_operation("card_id"),
            of_operation("issuer_id"),
        ],
        key: &["operation_id"],
        amounts: &["refunded"],
        currency: CurrencyOf::Operation,
        prefilled: false,
    },
    Table {
        name: "tombstone",
        columns: &[int("client_id"), bytes("key"), text("key_text"), int("reversal_id")],
        key: &["client_id", "key"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "account_rollup",
        columns: &[
            int("issuer_id"),
            int("kind"),
            int("ref"),
            int("hour"),
            text("currency"),
            int("debits"),
            int("credits"),
        ],
        key: &["issuer_id", "kind", "ref", "hour", "currency"],
        amounts: &["debits", "credits"],
        currency: CurrencyOf::Own,
        prefilled: false,
    },
    Table {
        name: "job_cursor",
        columns: &[text("name"), int("position")],
        key: &["name"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "calendar_day",
        columns: &[
            int("issuer_id"),
            int("year"),
            int("day"),
            boolean("working"),
            text("name"),
        ],
        key: &["issuer_id", "year", "day"],
        amounts: &["day"],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "agreement",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("merchant_id"),
            text("currency"),
            int("effective_from"),
            text("terms"),
            int("created_by"),
            int("created_at"),
        ],
        key: &["id"],
        amounts: &["effective_from"],
        currency: CurrencyOf::Own,
        prefilled: false,
    },
    Table {
        name: "payee",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("merchant_id"),
            text("currency"),
            int("effective_from"),
            text("holder_name"),
            text("account_number"),
            text("bank_name"),
            text("bic"),
            text("clearing_code"),
            int("created_by"),
            int("created_at"),
        ],
        key: &["id"],
        amounts: &["effective_from"],
        currency: CurrencyOf::Own,
        prefilled: false,
    },
    Table {
        name: "settlement_cursor",
        columns: &[
            int("issuer_id"),
            int("position"),
            int("revision"),
            int("highest"),
        ],
        key: &["issuer_id"],
        amounts: &["revision"],
        currency: CurrencyOf::None,
        prefilled: false,
    },
    Table {
        name: "statement",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("merchant_id"),
            text("currency"),
            int("status"),
            int("period_from"),
            int("period_to"),
            int("ends_at"),
            int("due_on"),
            boolean("due_estimated"),
            int("agreement_id"),
            int("first_line_id"),
            int("newest_line_id"),
            int("lines_from"),
            int("opening"),
            int("payouts_rejected"),
            int("lines"),
            int("sales_count"),
            int("refunds_count"),
            int("late_count"),
            int("sales"),
            int("refunds"),
            int("reversals"),
            int("split_in"),
            int("payout_returns"),
            int("corrections"),
            int("funding"),
            int("fees"),
            int("splits_out"),
            int("yearly_fee"),
            int("closing"),
            int("payout"),
            int("invoiced"),
            int("carried"),
            int("volume_month"),
            int("volume"),
            int("yearly_through"),
            int("previous_id"),
            int("operation_id"),
            bytes("digest"),
            int("created_at"),
            int("closed_at"),
        ],
        key: &["id"],
        amounts: &["opening", "sales", "refunds", "fees", "splits_out", "closing", "payout", "carried", "lines"],
        currency: CurrencyOf::Own,
        prefilled: false,
    },
    Table {
        name: "settlement_line",
        columns: &[
            int("operation_id"),
            int("merchant_id"),
            int("statement_id"),
            int("previous_id"),
            int("kind"),
            int("day"),
            int("amount"),
            int("fee"),
            int("agreement_id"),
            int("original_id"),
            int("refunded_before"),
            int("residue"),
            boolean("late"),
            of_operation("issuer_id"),
        ],
        key: &["operation_id", "merchant_id"],
        amounts: &["amount", "fee"],
        currency: CurrencyOf::Operation,
        prefilled: false,
    },
    Table {
        name: "settlement_split",
        columns: &[
            int("operation_id"),
            int("merchant_id"),
            int("receiver_id"),
            int("statement_id"),
            int("amount"),
            of_operation("issuer_id"),
        ],
        key: &["operation_id", "merchant_id", "receiver_id"],
        amounts: &["amount"],
        currency: CurrencyOf::Operation,
        prefilled: false,
    },
    Table {
        name: "settlement_refund",
        columns: &[
            int("operation_id"),
            int("merchant_id"),
            int("refunded"),
            int("fee_returned"),
            of_operation("issuer_id"),
        ],
        key: &["operation_id", "merchant_id"],
        amounts: &["refunded", "fee_returned"],
        currency: CurrencyOf::Operation,
        prefilled: false,
    },
    Table {
        name: "settlement_account",
        columns: &[
            int("issuer_id"),
            int("merchant_id"),
            text("currency"),
            int("statement_id"),
        ],
        key: &["issuer_id", "merchant_id", "currency"],
        amounts: &["statement_id"],
        currency: CurrencyOf::Own,
        prefilled: false,
    },
    Table {
        name: "payout",
        columns: &[
            int("id"),
            int("issuer_id"),
            int("merchant_id"),
            int("statement_id"),
            text("currency"),
            int("amount"),
            int("due_on"),
            boolean("due_estimated"),
            int("status"),
            int("payee_id"),
            int("proposed_by"),
            int("decided_by"),
            text("reason"),
            int("operation_id"),
            int("return_operation_id"),
            int("credited_in"),
            int("created_at"),
            int("decided_at"),
            int("sent_at"),
            int("finished_at"),
            int("version"),
        ],
        key: &["id"],
        amounts: &["amount"],
        currency: CurrencyOf::Own,
        prefilled: false,
    },
    Table {
        name: "node",
        columns: &[int("number"), text("name"), int("term"), int("expires_at"), int("ids_until")],
        key: &["number"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: true,
    },
    Table {
        name: "shared_usage",
        columns: &[int("kind"), bytes("subject"), int("period"), int("total"), int("expires_at")],
        key: &["kind", "subject", "period"],
        amounts: &[],
        currency: CurrencyOf::None,
        prefilled: false,
    },
];
