//! Files made to hurt: bombs, endless things, and things cut off.

use std::io::Write;

use reconciliation::{Format, Limits, Problem, Settings};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::samples::{
    ALIPAY_HEADER, camt, entry, gbk, mapping, read_bytes, settings, wechat, wechat_refund, wechat_sale,
    workbook,
};

fn small() -> Settings {
    let limits = Limits { file_bytes: 1 << 20, unzipped_bytes: 1 << 20, lines: 1_000, ..Limits::default() };
    Settings {
        limits,
        ..settings(Some(mapping(r#"{"columns": {"amount": 1, "at": 2}, "no_header": true}"#)))
    }
}

fn fails(format: Format, bytes: &[u8], problem: Problem) {
    let error = read_bytes(format, bytes, &small()).expect_err("hostile");
    assert_eq!(error.problem, problem, "{error}");
}

/// An archive of a few KiB that unpacks to 64 MiB.
fn bomb(name: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, SimpleFileOptions::default()).expect("an entry");
    let header = gbk(&format!("#\n#\n#\n#\n{ALIPAY_HEADER}\n"));
    zip.write_all(&header).expect("written");
    let zeros = vec![b'#'; 1 << 20];
    let lines = zeros.chunks(1 << 10).flat_map(|chunk| [chunk, b"\n"].concat()).collect::<Vec<u8>>();
    for _ in 0..64 {
        zip.write_all(&lines).expect("written");
    }
    let bytes = zip.finish().expect("an archive").into_inner();
    assert!(bytes.len() < 1 << 20);
    bytes
}

#[test]
fn zip_bombs_end_at_the_bound() {
    fails(Format::Alipay, &bomb("业务明细.csv"), Problem::TooLarge);
    fails(Format::Xlsx, &bomb("xl/worksheets/sheet1.xml"), Problem::TooLarge);
    // Parts whose stated size is a lie are unpacked all the same, so the statement does not matter.
    let mut lies = bomb("业务明细.csv");
    let size = (64_u32 << 20)
        + (64 << 10)
        + u32::try_from(gbk(&format!("#\n#\n#\n#\n{ALIPAY_HEADER}\n")).len()).expect("small");
    assert!(lies.windows(4).any(|four| four == size.to_le_bytes()), "the size is stated");
    while let Some(at) = lies.windows(4).position(|four| four == size.to_le_bytes()) {
        lies[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
    }
    let error = read_bytes(Format::Alipay, &lies, &small()).expect_err("a lie");
    assert!(matches!(error.problem, Problem::TooLarge | Problem::Malformed | Problem::Unreadable), "{error}");
}

#[test]
fn xml_bombs_are_not_expanded() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><Document>&b;</Document>";
    fails(Format::Camt053, laughs.as_bytes(), Problem::Malformed);
    let outside = "<?xml version=\"1.0\"?><!DOCTYPE d SYSTEM \"file:///etc/passwd\"><Document/>";
    fails(Format::Camt053, outside.as_bytes(), Problem::Malformed);
    let entity = camt("0.00", "1.00", &entry("&secret;", "1.00", "CRDT", "BOOK"));
    fails(Format::Camt053, entity.as_bytes(), Problem::Malformed);
    fails(Format::Camt053, "<a>".repeat(1_000).as_bytes(), Problem::TooLarge);
    fails(Format::Camt053, format!("<a b=\"{}", "x".repeat(1 << 18)).as_bytes(), Problem::TooLarge);
    fails(Format::Camt053, format!("<a>{}", "x".repeat(1 << 18)).as_bytes(), Problem::TooLarge);
    fails(Format::Camt053, format!("<a>{}</a>", "&amp;".repeat(10_000)).as_bytes(), Problem::TooLarge);
}

#[test]
fn endless_files_lines_and_values() {
    fails(Format::Csv, &vec![b'x'; 1 << 19], Problem::TooLarge);
    fails(Format::Csv, "1,2026-09-30\n".repeat(1_001).as_bytes(), Problem::TooLarge);
    fails(Format::Csv, "#\n".repeat(1 << 20).as_bytes(), Problem::Malformed);
    fails(Format::Csv, format!("\"{}", "x\n".repeat(1 << 18)).as_bytes(), Problem::TooLarge);
    fails(Format::Csv, ",".repeat(1 << 15).as_bytes(), Problem::TooLarge);
    let lines: Vec<String> = (0..1_001).map(|n| wechat_sale(&n.to_string(), "1.00", "0.00000")).collect();
    fails(Format::Wechat, wechat(&lines, "`0").as_bytes(), Problem::TooLarge);
    fails(
        Format::Camt053,
        camt("0.00", "0.00", &entry("a", "1.00", "CRDT", "BOOK").repeat(1_001)).as_bytes(),
        Problem::TooLarge,
    );
    let wide = "<c r=\"ZZZ1\"><v>1</v></c>";
    fails(Format::Xlsx, &workbook(&[wide]), Problem::TooLarge);
}

#[test]
fn bytes_of_another_kind() {
    for format in Format::ALL {
        for bytes in [&b""[..], b"\0\0\0\0", b"\xFF\xFEa\0,\0b\0", b"PK\x05\x06", b"%PDF-1.7", &[0x80; 64]] {
            let read = read_bytes(format, bytes, &small());
            assert!(format == Format::Csv && bytes.is_empty() || read.is_err(), "{format:?} {bytes:?}");
        }
    }
}

#[test]
fn every_cut_of_a_bill_is_noticed() {
    let lines = [wechat_sale("A", "1.00", "0.00600"), wechat_refund("A", "R", "3.33", "SUCCESS")];
    let bill = wechat(&lines, "`2,`1.00,`3.33,`0.00,`-0.01400,`1.00,`3.33");
    assert!(read_bytes(Format::Wechat, bill.as_bytes(), &small()).is_ok());
    for length in 0..bill.trim_end().len() {
        assert!(read_bytes(Format::Wechat, &bill.as_bytes()[..length], &small()).is_err(), "cut at {length}");
    }
    let statement = camt("0.00", "1.00", &entry("a", "1.00", "CRDT", "BOOK"));
    for length in 0..statement.trim_end().len() {
        assert!(
            read_bytes(Format::Camt053, &statement.as_bytes()[..length], &small()).is_err(),
            "cut at {length}"
        );
    }
}
