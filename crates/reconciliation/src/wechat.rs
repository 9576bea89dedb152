//! The trade bill of WeChat Pay (交易账单, type ALL): UTF-8, a header of 27 columns, lines whose every value
//! begins with a backtick, then a summary of two lines with 7 values. Amounts are yuan. Commas within values
//! are not quoted, so lines are cut at comma and backtick together.

use std::io::Read;

use domain::Currency;
use jiff::tz::TimeZone;

use crate::{
    Encoding, Limits, Line, LineStatus, Problem, Statement,
    dates::Moments,
    decimal::{self, PLAIN},
    error::{FileError, Result},
    text::TextLines,
};

/// The header, as WeChat Pay writes it.
const COLUMNS: [&str; 27] = [
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
];
const SUMMARY: [&str; 7] = [
    "总交易单数",
    "应结订单总金额",
    "退款总金额",
    "充值券退款总金额",
    "手续费总金额",
    "订单总金额",
    "申请退款总金额",
];
/// The columns that the summary adds up, in its order after the count.
const SUMMED: [usize; 6] = [12, 16, 17, 22, 24, 25];
const AT: usize = 0;
const ORDER: usize = 6;
const STATE: usize = 9;
const CURRENCY: usize = 11;
const SETTLED: usize = 12;
const REFUND: usize = 15;
const REFUNDED: usize = 16;
const REFUND_STATE: usize = 19;
/// Fees have five decimal places, other amounts two; all are added up in hundred-thousandths.
const PLACES: u32 = 5;
const PER_FEN: i64 = 1000;

/// Reads a bill.
pub(crate) fn read<R: Read>(
    bytes: R,
    (currency, _): (Currency, &TimeZone),
    limits: &Limits,
) -> Result<Statement> {
    // WeChat Pay writes Beijing time, wherever the issuer is.
    let zone = TimeZone::get("Asia/Shanghai")
        .map_err(|_| FileError::settings("the zone Asia/Shanghai is unknown"))?;
    let mut bill = Bill {
        statement: Statement::new(currency),
        moments: Moments::new(vec!["%Y-%m-%d %H:%M:%S".to_owned()], zone),
        sums: [0; 6],
        limits,
    };
    let mut lines = TextLines::new(bytes, Encoding::Utf8, limits);
    let mut text = String::new();
    header(&mut lines, &mut text)?;
    loop {
        if !lines.next(&mut text)? {
            return Err(FileError::malformed(
                "the summary is missing: the bill is cut off; download it again",
            )
            .at(lines.line()));
        }
        let place = lines.line();
        if let Some(values) = text.strip_prefix('`') {
            bill.line(place, values).map_err(|error| error.at(place))?;
        } else if text.starts_with(SUMMARY[0]) {
            break;
        } else {
            let text = "the line begins neither with a backtick nor with 总交易单数; is this the unchanged trade bill?";
            return Err(FileError::malformed(text).at(place));
        }
    }
    bill.summary(&mut lines, &mut text)?;
    bill.statement.passed_over = 3;
    bill.statement.totals_checked = true;
    Ok(bill.statement)
}

fn header<R: Read>(lines: &mut TextLines<R>, text: &mut String) -> Result<()> {
    let there = lines.next(text)?;
    let names = text.split(',').map(|name| name.trim().trim_start_matches('`'));
    if !there || !names.eq(COLUMNS) {
        let text = "the header is not that of a WeChat Pay trade bill with 27 columns; download the bill of type ALL";
        return Err(FileError::malformed(text).at(1));
    }
    Ok(())
}

struct Bill<'a> {
    statement: Statement,
    moments: Moments,
    sums: [i64; 6],
    limits: &'a Limits,
}

fn amount(values: &[&str], column: usize) -> Result<i64> {
    let named = |says| FileError::value(says).column(COLUMNS[column]);
    decimal::parse(values[column], PLACES, PLAIN).map_err(named)
}

fn fen(values: &[&str], column: usize) -> Result<i64> {
    let value = amount(values, column)?;
    if value % PER_FEN != 0 {
        return Err(FileError::value("the amount has more than two decimal places").column(COLUMNS[column]));
    }
    Ok(value / PER_FEN)
}

impl Bill<'_> {
    fn line(&mut self, place: u32, text: &str) -> Result<()> {
        let values: Vec<&str> = text.split(",`").map(str::trim).collect();
        if values.len() != COLUMNS.len() {
            let text =
                format!("the line has {} values instead of 27: it is cut off or was edited", values.len());
            return Err(FileError::malformed(text));
        }
        if values[CURRENCY] != self.statement.currency.code() {
            let text = format!(
                "the line is not in {}; reconcile each currency in a file of its own",
                self.statement.currency
            );
            return Err(FileError::value(text).column(COLUMNS[CURRENCY]));
        }
        for (sum, column) in self.sums.iter_mut().zip(SUMMED) {
            *sum = sum.checked_add(amount(&values, column)?).ok_or_else(beyond)?;
        }
        let (from, to) =
            self.moments.parse(values[AT]).map_err(|says| FileError::value(says).column(COLUMNS[AT]))?;
        let (reference, amount, status) = meaning(&values)?;
        let line = Line { number: 0, place, reference: reference.into(), amount, from, to, status };
        self.statement.push(self.limits, line)
    }

    fn summary<R: Read>(&self, lines: &mut TextLines<R>, text: &mut String) -> Result<()> {
        if !text.split(',').map(str::trim).eq(SUMMARY) {
            return Err(FileError::malformed("the summary does not have its 7 columns").at(lines.line()));
        }
        if !lines.next(text)? {
            let text = "the values of the summary are missing: the bill is cut off; download it again";
            return Err(FileError::malformed(text).at(lines.line()));
        }
        let place = lines.line();
        let values: Vec<&str> = text.trim_start_matches('`').split(",`").map(str::trim).collect();
        if values.len() != SUMMARY.len() {
            return Err(FileError::malformed("the summary does not have 7 values").at(place));
        }
        let count = i64::try_from(self.statement.lines.len()).unwrap_or(i64::MAX);
        agrees(&values, 0, 0, count).map_err(|error| error.at(place))?;
        for (position, sum) in self.sums.iter().enumerate() {
            agrees(&values, position + 1, PLACES, *sum).map_err(|error| error.at(place))?;
        }
        while lines.next(text)? {
            if !text.trim().is_empty() {
                return Err(FileError::malformed("there are lines after the summary").at(lines.line()));
            }
        }
        Ok(())
    }
}

fn agrees(values: &[&str], column: usize, places: u32, expect: i64) -> Result<()> {
    let stated = decimal::parse(values[column], places, PLAIN);
    let stated = stated.map_err(|says| FileError::value(says).column(SUMMARY[column]))?;
    if stated == expect {
        return Ok(());
    }
    let text = "the summary does not agree with the lines: lines are missing or were changed; download the bill again";
    Err(FileError::new(Problem::Totals, text).column(SUMMARY[column]))
}

/// The reference, the amount in fen and the status of a line.
fn meaning<'a>(values: &[&'a str]) -> Result<(&'a str, i64, LineStatus)> {
    match values[STATE] {
        "SUCCESS" => Ok((values[ORDER], fen(values, SETTLED)?, LineStatus::Succeeded)),
        "REVOKED" => {
            let refunded = fen(values, REFUNDED)?;
            let amount = if refunded == 0 { fen(values, SETTLED)? } else { refunded };
            Ok((named(values[REFUND], values[ORDER]), -amount, LineStatus::Succeeded))
        }
        "REFUND" => {
            let status = match values[REFUND_STATE] {
                "SUCCESS" => LineStatus::Succeeded,
                "PROCESSING" | "CHANGE" => LineStatus::Pending,
                "FAIL" | "CLOSED" => LineStatus::Failed,
                _ => {
                    let text =
                        "the state of the refund is none of SUCCESS, PROCESSING, CHANGE, FAIL and CLOSED";
                    return Err(FileError::value(text).column(COLUMNS[REFUND_STATE]));
                }
            };
            Ok((named(values[REFUND], values[ORDER]), -fen(values, REFUNDED)?, status))
        }
        _ => {
            let text = "the state is none of SUCCESS, REFUND and REVOKED";
            Err(FileError::value(text).column(COLUMNS[STATE]))
        }
    }
}

/// What is empty is written as nothing or as 0.
fn named<'a>(first: &'a str, second: &'a str) -> &'a str {
    if matches!(first, "" | "0") { second } else { first }
}

fn beyond() -> FileError {
    FileError::new(Problem::Totals, "the lines add up to more than 64 bits hold")
}
