//! Random input for every parser: none may panic or hang, and each error must be one of the typed ones.

use bolero::check;
use reconciliation::{Format, Limits, Settings};

use crate::samples::{WECHAT_HEADER, camt, mapping, read_bytes, settings};

fn bounded() -> Settings {
    let limits = Limits { file_bytes: 1 << 16, unzipped_bytes: 1 << 18, lines: 100, ..Limits::default() };
    let by = mapping(
        r#"{"columns": {"reference": 1, "amount": 2, "at": 3, "status": 4}, "no_header": true,
            "statuses": {"succeeded": ["1"]}, "date_formats": ["%Y-%m-%d", "rfc3339", "%d/%m/%y %I:%M %p"]}"#,
    );
    Settings { limits, ..settings(Some(by)) }
}

#[test]
fn fuzz_every_format() {
    let settings = bounded();
    check!().with_type::<Vec<u8>>().for_each(|bytes| {
        for format in Format::ALL {
            let _ = read_bytes(format, bytes, &settings);
        }
    });
}

#[test]
fn fuzz_behind_a_good_beginning() {
    let settings = bounded();
    let statement = camt("0.00", "0.00", "");
    check!().with_type::<(u16, Vec<u8>)>().for_each(|(at, bytes)| {
        let mut bill = format!("{WECHAT_HEADER}\n`").into_bytes();
        bill.extend_from_slice(bytes);
        let _ = read_bytes(Format::Wechat, &bill, &settings);
        let mut xml = statement.clone().into_bytes();
        let at = usize::from(*at) % xml.len();
        xml.splice(at..at, bytes.iter().copied());
        if let Ok(read) = read_bytes(Format::Camt053, &xml, &settings) {
            assert!(read.sum().is_some());
        }
        let mut csv = b"a,1.50,2026-09-30,1\n".to_vec();
        csv.extend_from_slice(bytes);
        if let Ok(read) = read_bytes(Format::Csv, &csv, &settings) {
            assert_eq!(read.lines[0].amount, 150);
        }
    });
}
