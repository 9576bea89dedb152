//! Why a document is not written. Every message names the thing that is wrong and what would put it right.

/// Why a document could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// A figure of the document does not follow from its parts.
    #[error("{figure} is {stated} minor units, but its parts give {computed}; the document is not written")]
    DoesNotAddUp {
        /// The figure, by its field's name.
        figure: &'static str,
        /// What the document states.
        stated: i64,
        /// What its parts give.
        computed: i64,
    },
    /// A sum left the range of 64 bits.
    #[error("the sum of {0} is out of range")]
    OutOfRange(&'static str),
    /// More lines than the format takes.
    #[error("more than {most} lines do not go into {format}; {cure}")]
    TooManyLines {
        /// The limit.
        most: usize,
        /// The format.
        format: &'static str,
        /// What to do instead.
        cure: &'static str,
    },
    /// A row has another number of cells than the table has columns.
    #[error("a row has {found} cells, the table has {expected} columns")]
    RowShape {
        /// Columns of the table.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A field of a payout file breaks a rule of the format.
    #[error("{field}: {problem}")]
    Field {
        /// The field.
        field: &'static str,
        /// The rule and the cure.
        problem: String,
    },
    /// A field of one payment breaks a rule of the format.
    #[error("payment {id} to {payee}: {field}: {problem}")]
    Payment {
        /// End-to-end id of the payment.
        id: String,
        /// Name of the payee.
        payee: String,
        /// The field.
        field: &'static str,
        /// The rule and the cure.
        problem: String,
    },
    /// A template of payout files is not usable.
    #[error("payout template: {place}: {problem}")]
    Template {
        /// Where in the template.
        place: String,
        /// The rule and the cure.
        problem: String,
    },
    /// A chart of accounts is not usable.
    #[error("account chart: {place}: {problem}")]
    Chart {
        /// Where in the chart.
        place: String,
        /// The rule and the cure.
        problem: String,
    },
    /// The chart has no rule for an account that the journal uses.
    #[error("the account chart has no rule for {0}; add one for its kind, or for this reference")]
    UnmappedAccount(String),
    /// The output could not be written.
    #[error("the document could not be written: {0}")]
    Io(#[from] std::io::Error),
    /// A CSV could not be written.
    #[error("the CSV could not be written: {0}")]
    Csv(#[from] csv::Error),
    /// An XLSX could not be written.
    #[error("the XLSX could not be written: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// A PDF could not be made.
    #[error("the PDF could not be made: {0}")]
    Pdf(String),
}

impl DocumentError {
    pub(crate) fn field(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Field { field, problem: problem.into() }
    }
}
