//! How much of a file is taken in. Every file comes from outside, so everything in it is bounded.

/// The bounds of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The file, in bytes as it arrives.
    pub file_bytes: u64,
    /// What an archive may unpack to, in bytes: a zip bomb ends here. XLSX files are archives too.
    pub unzipped_bytes: u64,
    /// Lines that say something about money.
    pub lines: u32,
    /// One line of text, or one tag and the text after it, in bytes.
    pub line_bytes: usize,
    /// One value, in bytes.
    pub field_bytes: usize,
    /// Values in one line.
    pub fields: usize,
    /// A reference, in bytes.
    pub reference_bytes: usize,
    /// Elements within elements in XML.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 512 << 20,
            unzipped_bytes: 512 << 20,
            lines: 1_000_000,
            line_bytes: 64 << 10,
            field_bytes: 4 << 10,
            fields: 256,
            reference_bytes: 256,
            depth: 32,
        }
    }
}
