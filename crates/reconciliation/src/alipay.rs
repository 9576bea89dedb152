//! The bill of Alipay (业务明细): GBK, 25 columns with the header on line 5, `#` before every line that is no
//! booking, totals of sales and refunds at the end. It comes in a zip archive beside a summary file.

use std::io::{Read, Seek, SeekFrom};

use domain::Currency;
use jiff::tz::TimeZone;
use zip::ZipArchive;

use crate::{
    Encoding, Limits, Line, LineStatus, Problem, Statement,
    csv::Csv,
    dates::Moments,
    decimal::{self, PLAIN},
    error::{FileError, Result},
    table::Table,
    text::Bounded,
};

const COLUMNS: [&str; 25] = [
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "商品名称",
    "创建时间",
    "完成时间",
    "门店编号",
    "门店名称",
    "操作员",
    "终端号",
    "对方账户",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝红包（元）",
    "集分宝（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "券核销金额（元）",
    "券名称",
    "商家红包消费金额（元）",
    "卡消费金额（元）",
    "退款批次号/请求号",
    "服务费（元）",
    "分润（元）",
    "备注",
];
const HEADER_LINE: u32 = 5;
const ORDER: usize = 1;
const KIND: usize = 2;
const DONE_AT: usize = 5;
const RECEIVED: usize = 12;
const REFUND: usize = 21;
/// Entries of an archive, at most.
const ENTRIES: usize = 16;

/// Reads a bill, packed or not.
pub(crate) fn read<R: Read + Seek>(
    mut file: R,
    (currency, _): (Currency, &TimeZone),
    limits: &Limits,
) -> Result<Statement> {
    let mut begin = [0; 2];
    let size = file.seek(SeekFrom::End(0)).map_err(|error| FileError::io(&error))?;
    if size > limits.file_bytes {
        return Err(FileError::too_large("the file is too large; split it by day"));
    }
    file.rewind().map_err(|error| FileError::io(&error))?;
    let read = file.read(&mut begin).map_err(|error| FileError::io(&error))?;
    file.rewind().map_err(|error| FileError::io(&error))?;
    if begin[..read] != *b"PK" {
        return bill(file, currency, limits);
    }
    let mut archive = ZipArchive::new(file).map_err(|_| damaged())?;
    let index = detail(&mut archive)?;
    let entry = archive.by_index(index).map_err(|_| damaged())?;
    bill(Bounded::new(entry, limits.unzipped_bytes, "the archive unpacks to too much"), currency, limits)
}

fn damaged() -> FileError {
    FileError::malformed("the zip archive is damaged or encrypted; download the bill again")
}

/// The one entry with the bookings. The other has totals by store (汇总) only.
fn detail<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Result<usize> {
    if archive.len() > ENTRIES {
        return Err(FileError::too_large("the archive has more than 16 files; an Alipay bill has two"));
    }
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|_| damaged())?;
        let raw = entry.name_raw();
        // Names are GBK without saying so, or UTF-8.
        let name = std::str::from_utf8(raw).map_or_else(
            |_| encoding_rs::GB18030.decode_without_bom_handling(raw).0.into_owned(),
            str::to_owned,
        );
        if entry.is_file() && name.to_ascii_lowercase().ends_with(".csv") && !name.contains("汇总") {
            found.push(index);
        }
    }
    match found.as_slice() {
        [index] => Ok(*index),
        _ => Err(FileError::malformed("the archive must have exactly one CSV file of bookings (业务明细)")),
    }
}

/// What the bookings add up to, by kind: how many, and fen.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    count: i64,
    fen: i64,
}

struct Bill<'a> {
    statement: Statement,
    moments: Moments,
    sales: Sum,
    refunds: Sum,
    limits: &'a Limits,
}

fn bill<R: Read>(bytes: R, currency: Currency, limits: &Limits) -> Result<Statement> {
    if currency != Currency::CNY {
        return Err(FileError::settings("an Alipay bill is in CNY; name that currency"));
    }
    let zone = TimeZone::get("Asia/Shanghai")
        .map_err(|_| FileError::settings("the zone Asia/Shanghai is unknown"))?;
    let mut csv = Csv::new(bytes, Encoding::Gb18030, ',', limits);
    let mut bill = Bill {
        statement: Statement::new(currency),
        moments: Moments::new(vec!["%Y-%m-%d %H:%M:%S".to_owned()], zone),
        sales: Sum::default(),
        refunds: Sum::default(),
        limits,
    };
    let mut row = Vec::new();
    let (mut headed, mut stated) = (false, (None, None));
    let mut last = 0;
    while let Some(place) = csv.next(&mut row)? {
        last = place;
        let first = row[0].trim();
        let comment = first.starts_with('#') || row.iter().all(|value| value.trim().is_empty());
        if place == HEADER_LINE {
            header(&row)?;
            headed = true;
        } else if comment {
            let text = row.join(",");
            note(&mut stated, &text).map_err(|error| error.at(place))?;
        } else if headed {
            bill.line(place, &row).map_err(|error| error.at(place))?;
            continue;
        } else {
            return Err(wrong_header().at(place));
        }
        bill.statement.passed_over = bill.statement.passed_over.saturating_add(1);
    }
    if !headed {
        return Err(wrong_header().at(last));
    }
    bill.check(stated).map_err(|error| error.at(last))?;
    bill.statement.totals_checked = true;
    Ok(bill.statement)
}

fn wrong_header() -> FileError {
    FileError::malformed(
        "line 5 is not the header of an Alipay bill with 25 columns; send the unchanged 业务明细",
    )
}

fn header(row: &[String]) -> Result<()> {
    // Some exports write the brackets of units in ASCII.
    let same = |have: &String, name: &&str| have.trim().replace('(', "（").replace(')', "）") == *name;
    if row.len() == COLUMNS.len() && row.iter().zip(COLUMNS.iter()).all(|(have, name)| same(have, name)) {
        Ok(())
    } else {
        Err(wrong_header().at(HEADER_LINE))
    }
}

/// Takes note of the totals: `#交易合计：3笔，商家实收共30.00元，…` and `#退款合计：1笔，商家实收退款共5.00元，…`.
fn note(stated: &mut (Option<Sum>, Option<Sum>), text: &str) -> Result<()> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("#交易合计：") {
        stated.0 = Some(total(rest, "商家实收共")?);
    } else if let Some(rest) = text.strip_prefix("#退款合计：") {
        stated.1 = Some(total(rest, "商家实收退款共")?);
    }
    Ok(())
}

fn total(text: &str, name: &str) -> Result<Sum> {
    let unreadable = || FileError::malformed("the totals cannot be read; send the unchanged 业务明细");
    let count = text.split_once('笔').ok_or_else(unreadable)?.0;
    let fen = text.split_once(name).and_then(|(_, rest)| rest.split_once('元')).ok_or_else(unreadable)?.0;
    let count = decimal::parse(count, 0, PLAIN).map_err(FileError::value)?;
    let fen = decimal::parse(fen, 2, PLAIN).map_err(FileError::value)?;
    Ok(Sum { count, fen: fen.abs() })
}

impl Bill<'_> {
    fn line(&mut self, place: u32, row: &[String]) -> Result<()> {
        let extra = row.get(COLUMNS.len()..).unwrap_or_default().iter().any(|value| !value.trim().is_empty());
        if row.len() < COLUMNS.len() || extra {
            let text =
                format!("the line has {} values instead of 25: it is cut off or was edited", row.len());
            return Err(FileError::malformed(text));
        }
        let value = |column: usize| row[column].trim();
        let named = |column: usize| move |says: String| FileError::value(says).column(COLUMNS[column]);
        let amount = decimal::parse(value(RECEIVED), 2, PLAIN).map_err(named(RECEIVED))?;
        let (from, to) = self.moments.parse(value(DONE_AT)).map_err(named(DONE_AT))?;
        let (sum, reference, amount) = match value(KIND) {
            "交易" => (&mut self.sales, value(ORDER), amount),
            "退款" if value(REFUND).is_empty() => (&mut self.refunds, value(ORDER), -amount.abs()),
            "退款" => (&mut self.refunds, value(REFUND), -amount.abs()),
            _ => return Err(FileError::value("the kind is neither 交易 nor 退款").column(COLUMNS[KIND])),
        };
        sum.count = sum.count.saturating_add(1);
        sum.fen = sum
            .fen
            .checked_add(amount.abs())
            .ok_or_else(|| FileError::new(Problem::Totals, "the lines add up to more than 64 bits hold"))?;
        let status = LineStatus::Succeeded;
        let line = Line { number: 0, place, reference: reference.into(), amount, from, to, status };
        self.statement.push(self.limits, line)
    }

    fn check(&self, stated: (Option<Sum>, Option<Sum>)) -> Result<()> {
        let (Some(sales), Some(refunds)) = stated else {
            let text = "the totals (交易合计, 退款合计) are missing: the bill is cut off; download it again";
            return Err(FileError::malformed(text));
        };
        if sales == self.sales && refunds == self.refunds {
            return Ok(());
        }
        let which = if sales == self.sales { "退款合计" } else { "交易合计" };
        let text = "the totals do not agree with the lines: lines are missing or were changed; download the bill again";
        Err(FileError::new(Problem::Totals, text).column(which))
    }
}
