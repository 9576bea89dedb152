//! How long a statement takes in each format, and a look at it:
//!
//!     cargo run --release -p documents --example statement_speed -- 5000 /tmp/statements
//!
//! Writes the files into the folder, if one is given.

#[path = "../tests/documents/samples.rs"]
#[expect(dead_code, reason = "the samples of payouts are for the tests")]
mod samples;

use std::time::Instant;

use documents::{Format, Language};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(5_000);
    let folder = arguments.next();
    let lines = samples::lines(count);
    let formats = [
        ("PDF, Chinese", Format::Pdf, Language::Chinese, "zh.pdf"),
        ("PDF, English", Format::Pdf, Language::English, "en.pdf"),
        ("XLSX", Format::Xlsx, Language::Chinese, "zh.xlsx"),
        ("CSV", Format::Csv { bom: true }, Language::Chinese, "zh.csv"),
    ];
    for (name, format, language, file) in formats {
        let statement = samples::statement(language, &lines);
        let start = Instant::now();
        let (bytes, written) = samples::written(format, statement, &lines);
        let took = start.elapsed();
        println!(
            "{name}: {count} lines, {} pages, {} KiB in {:.3} s",
            written.pages.unwrap_or_default(),
            bytes.len() / 1024,
            took.as_secs_f64()
        );
        if let Some(folder) = &folder {
            std::fs::write(std::path::Path::new(folder).join(file), bytes)
                .expect("a folder that can be written to");
        }
    }
}
